"""The long table that all measures go to."""

from collections.abc import Iterable, Mapping

import pandas as pd

COLUMNS = ["model", "head", "subject", "anatomy", "split", "measure", "value"]
LOCAL, DETECTION = "local", "detection"  # other heads are world heads
WORLD = "world"  # the frame of all of these

Row = tuple[str, str, str, str, str, str, float]


def rows_of(
    model: str, head: str, subject: str, anatomy: str, split: str, measures: Mapping[str, float]
) -> list[Row]:
    """Write the measures of one organ as rows."""
    return [(model, head, subject, anatomy, split, name, value) for name, value in measures.items()]


def to_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Make the long table."""
    return pd.DataFrame(rows, columns=COLUMNS)
