"""Join one table of measures of all folds."""

from pathlib import Path

from massm.evaluate.out_of_fold import joined
from massm.io.tables import read_table, write_table
from massm.stages._command import stage_main


def run(*, folds: list[Path], table: Path) -> None:
    """Write the rows of all folds, with the number of the fold.

    Args:
        folds: A table of each fold, in their order.
        table: CSV to write.
    """
    write_table(joined([read_table(path) for path in folds]), table)


if __name__ == "__main__":
    stage_main(run)
