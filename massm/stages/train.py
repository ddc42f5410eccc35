"""Train a model on the exported tensors."""

from pathlib import Path

from massm.config.models import ModelEntry
from massm.config.models.family import NetworkConfig
from massm.config.train import TrainConfig
from massm.machine.memory import keep_freed_memory
from massm.stages._command import stage_main
from massm.training.fit import fit


def run(
    config: TrainConfig,
    *,
    model: ModelEntry,
    tensors: Path,
    output: Path,
    anatomies: list[str] | None = None,
) -> None:
    """Write weights, description, checkpoint and history of the model.

    Args:
        config: Schedule, augmentation, machine.
        model: Its entry: the network and its objective.
        tensors: Folder ``tensors`` with ``manifest.json`` and ``template.safetensors``.
        output: Folder ``train/{model}`` or ``train/{model}/{part}``; a ``last.ckpt`` there is
            continued.
        anatomies: Those that the network is for; none named: all.

    Raises:
        ValueError: If the family needs no training.
    """
    if not isinstance(model, NetworkConfig):
        raise ValueError(f"{model.family} is a family without training")
    keep_freed_memory()
    fit(config, model, tensors, output, anatomies or None)


if __name__ == "__main__":
    stage_main(run)
