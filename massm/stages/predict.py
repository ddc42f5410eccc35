"""Predict boxes, presence and particles of held-out subjects with a trained model."""

import logging
from pathlib import Path

import torch

from massm.config.predict import NetworkPredictionConfig
from massm.io import predictions
from massm.machine.cores import usable_cores
from massm.models.predict import predict_subjects
from massm.models.saved import load_model, matches
from massm.stages._command import stage_main
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.training.fit import check_accelerator

log = logging.getLogger(__name__)


def run(config: NetworkPredictionConfig, *, tensors: Path, train: Path, output: Path) -> None:
    """Write ``{subject}.npz`` for every subject of the configured splits.

    Args:
        config: Splits, batch size, machine.
        tensors: Folder ``tensors``.
        train: Folder ``train/{model}`` with weights and description.
        output: Folder ``predict/{model}``.
    """
    check_accelerator(config.accelerator)
    torch.set_num_threads(config.threads or usable_cores())
    manifest = read_manifest(tensors / "manifest.json")
    model, description = load_model(train)
    matches(description, manifest)
    entries = [entry for split in config.splits for entry in manifest.of_split(split)]
    dataset = SubjectDataset(tensors, manifest, entries)
    found = predict_subjects(
        model,
        description,
        dataset.images(
            description.preprocessing, multiple=model.stride, batch_size=config.batch_size
        ),
        box_updates=config.box_updates,
        device="cuda" if config.accelerator == "gpu" else "cpu",
    )
    for count, (subject, prediction) in enumerate(found, start=1):
        predictions.write(prediction, output / f"{subject}.npz")
        number = len(prediction.found)
        log.info("%d/%d %s: %d anatomies found", count, len(entries), subject, number)


if __name__ == "__main__":
    stage_main(run)
