"""A plain table as layout: one row per subject and anatomy.

Columns ``subject``, ``anatomy``, ``mask`` and, where there are any, ``image``, ``label`` and
``split``. Paths are relative to the table's folder. A mask is an image (with ``label``: a label
map), a signed distance on any grid, or a closed mesh; ``image`` is a file or a DICOM folder and
stays empty without a CT.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from massm.dataset.cohort import FoundAnatomy, FoundSubject, mark_names
from massm.dataset.spelling import match_spelling, report
from massm.dataset.splits import COLUMN, given_splits, read_split
from massm.io.errors import DataError
from massm.io.paths import exists, find_named, why_missing
from massm.io.tables import read_texts

log = logging.getLogger(__name__)

REQUIRED = ("subject", "anatomy", "mask")
_ALIKE = {
    "image": ("images", "img", "ct", "scan", "volume", "image_path", "image_file"),
    "label": ("labels", "value", "label_value", "label_id"),
}


def find_subjects(root: Path, anatomies: Sequence[str]) -> list[FoundSubject]:
    """List the subjects of a table, in the order of their names.

    Raises:
        DataError: If the table is missing or cannot be read, lacks a column, holds no row, names
            none of the anatomies, or gives a split in a column of another name.
    """
    if not root.is_file():
        advice = f"give a .tsv with {', '.join(REQUIRED)}"
        if root.is_dir():
            advice = f"it is a folder: set dataset.layout to totalsegmentator, or {advice}"
        raise DataError(f"dataset.root: no table {root}; {advice}")
    table = read_texts(root)
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        raise DataError(
            f"{root}: no column {', '.join(missing)}; found {', '.join(table.columns)} "
            "(columns are separated by tabs, commas or semicolons)"
        )
    table[COLUMN] = given_splits(table, root)
    for name in ("image", "label"):
        if name not in table:
            _warn_of_alike(name, table, root)
            table[name] = ""
    table = _with_subject(table, root)
    report(list(table["anatomy"]), anatomies, str(root))
    table["meant"] = [match_spelling(word, anatomies) or "" for word in table["anatomy"]]
    if not (table["meant"] != "").any():
        raise DataError(
            f"{root}: no row names an anatomy that is configured; found in column anatomy: "
            f"{_some(table['anatomy'])}; expected one of {', '.join(anatomies)}"
        )
    groups = table.groupby("subject", sort=True)
    subjects = [_subject(str(name), rows, root.parent, anatomies) for name, rows in groups]
    _warn_of_shared(subjects, root)
    return mark_names(subjects)


def _warn_of_alike(name: str, table: pd.DataFrame, path: Path) -> None:
    """Warn of a column that may have been meant for one that is missing."""
    for other in table.columns.intersection(list(_ALIKE[name])):
        log.warning("%s: column %s is not used; if %s is meant, rename it so", path, other, name)


def _warn_of_shared(subjects: Sequence[FoundSubject], path: Path) -> None:
    """Warn of one image that several subjects name: a split may part them."""
    owners: dict[str, list[str]] = {}
    for subject in subjects:
        if subject.image is not None:
            owners.setdefault(os.path.realpath(subject.image), []).append(subject.name)
    for image, names in owners.items():
        if len(names) > 1:
            log.warning("%s: subjects %s have one image, %s", path, " and ".join(names), image)


def _with_subject(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    nameless = table.index[table["subject"] == ""]
    if len(nameless) == len(table):
        raise DataError(f"{path}: no row with a subject")
    if len(nameless):
        log.warning("%s: rows without a subject are not used: line %s", path, _some(nameless))
    return table.drop(nameless)


def _subject(name: str, rows: pd.DataFrame, folder: Path, anatomies: Sequence[str]) -> FoundSubject:
    images = sorted(set(rows["image"]) - {""})
    splits = sorted({read_split(word) or word for word in rows[COLUMN]} - {""})
    fault = ""
    if len({os.path.realpath(find_named(folder, name)) for name in images}) > 1:
        fault = f"two subjects of one name: rows name {len(images)} images, {' and '.join(images)}"
    elif len(splits) > 1:
        fault = f"two subjects of one name: rows name the splits {' and '.join(splits)}"
    image = find_named(folder, images[0]) if images else None
    if image is not None and not exists(image):
        fault = fault or f"no image {image}{why_missing(folder, images[0])}"
    found = tuple(_anatomy(one, rows[rows["meant"] == one], folder) for one in anatomies)
    return FoundSubject(name, image, splits[0] if splits else "", found, fault)


def _anatomy(name: str, rows: pd.DataFrame, folder: Path) -> FoundAnatomy:
    if len(rows) > 1:
        lines = _some(rows.index)
        fault = f"{len(rows)} rows for one subject and anatomy (line {lines}); keep one"
        return FoundAnatomy(name, None, fault=fault)
    if rows.empty or not rows["mask"].iloc[0]:
        return FoundAnatomy(name, None)
    word, file = rows["anatomy"].iloc[0], rows["mask"].iloc[0]
    note = "" if word == name else f"the table says {word!r}"
    mask = find_named(folder, file)
    found = FoundAnatomy(name, mask, note=note)
    if not exists(mask):
        return replace(found, fault=f"no mask file {mask}{why_missing(folder, file)}")
    text = rows["label"].iloc[0]
    if not text:
        return found
    label = _label(text)
    if label is None:
        return replace(found, fault=f"label {text!r} is no whole number above 0")
    return replace(found, label=label)


def _label(text: str) -> int | None:
    """Read the value of a label, as in 3, 3.0 or 3,0; None if it is no whole number above 0."""
    whole, _, rest = text.replace(",", ".").partition(".")
    if not (whole.isascii() and whole.isdigit()) or rest.strip("0"):
        return None
    return int(whole) if 0 < int(whole) < 2**63 else None


def _some(values: Sequence[object] | pd.Series | pd.Index) -> str:
    """Name a few of many."""
    texts = list(dict.fromkeys(map(str, values)))
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
