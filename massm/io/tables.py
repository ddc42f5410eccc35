"""Tables: tab-separated (``.tsv``) or comma-separated (``.csv``) text."""

from pathlib import Path

import pandas as pd

from massm.io.atomic import replacing
from massm.io.errors import DataError

# Columns of names: "0012", "NA" and an empty cell stay the text that they are.
_TEXT = (
    *("subject", "anatomy", "split", "status", "reason", "note"),
    *("image", "mask", "label", "surface"),
    *("model", "head", "measure", "reference", "image_id"),
)
_MISSING = ["", "nan", "NaN", "NA"]


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; names are text, also where they look like numbers.

    A ``.csv`` may be separated by semicolons, as public tables often are.

    Raises:
        DataError: If the file is empty or not a table.
    """
    try:
        separator = _found_separator(path)
        columns = pd.read_csv(path, sep=separator, nrows=0).columns
        return pd.read_csv(
            path,
            sep=separator,
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


def _found_separator(path: Path) -> str:
    separator = _separator(path)
    if separator == ",":
        with Path(path).open(encoding="utf-8") as file:
            header = file.readline()
        if header.count(";") > header.count(","):
            return ";"
    return separator


def _separator(path: Path) -> str:
    separators = {".tsv": "\t", ".csv": ","}
    suffix = Path(path).suffix.lower()
    if suffix not in separators:
        raise DataError(f"{path}: a table ends in .tsv or .csv, not {suffix!r}")
    return separators[suffix]
