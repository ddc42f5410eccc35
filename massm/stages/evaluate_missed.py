"""Measure what the anatomies that models missed cost them: the error of the mean shape."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.comparison import frame_of
from massm.evaluate.jobs import collect_rows, read_reference
from massm.evaluate.missing import MeanShape, costs_of, image_center, missed_measures
from massm.evaluate.prediction import heads_of, read_prediction
from massm.evaluate.rows import WORLD, MeasureRow, rows_of, to_table
from massm.evaluate.truth import TrueSubject, read_subjects
from massm.io import images, tensors
from massm.io.errors import DataError
from massm.io.shapes import refuse_other_shapes
from massm.io.tables import write_table
from massm.reconstruct.from_particles import load_warp
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_MEANS = dict.fromkeys(("mean_local", "mean_world"), "K M 3")  # of the template's arrays


class Owed(NamedTuple):
    """What a model owes for an anatomy that it missed.

    Attributes:
        heads: Of the long table.
        has_particles: Whether the model predicts particles in the image.
    """

    heads: frozenset[str]
    has_particles: bool


@dataclass(frozen=True)
class MissedJob:
    """What is needed to measure one subject's missed anatomies.

    Attributes:
        subject: The truth.
        missed: The models that missed an anatomy, each with what this costs it.
        shapes: The mean shape of each anatomy, around the origin and in the population's frame.
        references: Folder of this subject's surfaces from true particles.
        config: What to measure.
    """

    subject: TrueSubject
    missed: Mapping[str, Mapping[str, Owed]]
    shapes: Mapping[str, tuple[MeanShape, MeanShape]]
    references: Path
    config: SurfaceMeasuresConfig


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: SurfaceMeasuresConfig,
    *,
    models: list[str],
    anatomies: list[str],
    cohort: Path,
    groomed: list[Path],
    particles: list[Path],
    predictions: list[Path],
    template: Path,
    warps: list[Path],
    references: Path,
    results: Path,
    table: Path,
    threads: int = 1,
) -> None:
    """Measure every anatomy that is there and that some model missed, and write the long table.

    Args:
        config: What to measure.
        models: Names of the models.
        anatomies: In the order of the template.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy.
        predictions: Folder ``predict/{model}`` of each model, in the order of ``models``.
        template: ``tensors/template.safetensors``, which holds the mean shapes.
        warps: ``reconstruct/warp/{anatomy}.npz``.
        references: Folder with ``{subject}/{anatomy}.vtp``: surfaces from true particles.
        results: Folder that the groomed surfaces' paths are relative to.
        table: CSV to write; without rows if no anatomy was missed.
        threads: Number of processes.
    """
    subjects = read_subjects(cohort, groomed, particles, results=results, splits=config.splits)
    shapes = _mean_shapes(anatomies, template, warps)
    folders = dict(zip(models, predictions, strict=True))
    jobs = [
        MissedJob(subject, missed, shapes, references / subject.name, config)
        for subject in subjects
        if (missed := _missed(subject, folders))
    ]
    rows = collect_rows(_measure, jobs, processes=threads, headline="surface_mean")
    write_table(to_table(rows), table)
    log.info("%d subjects have anatomies that a model missed", len(jobs))


def _mean_shapes(
    anatomies: list[str], template: Path, warps: list[Path]
) -> dict[str, tuple[MeanShape, MeanShape]]:
    held = tensors.load(template, list(_MEANS))
    refuse_other_shapes(held, _MEANS, template, "run the tensors stage again")
    means = zip(*(held[name].astype(float) for name in _MEANS), strict=True)
    library = {path.stem: load_warp(path) for path in warps}
    return {
        name: (
            MeanShape(local, library[name].surface(local)),
            MeanShape(world, library[name].surface(world)),
        )
        for name, (local, world) in zip(anatomies, means, strict=True)
    }


def _missed(subject: TrueSubject, folders: Mapping[str, Path]) -> dict[str, dict[str, Owed]]:
    missed: dict[str, dict[str, Owed]] = {}
    if not subject.present:
        return missed
    for model, folder in folders.items():
        prediction = read_prediction(folder / f"{subject.name}.npz")
        owed = Owed(heads_of(prediction), prediction.local is not None)
        for anatomy in subject.present:
            if owed.heads and not prediction.is_present(anatomy.name):
                missed.setdefault(anatomy.name, {})[model] = owed
    return missed


def _measure(job: MissedJob) -> list[MeasureRow]:
    subject = job.subject
    if subject.image is None:
        raise DataError(
            f"{subject.name}: {', '.join(job.missed)} was missed, but the cohort names no image in "
            "whose center the mean shape would lie"
        )
    center = image_center(images.read_scan(subject.image).volume)
    rows: list[MeasureRow] = []
    for anatomy in subject.present:
        models = job.missed.get(anatomy.name, {})
        if not models:
            continue
        local, world = job.shapes[anatomy.name]
        reference = read_reference(job.references, anatomy)
        costs = missed_measures(anatomy, local.at(center), world, reference, job.config)
        for model, owed in models.items():
            for head in sorted(owed.heads):
                named = (model, head, subject.name, anatomy.name, subject.split)
                frame = frame_of(head)
                has_particles = owed.has_particles or frame == WORLD
                rows += rows_of(*named, costs_of(costs, frame, has_particles=has_particles))
    return rows


if __name__ == "__main__":
    stage_main(run)
