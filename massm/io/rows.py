"""Rows of separated text, each with as many fields as there are columns."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from massm.io.errors import DataError
from massm.io.text import read_text

SEPARATORS = {".tsv": "\t", ".csv": ","}
_HINT = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # Excel's own first line


@dataclass(frozen=True)
class Rows:
    """A table as text.

    Attributes:
        columns: Their names as written.
        lines: Line of the file in which each row begins, counted from 1.
        fields: The fields of each row, one for each column.
    """

    columns: list[str]
    lines: list[int]
    fields: list[list[str]]


def read_rows(path: Path) -> Rows:
    """Read a table; the separator (tab, comma, semicolon) is the one of its first line.

    Fields that are empty at the end of a row, behind the last column, are those of a separator at
    the line's end and are dropped, those of the header too. Rows without any content are no rows.

    Args:
        path: Text of any encoding that :func:`massm.io.text.read_text` knows.

    Raises:
        DataError: If it is no text or empty, if a row has more or fewer fields than there are
            columns, or if a quotation mark stands where none can; names the line.
    """
    text = read_text(path)
    hint = _HINT.match(text)
    if hint:
        text = "\n" * hint.group().count("\n") + text[hint.end() :]
    separator = hint[1] if hint else _separator(text, path)
    rows = ((line, row) for line, row in _parsed(text, separator, path) if any(map(str.strip, row)))
    _, header = next(rows, (0, []))
    columns = _without_end(header, 0)
    if not columns:
        raise DataError(f"{path}: not a readable table, it is empty; the first line names columns")
    fitted = [(line, _fitted(row, columns, f"{path}, line {line}")) for line, row in rows]
    return Rows(columns, [line for line, _ in fitted], [row for _, row in fitted])


def _separator(text: str, path: Path) -> str:
    """Find the separator that makes most of the header; by the file's ending if several do."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    usual = SEPARATORS.get(path.suffix.lower(), "\t")
    candidates = sorted(("\t", ";", ","), key=lambda one: one != usual)
    return max(candidates, key=lambda one: len(next(csv.reader([header], delimiter=one), [])))


def _parsed(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}, line {line}: not a readable table ({error}); a field that holds a "
                'quotation mark is written in quotation marks, with each one in it doubled: """a"""'
            ) from error
        yield line, fields


def _fitted(fields: list[str], columns: Sequence[str], where: str) -> list[str]:
    fields = _without_end(fields, len(columns))
    if len(fields) == len(columns):
        return fields
    if fields[0].startswith("#") or columns[0].startswith("#"):
        what = f"{where}: {' '.join(fields)!r} below the columns {' '.join(columns)!r}"
        raise DataError(f"{what}; lines of comments (#) are not left out here, remove them")
    raise DataError(
        f"{where}: {len(fields)} fields, expected {len(columns)}, one for each column "
        f"({', '.join(columns)}); leave fields empty but keep their separators, and put fields "
        f"that hold a separator into quotation marks; found {' | '.join(fields)}"
    )


def _without_end(fields: list[str], least: int) -> list[str]:
    """Drop empty fields at the end, down to a number of fields."""
    end = len(fields)
    while end > least and not fields[end - 1].strip():
        end -= 1
    return fields[:end]
