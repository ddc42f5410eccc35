"""Groom a batch of subjects: masks or meshes in, clean closed surfaces and a table out."""

import logging
import os
from pathlib import Path

from massm.config.groom import SurfaceConfig
from massm.groom.batch import GroomOutcome, GroomTask, groom_all
from massm.io.cohort import AnatomyRecord, GroomRecord, read_cohort, write_groomed
from massm.io.fingerprint import digest
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: SurfaceConfig,
    *,
    cohort: Path,
    subjects: list[str],
    results: Path,
    index: Path,
    threads: int = 1,
) -> None:
    """Groom every anatomy of the subjects that is used.

    Args:
        config: How to groom.
        cohort: ``dataset/cohort.tsv``.
        subjects: The batch.
        results: Results folder; surfaces go to ``groom/surfaces/{subject}/{anatomy}.vtp``.
        index: Table of the batch: a row for each anatomy of each subject, with the reason where it
            failed. It changes when a surface does, since it holds the hash of each.
        threads: Processes.
    """
    batch = set(subjects)
    rows = [row for row in read_cohort(cohort) if row.subject in batch and row.is_used]
    splits = {row.subject: row.split for row in rows}
    tasks = [_task(row, results) for row in rows]

    outcomes: list[GroomOutcome] = []
    for outcome in groom_all(tasks, config, workers=threads):
        outcomes.append(outcome)
        _report(outcome, f"{len(outcomes)}/{len(tasks)}")
    order = {(task.subject, task.anatomy): place for place, task in enumerate(tasks)}
    outcomes.sort(key=lambda outcome: order[outcome.task.subject, outcome.task.anatomy])
    records = [_record(outcome, splits[outcome.task.subject], results) for outcome in outcomes]
    write_groomed(records, index)


def _task(row: AnatomyRecord, results: Path) -> GroomTask:
    surface = results / "groom" / "surfaces" / row.subject / f"{row.anatomy}.vtp"
    return GroomTask(row.subject, row.anatomy, row.file, surface)


def _report(outcome: GroomOutcome, done: str) -> None:
    name = outcome.task.name
    if outcome.reason:
        log.warning("%s %s failed: %s", done, name, outcome.reason)
        return
    log.info(
        "%s %s: %.1f ml, %.2f mm from the mask, %d faces, %.1f s",
        *(done, name, outcome.volume_ml, outcome.error_mm, outcome.faces, outcome.seconds),
    )


def _record(outcome: GroomOutcome, split: str, results: Path) -> GroomRecord:
    task = outcome.task
    if outcome.reason:
        return GroomRecord(task.subject, task.anatomy, split, "failed", outcome.reason)
    return GroomRecord(
        subject=task.subject,
        anatomy=task.anatomy,
        split=split,
        status="groomed",
        surface=Path(os.path.relpath(task.surface, results)),
        volume_ml=round(outcome.volume_ml, 4),
        mask_volume_ml=round(outcome.mask_volume_ml, 4),
        faces=outcome.faces,
        surface_error_mm=round(outcome.error_mm, 4),
        surface_error_p95_mm=round(outcome.error_p95_mm, 4),
        genus=outcome.genus,
        sha256=digest(task.surface),
    )


if __name__ == "__main__":
    stage_main(run)
