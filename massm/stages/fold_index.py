"""List what the models of one fold say of the subjects that were left out."""

import hashlib
from os.path import relpath
from pathlib import Path

from massm.io.crossval import OutOfFoldRecord, write_out_of_fold
from massm.io.fingerprint import digest
from massm.stages._command import stage_main


def run(
    *,
    number: int,
    models: list[str],
    predicted: list[Path],
    measured: list[Path],
    of: Path,
    index: Path,
) -> None:
    """Write a row for each model and subject.

    Args:
        number: The fold, from 1.
        models: Names of the models.
        predicted: Folder of the predictions of each.
        measured: All tables of measures: the index is another when one of them is.
        of: Results folder of the whole run, from which the files are named.
        index: Table to write.
    """
    told = "".join(digest(path) for path in measured)
    state = hashlib.sha256(told.encode()).hexdigest()
    records = [
        OutOfFoldRecord(model, file.stem, number, Path(relpath(file, of)), digest(file), state)
        for model, folder in zip(models, predicted, strict=True)
        for file in sorted(folder.glob("*.npz"))
    ]
    write_out_of_fold(records, index)


if __name__ == "__main__":
    stage_main(run)
