"""Measure one model's surfaces and particles in image space, subject by subject."""

from pathlib import Path

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.jobs import SubjectJob, collect_rows, subject_jobs
from massm.evaluate.outcomes import local_measures, read_closed
from massm.evaluate.prediction import heads_of, read_prediction
from massm.evaluate.rows import LOCAL, MeasureRow, to_table
from massm.evaluate.truth import read_subjects
from massm.io.tables import write_table
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
    """Measure every anatomy that is there and was found, and write the long table.

    Args:
        config: What to measure.
        model: Name of the model, for the table.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy.
        predictions: Folder with ``{subject}.npz``.
        surfaces: Folder with ``{subject}/{anatomy}.vtp``: the model's surfaces; beside them those
            of all that was segmented, ``{anatomy}-raw.vtp``, if it segments.
        references: The same for the surfaces from true particles.
        results: Folder that the groomed surfaces' paths are relative to.
        table: CSV to write.
        threads: Number of processes.

    Raises:
        DataError: If the surface of an anatomy that was found is missing or not closed.
    """
    subjects = read_subjects(cohort, groomed, particles, results=results, splits=config.splits)
    jobs = subject_jobs(
        *(model, subjects, config),
        predictions=predictions,
        surfaces=surfaces,
        references=references,
    )
    rows = collect_rows(_measure, jobs, processes=threads, headline="surface_mean")
    write_table(to_table(rows), table)


def _measure(job: SubjectJob) -> list[MeasureRow]:
    prediction = read_prediction(job.prediction)
    if LOCAL not in heads_of(prediction):
        return []
    rows: list[MeasureRow] = []
    for anatomy in job.found(prediction):
        surface = read_closed(job.surfaces / f"{anatomy.name}.vtp")
        particles = prediction.local_of(anatomy.name)
        raw = job.surfaces / f"{anatomy.name}-raw.vtp"
        measures = local_measures(
            *(anatomy, particles, surface, job.reference(anatomy), job.config),
            raw=read_closed(raw) if raw.is_file() else None,
        )
        rows += job.rows(LOCAL, anatomy, measures)
    return rows


if __name__ == "__main__":
    stage_main(run)
