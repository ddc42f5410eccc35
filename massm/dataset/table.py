"""A plain table as layout: one row per subject and anatomy.

Columns ``subject``, ``anatomy``, ``mask`` and, where there are any, ``image``, ``label`` and
``split``. Paths are relative to the table's folder. A mask is an image (with ``label``: a label
map), a signed distance on any grid, or a closed mesh; ``image`` is a file or a DICOM folder and
stays empty without a CT.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from massm.dataset.cohort import Organ, Subject, mark_twins
from massm.io.errors import DataError
from massm.io.tables import read_table

REQUIRED = ("subject", "anatomy", "mask")


def find_subjects(root: Path, anatomies: Sequence[str]) -> list[Subject]:
    """List the subjects of a table, in the order of their names.

    Raises:
        DataError: If the table is missing, lacks a column or holds no row.
    """
    if not root.is_file():
        raise DataError(f"dataset.root: no table {root}; give a .tsv with {', '.join(REQUIRED)}")
    table = read_table(root)
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        raise DataError(
            f"{root}: no column {', '.join(missing)}; found {', '.join(map(str, table.columns))}"
        )
    for name in ("image", "label", "split"):
        if name not in table:
            table[name] = ""
    columns = [*REQUIRED, "image", "label", "split"]
    table = table[columns].fillna("").astype(str).apply(lambda column: column.str.strip())
    table = table[table["subject"] != ""]
    if table.empty:
        raise DataError(f"{root}: no row with a subject")
    groups = table.groupby("subject", sort=True)
    return mark_twins([_subject(str(name), rows, root.parent, anatomies) for name, rows in groups])


def _subject(name: str, rows: pd.DataFrame, folder: Path, anatomies: Sequence[str]) -> Subject:
    images = sorted(set(rows["image"]) - {""})
    splits = sorted(set(rows["split"]) - {""})
    fault = ""
    if len(images) > 1:
        fault = f"two subjects of one name: rows name {len(images)} images, {' and '.join(images)}"
    elif len(splits) > 1:
        fault = f"two subjects of one name: rows name the splits {' and '.join(splits)}"
    image = folder / images[0] if images else None
    if image is not None and not image.exists():
        fault = fault or f"no image {image}"
    organs = tuple(
        _organ(anatomy, rows[rows["anatomy"] == anatomy], folder) for anatomy in anatomies
    )
    return Subject(name, image, splits[0] if splits else "", organs, fault)


def _organ(anatomy: str, rows: pd.DataFrame, folder: Path) -> Organ:
    if len(rows) > 1:
        return Organ(anatomy, None, fault=f"{len(rows)} rows for one subject and anatomy; keep one")
    if rows.empty or not rows["mask"].iloc[0]:
        return Organ(anatomy, None)
    mask = folder / rows["mask"].iloc[0]
    text = rows["label"].iloc[0]
    if not text:
        return Organ(anatomy, mask)
    try:
        label = float(text)
    except ValueError:
        return Organ(anatomy, mask, fault=f"label {text!r} is no whole number")
    if label != int(label) or label < 1:
        return Organ(anatomy, mask, fault=f"label {text} is no whole number above 0")
    return Organ(anatomy, mask, int(label))
