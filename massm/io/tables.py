"""Tables: tab-separated (``.tsv``) or comma-separated (``.csv``) text."""

from pathlib import Path

import pandas as pd

from massm.io.atomic import replacing
from massm.io.errors import DataError

# Columns of names: "0012", "NA" and an empty cell stay the text that they are.
_TEXT = (
    *("subject", "anatomy", "split", "status", "reason", "image", "mask", "label", "surface"),
    *("model", "head", "measure", "reference"),
)
_MISSING = ["", "nan", "NaN", "NA"]


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; names are text, also where they look like numbers.

    Raises:
        DataError: If the file is empty or not a table.
    """
    try:
        columns = pd.read_csv(path, sep=_separator(path), nrows=0).columns
        return pd.read_csv(
            path,
            sep=_separator(path),
            dtype=dict.fromkeys(_TEXT, object),
            keep_default_na=False,
            na_values={name: _MISSING for name in columns if name not in _TEXT},
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a readable table ({error})") from error


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, whole or not at all."""
    with replacing(Path(path)) as temporary:
        table.to_csv(temporary, sep=_separator(path), index=False, lineterminator="\n")


def _separator(path: Path) -> str:
    separators = {".tsv": "\t", ".csv": ","}
    suffix = Path(path).suffix.lower()
    if suffix not in separators:
        raise DataError(f"{path}: a table ends in .tsv or .csv, not {suffix!r}")
    return separators[suffix]
