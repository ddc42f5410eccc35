"""ShapeWorks projects: ``.swproj`` (JSON) of today, ``.xlsx`` of old versions.

A project lists subjects (each a mapping of column to text) and, by section, parameters whose
values are all text. File names in a project are relative to the project file. Columns of one
domain carry its name as suffix: ``groomed_1``, ``local_particles_1``, ``alignment_1`` ...
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter
from jaxtyping import Float

from massm.io.atomic import replacing
from massm.io.documents import read_any_json
from massm.io.errors import DataError
from massm.io.paths import find_moved
from massm.io.spreadsheets import read_sheets

DOMAIN = "1"
_CREATED = datetime(1980, 1, 1)
_SECTIONS = ("groom", "optimize", "studio", "project", "analysis", "deepssm")


@dataclass(frozen=True)
class ShapeWorksProject:
    """Subjects and parameters of a ShapeWorks project.

    Attributes:
        subjects: One mapping of column name to text for each subject, in order; empty for one that
            the file holds no mapping for.
        parameters: Text values by section (``optimize``, ``groom``, ...) and key.
    """

    subjects: tuple[dict[str, str], ...]
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)


def write_project(project: ShapeWorksProject, path: Path) -> None:
    """Write a project, whole or not at all, in the format that its ending names.

    Raises:
        DataError: If the path ends neither in ``.swproj`` nor in ``.xlsx``.
    """
    writers = {".swproj": _write_json, ".xlsx": _write_spreadsheet}
    with replacing(path) as temporary:
        _by_suffix(writers, path)(project, temporary)


def read_project(path: Path) -> ShapeWorksProject:
    """Read a project.

    Raises:
        DataError: If the file is missing, damaged or lists no subjects.
    """
    readers = {".swproj": _read_json, ".xlsx": _read_spreadsheet}
    if not path.is_file():
        raise DataError(f"{path}: no such ShapeWorks project")
    project: ShapeWorksProject = _by_suffix(readers, path)(path)
    if not project.subjects:
        raise DataError(f"{path}: the project lists no subjects")
    return project


def relative_to_project(file: Path, project: Path) -> str:
    """Name a file as seen from a project file, with forward slashes."""
    return Path(os.path.relpath(file.resolve(), project.resolve().parent)).as_posix()


def subject_file(project: Path, subject: dict[str, str], column: str) -> Path | None:
    """Resolve a file of a subject; None where the column is empty or not there.

    Old versions leave the domain out of a column's name. Windows' separators are understood, and
    files that the project names by where it once lay are looked for below its folder.
    """
    name = subject.get(column) or subject.get(column.removesuffix(f"_{DOMAIN}")) or ""
    return find_moved(project.parent, name) if name else None


def transform_text(matrix: Float[np.ndarray, "4 4"]) -> str:
    """Write a matrix as ShapeWorks does: 16 numbers, row by row."""
    return " ".join(f"{value:.12g}" for value in matrix.ravel())


def transform_matrix(text: str) -> Float[np.ndarray, "4 4"]:
    """Read 16 numbers row by row, or the older 12: rotation row by row, then translation.

    Raises:
        DataError: If there are other than 12 or 16 finite numbers.
    """
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise DataError(f"not a transform of ShapeWorks: {text!r}") from error
    if numbers.size not in (12, 16) or not np.isfinite(numbers).all():
        raise DataError(f"a transform has 12 or 16 finite numbers, found {numbers.size}")
    if numbers.size == 16:
        return numbers.reshape(4, 4)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers[:9].reshape(3, 3)
    matrix[:3, 3] = numbers[9:]
    return matrix


def _by_suffix(table: dict[str, Any], path: Path) -> Any:
    if path.suffix.lower() not in table:
        raise DataError(f"{path}: a ShapeWorks project ends in {' or '.join(table)}")
    return table[path.suffix.lower()]


def _write_json(project: ShapeWorksProject, path: Path) -> None:
    document: dict[str, Any] = {"data": list(project.subjects)}
    document |= {name: project.parameters.get(name, {}) for name in _SECTIONS}
    document["landmarks"] = project.parameters.get("landmarks", [])  # a list, unlike the others
    path.write_text(json.dumps(document, indent=4) + "\n", encoding="utf-8")


def _read_json(path: Path) -> ShapeWorksProject:
    document = read_any_json(path, "not a ShapeWorks project", "save it in ShapeWorks anew")
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise DataError(
            f"{path}: not a ShapeWorks project, expected an object with a list `data` of subjects"
        )
    others = {name: value for name, value in document.items() if name != "data" and value}
    return ShapeWorksProject(tuple(map(_texts, rows)), others)


def _texts(row: Any) -> dict[str, str]:
    """Take the texts of a subject; null is an empty text, and what is no mapping has none."""
    if not isinstance(row, dict):
        return {}
    return {key: "" if value is None else str(value) for key, value in row.items()}


def _write_spreadsheet(project: ShapeWorksProject, path: Path) -> None:
    # Old versions cannot read the inline strings of openpyxl; XlsxWriter shares its strings.
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": _CREATED})
        columns = list(dict.fromkeys(key for subject in project.subjects for key in subject))
        rows = [[subject.get(key, "") for key in columns] for subject in project.subjects]
        _fill(book.add_worksheet("data"), [columns, *rows])
        for name in _SECTIONS:
            values = project.parameters.get(name, {})
            _fill(book.add_worksheet(name), [["key", "value"], *map(list, values.items())])


def _fill(sheet: Any, rows: Sequence[Sequence[Any]]) -> None:
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            sheet.write_string(row, column, str(value))


def _read_spreadsheet(path: Path) -> ShapeWorksProject:
    sheets = read_sheets(path)
    columns, *rows = sheets.pop("data", None) or [[]]
    subjects = tuple(dict(zip(columns, row, strict=False)) for row in rows if any(row))
    parameters = {
        name: {row[0]: row[1] for row in values[1:] if len(row) > 1 and row[0]}
        for name, values in sheets.items()
    }
    return ShapeWorksProject(subjects, {k: v for k, v in parameters.items() if v})
