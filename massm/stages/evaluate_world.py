"""Measure one model's particles and surfaces in the population's aligned frame."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.jobs import SubjectJob, collect_rows, subject_jobs
from massm.evaluate.outcomes import WorldTruth, read_closed, world_measures
from massm.evaluate.particles import span_measures
from massm.evaluate.prediction import read_prediction
from massm.evaluate.rows import MeasureRow, to_table
from massm.evaluate.truth import read_subjects
from massm.io.particles import load_set
from massm.io.tables import write_table
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.stages._command import stage_main


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: SurfaceMeasuresConfig,
    *,
    model: str,
    cohort: Path,
    groomed: list[Path],
    particles: list[Path],
    predictions: Path,
    surfaces: Path,
    references: Path,
    results: Path,
    table: Path,
    threads: int = 1,
) -> None:
    """Measure every world head on every anatomy that is there, was found and has true particles.

    Args:
        config: What to measure.
        model: Name of the model, for the table.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy.
        predictions: Folder with ``{subject}.npz``.
        surfaces: Folder with ``{subject}/{anatomy}-world_{head}.vtp``: the model's surfaces.
        references: Folder with ``{subject}/{anatomy}.vtp``: surfaces from true particles, in the
            image frame.
        results: Folder that the groomed surfaces' paths are relative to.
        table: CSV to write; it has no rows for a model without a world head.
        threads: Number of processes.
    """
    subjects = read_subjects(cohort, groomed, particles, results=results, splits=config.splits)
    jobs = subject_jobs(
        *(model, subjects, config),
        predictions=predictions,
        surfaces=surfaces,
        references=references,
    )
    measure = partial(_measure, _shape_models(particles))
    rows = collect_rows(measure, jobs, processes=threads, headline="particle_euclidean")
    write_table(to_table(rows), table)


def _shape_models(particles: list[Path]) -> dict[str, ShapeModel]:
    """Make the shape models of the training split, of anatomies that two of its subjects have."""
    trained = {path.stem: load_set(path).of_split("train") for path in particles}
    return {
        name: fit_shape_model(found.world)
        for name, found in trained.items()
        if len(found.subjects) > 1
    }


def _measure(models: Mapping[str, ShapeModel], job: SubjectJob) -> list[MeasureRow]:
    prediction = read_prediction(job.prediction)
    rows: list[MeasureRow] = []
    for anatomy in job.found(prediction):
        reference = job.reference(anatomy)
        if reference is None:
            continue  # its world frame is unknown
        truth = WorldTruth.of(anatomy, reference, job.config)
        for head, particles in prediction.world_of(anatomy.name).items():
            surface = read_closed(job.surfaces / f"{anatomy.name}-world_{head}.vtp")
            measures = world_measures(truth, particles, surface, job.config)
            if anatomy.name in models:
                measures |= span_measures(particles, models[anatomy.name])
            rows += job.rows(head, anatomy, measures)
    return rows


if __name__ == "__main__":
    stage_main(run)
