"""Measure the masks of a batch of subjects and the images around them."""

import logging
from pathlib import Path

from massm.audit.files import MeasuredMask, write_measures
from massm.audit.reading import measure_subject
from massm.io.cohort import AnatomyRecord, read_cohort
from massm.machine.processes import in_processes
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(*, cohort: Path, subjects: list[str], measures: Path, threads: int = 1) -> None:
    """Measure every mask of the subjects that is used, each image read once.

    Args:
        cohort: ``dataset/cohort.tsv``.
        subjects: The batch.
        measures: File to write; of a mask that cannot be read it holds the reason.
        threads: Processes.
    """
    rows: dict[str, list[AnatomyRecord]] = {subject: [] for subject in subjects}
    for row in read_cohort(cohort):
        if row.subject in rows and row.is_used:
            rows[row.subject].append(row)
    batches = [part for part in rows.values() if part]
    found: dict[str, list[MeasuredMask]] = {}
    work = in_processes(measure_subject, batches, workers=threads, name=_name)
    for part, measured in work:
        found[part[0].subject] = measured
        log.info("%d/%d %s: %d masks", len(found), len(batches), part[0].subject, len(measured))
        for one in measured:
            if one.fault:
                log.warning("%s %s cannot be read: %s", one.subject, one.anatomy, one.fault)
    write_measures([one for part in batches for one in found[part[0].subject]], measures)


def _name(rows: list[AnatomyRecord]) -> str:
    return rows[0].subject


if __name__ == "__main__":
    stage_main(run)
