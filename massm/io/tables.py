"""Tables: tab-separated (``.tsv``) or comma-separated (``.csv``) text; people's spreadsheets."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.rows import SEPARATORS, Rows, read_rows
from massm.io.spreadsheets import read_sheets

# Columns of names: "0012", "NA" and an empty cell stay the text that they are.
_TEXT = (
    *("subject", "anatomy", "split", "status", "reason", "note"),
    *("image", "mask", "label", "source", "surface"),
    *("model", "head", "measure", "reference", "image_id"),
    *("model_a", "head_a", "model_b", "head_b", "claim", "verdict", "scope", "counting"),
)
# Blanks, also those that are not seen: of no width, byte-order marks, marks of direction.
_BLANK = r"[\s\u200b-\u200f\u2060\ufeff]+"
_AROUND = re.compile(rf"^{_BLANK}|{_BLANK}$")
_MISSING = ["", "nan", "NaN", "NA"]


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that a stage wrote; names are text, also where they look like numbers.

    Raises:
        DataError: If the file is empty, not a table, or has a row of another length.
    """
    path = Path(path)
    rows = read_rows(path)
    refuse_doubled(rows.columns, path)
    with named(path, "not a readable table", "run its stage again"):
        return pd.read_csv(
            _as_csv(rows),
            index_col=False,
            dtype=dict.fromkeys(_TEXT, object),
            keep_default_na=False,
            na_values={name: _MISSING for name in rows.columns if name not in _TEXT},
        )


def read_texts(path: Path) -> pd.DataFrame:
    """Read a table that people made: every field as the text it is, without blanks around it.

    Returns:
        Columns in lower case; the index is the line of the file in which a row begins.

    Raises:
        DataError: If the file is empty, not a table, has a row of another length, or two columns
            of one name (upper and lower case are one).
    """
    path = Path(path)
    rows = read_rows(path)
    columns = [_AROUND.sub("", name).lower() for name in rows.columns]
    refuse_doubled(columns, path)
    fields = [[_AROUND.sub("", field) for field in row] for row in rows.fields]
    index = pd.Index(rows.lines, name="line", dtype=int)
    return pd.DataFrame(fields, columns=columns, index=index, dtype=object)


def read_sheet(path: Path) -> pd.DataFrame:
    """Read the one sheet of a spreadsheet (``.xlsx``) that people made, as :func:`read_texts`.

    Raises:
        DataError: If it is damaged, holds several sheets that are not empty, or two columns of one
            name.
    """
    path = Path(path)
    sheets = {name: rows for name, rows in read_sheets(path).items() if any(map(any, rows))}
    if len(sheets) != 1:
        names = ", ".join(sheets) or "none"
        raise DataError(
            f"{path}: expected one sheet with rows, found {names}; keep the table alone"
        )
    lines = [
        (number, [_AROUND.sub("", field) for field in row])
        for number, row in enumerate(next(iter(sheets.values())), start=1)
        if any(row)
    ]
    (_, head), body = lines[0], lines[1:]
    columns = [name.lower() for name in head if name]
    refuse_doubled(columns, path)
    width = len(head)
    fields = [
        [field for field, name in zip(row + [""] * width, head, strict=False) if name]
        for _, row in body
    ]
    index = pd.Index([number for number, _ in body], name="line", dtype=int)
    return pd.DataFrame(fields, columns=columns, index=index, dtype=object)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, whole or not at all."""
    suffix = Path(path).suffix.lower()
    if suffix not in SEPARATORS:
        raise DataError(f"{path}: a table ends in .tsv or .csv, not {suffix!r}")
    with replacing(Path(path)) as temporary:
        table.to_csv(temporary, sep=SEPARATORS[suffix], index=False, lineterminator="\n")


def _as_csv(rows: Rows) -> io.StringIO:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows([rows.columns, *rows.fields])
    buffer.seek(0)
    return buffer


def refuse_doubled(columns: Sequence[str], path: Path) -> None:
    """Refuse a table in which two columns have one name.

    Raises:
        DataError: Naming them.
    """
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    if twice:
        raise DataError(f"{path}: two columns are called {', '.join(twice)}; rename or remove one")
