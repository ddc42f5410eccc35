"""Train a model on the exported tensors."""

from pathlib import Path

from massm.config.model import ModelConfig
from massm.config.train import TrainConfig
from massm.machine.memory import keep_freed_memory
from massm.stages._command import stage_main
from massm.training.fit import fit


def run(config: TrainConfig, *, model: ModelConfig, tensors: Path, output: Path) -> None:
    """Write weights, description, checkpoint and history of the model.

    Args:
        config: Schedule, augmentation, machine.
        model: The network.
        tensors: Folder ``tensors`` with ``manifest.json`` and ``template.safetensors``.
        output: Folder ``train/{model}``; a ``last.ckpt`` there is continued.
    """
    keep_freed_memory()
    fit(config, model, tensors, output)


if __name__ == "__main__":
    stage_main(run)
