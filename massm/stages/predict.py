"""Predict the held-out subjects with a model of any family."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import torch

from massm.config.models import ModelEntry
from massm.config.models.family import FamilyConfig, NetworkConfig
from massm.config.predict import PredictConfig
from massm.io import predictions
from massm.io.errors import DataError
from massm.io.particles import load_set
from massm.io.predictions import SubjectPrediction
from massm.machine.cores import usable_cores
from massm.machine.devices import refuse_missing_gpus
from massm.models.bounds import Known
from massm.models.families import predict_untrained
from massm.models.predict import joined, predict_subjects
from massm.models.saved import load_model, matches
from massm.stages._command import stage_main
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import Entry, Manifest, read_manifest
from massm.tensors.template import load_template

log = logging.getLogger(__name__)

Said = Iterator[tuple[str, SubjectPrediction]]


def run(
    config: PredictConfig,
    *,
    model: ModelEntry,
    tensors: Path,
    output: Path,
    train: list[Path] | None = None,
    boxes: list[Path] | None = None,
    correspond: list[Path] | None = None,
) -> None:
    """Write ``{subject}.npz``, and a label map if there is one, for the configured splits.

    Args:
        config: Splits, batch size, machine.
        model: Its entry.
        tensors: Folder ``tensors``.
        output: Folder ``predict/{model}``.
        train: Folder ``train/{model}``, or ``train/{model}/{part}`` of each anatomy in their order;
            None for a family without training.
        boxes: ``predict/{model}/{subject}.npz`` of the model whose boxes it reads, if it does.
        correspond: ``correspond/{anatomy}.npz`` of all, for what is told the truth.

    Raises:
        ValueError: If a family with training has no folder of weights, or a GPU is asked for and
            there is none.
    """
    manifest = read_manifest(tensors / "manifest.json")
    entries = [entry for split in config.splits for entry in manifest.of_split(split)]
    if isinstance(model, NetworkConfig):
        found = _by_networks(config, model, tensors, manifest, entries, train or [])
    else:
        found = _untrained(model, tensors, manifest, entries, boxes or [], correspond or [])
    for count, (subject, prediction) in enumerate(found, start=1):
        predictions.write(prediction, output / f"{subject}.npz")
        number = len(prediction.found)
        log.info("%d/%d %s: %d anatomies found", count, len(entries), subject, number)


def _by_networks(
    config: PredictConfig,
    model: NetworkConfig,
    tensors: Path,
    manifest: Manifest,
    entries: list[Entry],
    train: list[Path],
) -> Said:
    """Yield what the networks say, one of all anatomies or one of each."""
    if not train:
        raise ValueError(f"{model.family} is a trained family: name the folder of its weights")
    refuse_missing_gpus(config.accelerator)
    torch.set_num_threads(config.threads or usable_cores())
    dataset = SubjectDataset(tensors, manifest, entries)
    said = [_by_network(config, model, folder, manifest, dataset) for folder in train]
    for parts in zip(*said, strict=True):
        yield parts[0][0], joined([prediction for _, prediction in parts])


def _by_network(
    config: PredictConfig,
    model: NetworkConfig,
    folder: Path,
    manifest: Manifest,
    dataset: SubjectDataset,
) -> Said:
    network, description = load_model(folder, model)
    matches(description, manifest.take(manifest.rows_of(description.anatomies)))
    images = dataset.images(
        description.preprocessing, multiple=network.stride, batch_size=config.batch_size
    )
    device = "cuda" if config.accelerator == "gpu" else "cpu"
    yield from predict_subjects(network, description, images, device=device)


def _untrained(
    model: FamilyConfig,
    tensors: Path,
    manifest: Manifest,
    entries: list[Entry],
    boxes: list[Path],
    correspond: list[Path],
) -> Said:
    known = Known(
        subjects=tuple(entry.subject for entry in entries),
        particles={path.stem: load_set(path) for path in correspond},
        boxes=partial(_read_boxes, {path.stem: path for path in boxes}),
        template=load_template(tensors / "template.safetensors"),
    )
    yield from predict_untrained(model, known)


def _read_boxes(files: Mapping[str, Path], subject: str) -> SubjectPrediction:
    if subject not in files:
        raise DataError(f"{subject}: the model whose boxes are read has no prediction of it")
    return predictions.read(files[subject])


if __name__ == "__main__":
    stage_main(run)
