"""Find the cohort, check every image and mask, decide the split."""

import logging
import time
from collections import Counter
from functools import partial
from pathlib import Path

from massm.config.dataset import SurveyConfig
from massm.dataset.checks import check_subject
from massm.dataset.cohort import CheckedSubject
from massm.dataset.layouts import LAYOUTS
from massm.dataset.splits import refuse_unreadable
from massm.dataset.survey import tabulate
from massm.io.cohort import write_cohort, write_subject_table
from massm.io.errors import DataError
from massm.machine.processes import in_processes
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: SurveyConfig,
    *,
    anatomies: list[str],
    subjects: Path,
    cohort: Path,
    hole_mm: float | None = None,
    threads: int = 1,
) -> None:
    """Write the tables of subjects and of subjects x anatomies, however little is usable.

    Args:
        config: Section ``dataset``.
        anatomies: What to look for.
        subjects: Table to write, one row per subject.
        cohort: Table to write, one row per subject and anatomy.
        hole_mm: ``groom.surface.hole_mm``, the widest hole of a mesh that grooming closes; left
            out, grooming alone judges holes.
        threads: Number of processes.

    Raises:
        DataError: If there is no cohort, or if the split that it gives cannot be honored.
    """
    if config.root is None:
        raise DataError(
            "dataset.root is not set: name the folder of your TotalSegmentator v1 data "
            "(--config dataset='{root: /data/Totalsegmentator_dataset}') or see a finished run on "
            "synthetic data with `make demo`"
        )
    found = LAYOUTS[config.layout](config.root, anatomies)
    log.info("%d subjects in %s", len(found), config.root)
    refuse_unreadable({subject.name: subject.split for subject in found})
    checked = []
    start = time.monotonic()
    check = partial(check_subject, config, hole_mm=hole_mm)
    for _, entry in in_processes(check, found, workers=threads, name=lambda one: one.name):
        checked.append(entry)
        log.info("%d/%d %s, %.0f s", len(checked), len(found), _describe(entry), _since(start))
    checked.sort(key=lambda entry: entry.subject.name)
    subject_rows, rows = tabulate(config, checked)
    write_subject_table(subject_rows, subjects)
    write_cohort(rows, cohort)
    for anatomy in anatomies:
        counts = Counter(row.status for row in rows if row.anatomy == anatomy)
        log.info("%s: %s", anatomy, dict(counts.most_common()))


def _describe(entry: CheckedSubject) -> str:
    note = f" (note: {entry.note})" if entry.note else ""
    if entry.fault:
        return f"{entry.subject.name} excluded: {entry.fault}{note}"
    used = sum(one.status == "used" for one in entry.anatomies)
    text = f"{entry.subject.name} {used} of {len(entry.anatomies)} anatomies{note}"
    others = [
        f"{one.found.name} {one.status}: {one.reason}"
        for one in entry.anatomies
        if one.status != "used"
    ]
    notes = [f"{one.found.name}, note: {one.note}" for one in entry.anatomies if one.note]
    return "; ".join([text, *others, *notes])


def _since(start: float) -> float:
    return time.monotonic() - start


if __name__ == "__main__":
    stage_main(run)
