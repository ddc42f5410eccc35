"""Stop where no shape models can be made from the cohort; its tables stay and tell why."""

import logging
from pathlib import Path

import pandas as pd

from massm.dataset.verdict import count_usable, refuse_if_useless
from massm.io.cohort import read_cohort, read_subject_table, write_counts
from massm.io.errors import DataError
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    *, min_train: int, anatomies: list[str], subjects: Path, cohort: Path, counts: Path
) -> None:
    """Write the table of counts, or stop.

    Args:
        min_train: ``dataset.min_train``.
        anatomies: Those that shape models are wanted of.
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.
        counts: Table to write: of each anatomy the usable ones by split, absent and excluded ones.

    Raises:
        DataError: If no shape models can be made; names the tables, which hold the reason for each
            subject and anatomy.
    """
    rows = read_cohort(cohort)
    try:
        refuse_if_useless(min_train, anatomies, read_subject_table(subjects), rows)
    except DataError as error:
        raise DataError(
            f"{error}\nThe reason for each subject and anatomy stands in {cohort}, for whole "
            f"subjects in {subjects}"
        ) from error
    found = count_usable(anatomies, rows)
    write_counts(found, counts)
    log.info("usable\n%s", pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    stage_main(run)
