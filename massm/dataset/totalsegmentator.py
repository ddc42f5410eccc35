"""The layout of TotalSegmentator's public dataset, version 1.

``<root>/s0000/ct.nii.gz``, ``<root>/s0000/segmentations/<anatomy>.nii.gz`` and, if it is there,
``<root>/meta.csv`` (or ``.tsv``, in any case) with ``image_id`` and perhaps ``split``. Wasserthal
et al., "TotalSegmentator: robust segmentation of 104 anatomic structures in CT images", Radiology:
AI 5(5), 2023.
"""

import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from massm.dataset.cohort import FoundAnatomy, FoundSubject, mark_names
from massm.dataset.spelling import match_spelling
from massm.dataset.splits import given_splits
from massm.io.errors import DataError
from massm.io.rows import SEPARATORS
from massm.io.suffixes import IMAGES
from massm.io.tables import read_texts

log = logging.getLogger(__name__)

HEART_CHAMBERS = (
    "heart_ventricle_left",
    "heart_ventricle_right",
    "heart_atrium_left",
    "heart_atrium_right",
)
_SHOWN = 5  # names in one line of the log
VERSION_2_ONLY = ("heart", "atrial_appendage_left", "brachiocephalic_trunk", "prostate")


def find_subjects(root: Path, anatomies: Sequence[str]) -> list[FoundSubject]:
    """List the subjects of a folder, in the order of their names.

    A subject is a folder that holds a CT or segmentations, or that ``meta.csv`` names.

    Raises:
        DataError: If the folder is missing, holds no subject, or holds dataset version 2 where
            heart chambers are asked for.
    """
    if not root.is_dir():
        advice = "name the one with s0000, s0001, ..."
        if root.is_file():
            advice = f"it is a file: set dataset.layout to table, or {advice}"
        raise DataError(f"dataset.root: no folder {root}; {advice}")
    folders = {path.name: path for path in root.iterdir() if _looks_like_a_subject(path)}
    rows = _as_folders(_read_meta(root), folders)
    names = sorted(set(folders) | set(rows))
    if not names:
        raise DataError(
            f"dataset.root: no subject in {root}; expected s0000/ct.nii.gz, s0000/segmentations/ "
            "(folders may have any name), or a table with dataset.layout table"
        )
    _refuse_version_2(list(folders.values()), anatomies)
    subjects = [_subject(name, root / name, rows.get(name, []), anatomies) for name in names]
    return mark_names(subjects)


def _looks_like_a_subject(path: Path) -> bool:
    if not path.is_dir():
        return False
    return (path / "segmentations").is_dir() or _find_image(path, "ct") is not None


def _subject(name: str, folder: Path, rows: list[str], anatomies: Sequence[str]) -> FoundSubject:
    image = _find_image(folder, "ct")
    fault = ""
    if len(rows) > 1:
        fault = f"two subjects of one name: meta.csv has {len(rows)} rows for {name}"
    elif not folder.is_dir():
        fault = f"named in meta.csv, but there is no folder {folder}"
    elif image is None:
        fault = f"no ct.nii.gz in {folder}"
    found = tuple(_anatomy(folder / "segmentations", one) for one in anatomies)
    return FoundSubject(name, image, rows[0] if rows else "", found, fault)


def _anatomy(folder: Path, name: str) -> FoundAnatomy:
    mask = _find_image(folder, name)
    if mask is not None:
        return FoundAnatomy(name, mask)
    if not folder.is_dir():
        return FoundAnatomy(name, None, fault=f"no folder {folder}")
    near = [path for path in sorted(folder.iterdir()) if _is_spelled(path, name)]
    if not near:
        return FoundAnatomy(name, None)
    fault = f"no mask file {name}.nii.gz in {folder}, but {near[0].name}; rename it"
    return FoundAnatomy(name, None, fault=fault)


def _is_spelled(path: Path, anatomy: str) -> bool:
    """Tell whether a file is called as the anatomy but for case, blanks, '-' and '_'."""
    return match_spelling(path.name.partition(".")[0], [anatomy]) is not None


def _find_image(folder: Path, stem: str) -> Path | None:
    """Find an image of any known format, or a DICOM folder, by its name without suffix."""
    for suffix in IMAGES:
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return path
    return folder / stem if (folder / stem).is_dir() else None


def _find_meta(root: Path) -> Path | None:
    """Find the table of facts about the subjects.

    Raises:
        DataError: If there are several: which one gives the split cannot be told.
    """
    files = sorted(path for path in root.iterdir() if path.is_file())
    named = [path for path in files if path.name.lower().startswith("meta.")]
    found = [path for path in named if path.suffix.lower() in SEPARATORS]
    for path in named:
        if path not in found:
            log.warning("%s is not read: save it as meta.csv if it gives the split", path)
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{root}: {names}, expected one meta.csv; remove or rename the others")
    return found[0] if found else None


def _as_folders(rows: dict[str, list[str]], folders: Collection[str]) -> dict[str, list[str]]:
    """Call subjects of the table as their folders: S0012, s0012/, 12 and 12.0 may be s0012."""
    alike: dict[str, list[str]] = {}
    for folder in folders:
        alike.setdefault(_plain(folder), []).append(folder)
    named: dict[str, list[str]] = {}
    others = []
    for name, splits in rows.items():
        near = alike.get(_plain(name), [])
        meant = near[0] if len(near) == 1 and name not in folders else name
        if meant != name:
            others.append(f"{name!r} as {meant}")
        named.setdefault(meant, []).extend(splits)
    if others:
        shown = ", ".join(others[:_SHOWN]) + (" ..." if others[_SHOWN:] else "")
        log.warning("%d names of the meta table are read as folders: %s", len(others), shown)
    return named


def _plain(name: str) -> str:
    word = name.casefold().rstrip("/")
    number = re.fullmatch(r"s?0*([0-9]+)(\.0+)?", word)
    return number[1] if number else word


def _read_meta(root: Path) -> dict[str, list[str]]:
    """Read the split that each row gives a subject; empty where there is no such column."""
    path = _find_meta(root)
    if path is None:
        return {}
    table = read_texts(path)
    if "image_id" not in table:
        found = ", ".join(table.columns)
        raise DataError(f"{path}: no column image_id, found {found}; name the subjects there")
    rows: dict[str, list[str]] = {}
    for line, name, split in zip(
        table.index, table["image_id"], given_splits(table, path), strict=True
    ):
        if name:
            rows.setdefault(name, []).append(split)
        else:
            log.warning("%s, line %d: without image_id, it is not used", path, line)
    return rows


def _refuse_version_2(folders: list[Path], anatomies: Sequence[str]) -> None:
    wanted = [name for name in anatomies if name in HEART_CHAMBERS]
    segmented = [folder / "segmentations" for folder in sorted(folders)[:20]]
    has_chambers = any(_find_image(folder, name) for folder in segmented for name in wanted)
    is_newer = any(_find_image(folder, name) for folder in segmented for name in VERSION_2_ONLY)
    if wanted and is_newer and not has_chambers:
        raise DataError(
            f"{folders[0].parent} is version 2 of TotalSegmentator's dataset, which has no heart "
            f"chambers ({', '.join(wanted)}): get version 1 (Zenodo record 6802614) or take the "
            "chambers out of `anatomies`"
        )
