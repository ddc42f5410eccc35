"""The long table that all measures go to."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

LOCAL, DETECTION = "local", "detection"  # other heads are world heads
WORLD = "world"  # the frame of all of these


class MeasureRow(NamedTuple):
    """One measure of one anatomy of one subject; the fields are the table's columns.

    Attributes:
        model: Name of the model.
        head: What of its prediction was measured.
        subject: Name of the subject.
        anatomy: Name of the anatomy.
        split: The subject's.
        measure: Name of the measure.
        value: In the unit of :mod:`massm.evaluate.measures`.
    """

    model: str
    head: str
    subject: str
    anatomy: str
    split: str
    measure: str
    value: float


COLUMNS = list(MeasureRow._fields)


def rows_of(
    model: str, head: str, subject: str, anatomy: str, split: str, measures: Mapping[str, float]
) -> list[MeasureRow]:
    """Write the measures of one anatomy as rows."""
    return [
        MeasureRow(model, head, subject, anatomy, split, name, value)
        for name, value in measures.items()
    ]


def to_table(rows: Iterable[MeasureRow]) -> pd.DataFrame:
    """Make the long table."""
    return pd.DataFrame(rows, columns=COLUMNS)
