"""Tables whose rows have a type: a dataclass names the columns, and what may stand in each."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from massm.io.errors import DataError
from massm.io.rows import Rows, read_rows
from massm.io.tables import refuse_doubled, write_table

Record = TypeVar("Record")


def write_records(kind: type[Record], records: Sequence[Record], path: Path) -> None:
    """Write one row for each record, whole or not at all; None and nan are empty cells.

    Args:
        kind: Their class, whose fields are the columns; without records these are all there is.
        records: The rows.
        path: Table that ends in ``.tsv`` or ``.csv``.
    """
    columns = list(_fields(kind))
    rows = [[_cell(getattr(record, name)) for name in columns] for record in records]
    write_table(pd.DataFrame(rows, columns=columns, dtype=object), path)


def read_records(kind: type[Record], path: Path) -> list[Record]:
    """Read a table that :func:`write_records` wrote; other columns are not looked at.

    An empty cell is the default of its field, if that has one.

    Raises:
        DataError: If the table cannot be read, lacks a column, or holds something else than its
            class says; names line and column.
    """
    path = Path(path)
    rows = read_rows(path)
    refuse_doubled(rows.columns, path)
    known = _fields(kind)
    missing = [name for name in known if name not in rows.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}, found {', '.join(rows.columns)}; it is of an "
            "older version of massm: run the stage that writes it again"
        )
    values = [_given(dict(zip(rows.columns, row, strict=True)), known) for row in rows.fields]
    try:
        return TypeAdapter(list[kind]).validate_python(values)  # type: ignore[valid-type]
    except ValidationError as error:
        raise DataError(_first_fault(error, rows, path)) from error


def _fields(kind: type) -> dict[str, Field[Any]]:
    return {field.name: field for field in fields(kind)}


def _cell(value: object) -> object:
    if value is None:
        return ""
    return str(value) if isinstance(value, Path) else value


def _given(row: dict[str, str], known: dict[str, Field[Any]]) -> dict[str, str]:
    return {
        name: row[name]
        for name, field in known.items()
        if row[name] != "" or field.default is MISSING
    }


def _first_fault(error: ValidationError, rows: Rows, path: Path) -> str:
    fault = error.errors()[0]
    place, column = int(fault["loc"][0]), fault["loc"][1]
    where = f"{path}, line {rows.lines[place]}, column {column}"
    return f"{where}: {fault['input']!r} ({fault['msg']}); run the stage that writes it again"
