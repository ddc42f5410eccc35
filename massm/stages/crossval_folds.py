"""Draw the folds of a cross-validation."""

import logging
from collections import Counter
from pathlib import Path

from massm.config.crossval import CrossvalConfig
from massm.dataset.folds import draw_folds
from massm.io.cohort import read_cohort, read_subject_table
from massm.io.crossval import write_folds
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(config: CrossvalConfig, *, subjects: Path, cohort: Path, folds: Path) -> None:
    """Write the fold of each training and validation subject.

    Args:
        config: Number of folds, and what draws them.
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.
        folds: Table to write.

    Raises:
        DataError: If there are fewer subjects than folds.
    """
    drawn = draw_folds(read_subject_table(subjects), read_cohort(cohort), config.folds, config.seed)
    write_folds(drawn, folds)
    sizes = Counter(record.fold for record in drawn)
    log.info(
        "%d subjects in folds of %s", len(drawn), ", ".join(str(sizes[n]) for n in sorted(sizes))
    )


if __name__ == "__main__":
    stage_main(run)
