"""The tables of a cross-validation, typed: each subject's fold and its out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from massm.io.records import read_records, write_records


@dataclass(frozen=True)
class FoldRecord:
    """A row of ``crossval/folds.tsv``: the fold of one subject.

    Attributes:
        subject: Its name.
        split: train or validation.
        fold: Number of the fold that it is left out with, from 1.
    """

    subject: str
    split: str
    fold: int


@dataclass(frozen=True)
class OutOfFoldRecord:
    """A row of ``crossval/predictions.tsv``: one subject, predicted by one model.

    Attributes:
        model: Name of the model.
        subject: Name of the subject.
        fold: The fold that it is in, from 1.
        prediction: File of the prediction, from the results folder on.
        sha256: Hash of it.
        measured: Hash of all that was measured of the fold.
    """

    model: str
    subject: str
    fold: int
    prediction: Path
    sha256: str
    measured: str


def read_folds(path: Path) -> list[FoldRecord]:
    """Read ``crossval/folds.tsv``.

    Raises:
        DataError: See :func:`massm.io.records.read_records`.
    """
    return read_records(FoldRecord, path)


def write_folds(records: Sequence[FoldRecord], path: Path) -> None:
    """Write ``crossval/folds.tsv``."""
    write_records(FoldRecord, records, path)


def read_out_of_fold(path: Path) -> list[OutOfFoldRecord]:
    """Read ``crossval/predictions.tsv``, or what one fold adds to it.

    Raises:
        DataError: See :func:`massm.io.records.read_records`.
    """
    return read_records(OutOfFoldRecord, path)


def write_out_of_fold(records: Sequence[OutOfFoldRecord], path: Path) -> None:
    """Write the table."""
    write_records(OutOfFoldRecord, records, path)
