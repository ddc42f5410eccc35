"""Take the cohort of a run that leaves a fold out from that of the whole run."""

import logging
from pathlib import Path

from massm.dataset.folds import LEFT_OUT, without_fold
from massm.io.cohort import (
    read_cohort,
    read_subject_table,
    write_cohort,
    write_subject_table,
)
from massm.io.crossval import read_folds
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    *,
    number: int,
    folds: Path,
    whole_subjects: Path,
    whole_cohort: Path,
    subjects: Path,
    cohort: Path,
) -> None:
    """Write the tables of subjects and of subjects x anatomies; the fold is the test split.

    Args:
        number: The fold, from 1.
        folds: ``crossval/folds.tsv``.
        whole_subjects: ``dataset/subjects.tsv`` of the whole run.
        whole_cohort: ``dataset/cohort.tsv`` of the whole run.
        subjects: Table to write.
        cohort: Table to write.
    """
    drawn = read_folds(folds)
    kept = without_fold(read_subject_table(whole_subjects), drawn, number)
    write_subject_table(kept, subjects)
    write_cohort(without_fold(read_cohort(whole_cohort), drawn, number), cohort)
    left = sum(record.split == LEFT_OUT for record in kept)
    log.info("fold %d: %d subjects are left out, %d are kept", number, left, len(kept) - left)


if __name__ == "__main__":
    stage_main(run)
