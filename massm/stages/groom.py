"""Groom a batch of subjects: masks or meshes in, clean closed surfaces and a table out."""

import logging
import os
from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd

from massm.config.groom import SurfaceConfig
from massm.groom.batch import Outcome, Task, groom_all
from massm.io.fingerprint import digest
from massm.io.tables import read_table, write_table
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
    """Groom every used organ of the subjects.

    Args:
        config: How to groom.
        cohort: ``dataset/cohort.tsv``.
        subjects: The batch.
        results: Results folder; surfaces go to ``groom/surfaces/{subject}/{anatomy}.vtp``.
        index: Table of the batch: one row for each organ, with the reason where it failed. It
            changes when a surface does, since it holds the hash of each.
        threads: Processes.
    """
    table = read_table(cohort)
    rows = table[table.subject.isin(subjects) & (table.status == "used")]
    splits = dict(zip(rows.subject, rows.split, strict=True))
    tasks = [_task(row, results) for row in rows.to_dict("records")]

    outcomes: list[Outcome] = []
    for outcome in groom_all(tasks, config, workers=threads):
        outcomes.append(outcome)
        _report(outcome, f"{len(outcomes)}/{len(tasks)}")
    order = {(task.subject, task.anatomy): place for place, task in enumerate(tasks)}
    outcomes.sort(key=lambda outcome: order[outcome.task.subject, outcome.task.anatomy])
    records = [_record(outcome, splits[outcome.task.subject], results) for outcome in outcomes]
    write_table(pd.DataFrame(records, columns=_COLUMNS), index)


_COLUMNS = ["subject", "anatomy", "split", "status", "reason", "surface"]
_COLUMNS += ["volume_ml", "mask_volume_ml", "faces", "surface_error_mm"]
_COLUMNS += ["surface_error_p95_mm", "genus", "sha256"]


def _task(row: Mapping[Hashable, str], results: Path) -> Task:
    surface = results / "groom" / "surfaces" / row["subject"] / f"{row['anatomy']}.vtp"
    label = int(row["label"]) if row["label"] else None
    return Task(row["subject"], row["anatomy"], Path(row["mask"]), label, surface)


def _report(outcome: Outcome, done: str) -> None:
    name = outcome.task.name
    if outcome.reason:
        log.warning("%s %s failed: %s", done, name, outcome.reason)
        return
    log.info(
        "%s %s: %.1f ml, %.2f mm from the mask, %d faces, %.1f s",
        *(done, name, outcome.volume_ml, outcome.error_mm, outcome.faces, outcome.seconds),
    )


def _record(outcome: Outcome, split: str, results: Path) -> dict[str, object]:
    task = outcome.task
    return {
        "subject": task.subject,
        "anatomy": task.anatomy,
        "split": split,
        "status": "failed" if outcome.reason else "groomed",
        "reason": outcome.reason,
        "surface": "" if outcome.reason else os.path.relpath(task.surface, results),
        "volume_ml": round(outcome.volume_ml, 4),
        "mask_volume_ml": round(outcome.mask_volume_ml, 4),
        "faces": outcome.faces,
        "surface_error_mm": round(outcome.error_mm, 4),
        "surface_error_p95_mm": round(outcome.error_p95_mm, 4),
        "genus": outcome.genus,
        "sha256": "" if outcome.reason else digest(task.surface),
    }


if __name__ == "__main__":
    stage_main(run)
