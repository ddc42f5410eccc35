"""Spreadsheets (``.xlsx``) as text, up to a size that a project has."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from massm.io.damage import named
from massm.io.errors import DataError

# A zip of some kilobytes can unpack to gigabytes; projects of thousands of subjects stay far below.
MOST_BYTES = 128 * 2**20
MOST_ROWS = 100_000
MOST_COLUMNS = 1_000

_WHAT, _ADVICE = "not a spreadsheet", "save it anew as .xlsx"


def read_sheets(path: Path) -> dict[str, list[list[str]]]:
    """Read the cells of each sheet as text, row by row; an empty cell is an empty text.

    Raises:
        DataError: If the file is damaged, no spreadsheet, or larger than any project.
    """
    import openpyxl  # a tenth of what every stage takes to start, and few tables are spreadsheets
    from openpyxl.utils.exceptions import InvalidFileException

    with named(path, _WHAT, _ADVICE):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        _refuse_beyond(path, unpacked, MOST_BYTES, "bytes unpacked")
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except InvalidFileException as error:
            raise DataError(f"{path}: {_WHAT} ({error}); {_ADVICE}") from error
        try:
            return {sheet.title: list(_rows(sheet, path)) for sheet in book.worksheets}
        finally:
            book.close()


def _rows(sheet: Any, path: Path) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        _refuse_beyond(path, number, MOST_ROWS, f"rows in sheet {sheet.title}")
        _refuse_beyond(path, len(row), MOST_COLUMNS, f"columns in sheet {sheet.title}")
        yield ["" if value is None else str(value) for value in row]


def _refuse_beyond(path: Path, found: int, most: int, what: str) -> None:
    if found > most:
        raise DataError(
            f"{path}: {found} {what}, expected a ShapeWorks project with at most {most}; remove "
            "what does not belong to it"
        )
