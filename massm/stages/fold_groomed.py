"""Take groomed surfaces for a run that leaves a fold out: they are the whole run's."""

from contextlib import suppress
from os.path import relpath
from pathlib import Path

from massm.dataset.folds import without_fold
from massm.io.cohort import read_groomed, write_groomed
from massm.io.crossval import read_folds
from massm.stages._command import stage_main


def run(
    *,
    number: int,
    subjects: list[str],
    folds: Path,
    groomed: list[Path],
    of: Path,
    results: Path,
    index: Path,
) -> None:
    """Write the table of one batch; a link stands for the folder of surfaces, none is copied.

    Args:
        number: The fold, from 1.
        subjects: Those of the batch.
        folds: ``crossval/folds.tsv``.
        groomed: ``groom/index/*.tsv`` of the whole run.
        of: Results folder of the whole run.
        results: Results folder of the fold's run.
        index: Table to write.
    """
    link = results / "groom" / "surfaces"
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # another batch was first
        link.symlink_to(relpath(of / "groom" / "surfaces", link.parent), target_is_directory=True)
    wanted = set(subjects)
    records = without_fold(read_groomed(groomed), read_folds(folds), number)
    write_groomed([one for one in records if one.subject in wanted], index)


if __name__ == "__main__":
    stage_main(run)
