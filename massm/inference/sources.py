"""Scans as people have them: files, DICOM folders, zip archives of either, tables of them."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from massm.geometry.volume import Volume
from massm.io import dicom, images, paths, suffixes, zips
from massm.io.errors import DataError
from massm.io.fingerprint import digest, digest_of_all, files_of

Kind = Literal["image", "dicom", "array"]

_SHEET = ".xlsx"
TABLES = (".tsv", ".csv", _SHEET)
_PATH_COLUMNS = ("image", "scan", "path", "file")
_NAME_COLUMNS = ("name", "subject", "id")
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True)
class Source:
    """A scan as it was given.

    Attributes:
        volume: CT, HU, any orientation.
        name: What it is called; names the folder of its results.
        kind: An image file, a DICOM series, or values that came from memory.
        path: Image file, or file or folder of the DICOM series; None for values from memory. A
            scan out of a zip archive lies here only as long as :func:`open_scan` is open.
        given: As the user named it, without folders; None for values from memory.
        notes: What is odd about it and was settled.
        shear_mm: How far its voxels moved to right-angled axes, mm.
        archive: The zip archive that it came out of, if it did.
    """

    volume: Volume
    name: str
    kind: Kind
    path: Path | None
    given: str | None
    notes: tuple[str, ...]
    shear_mm: float
    archive: Path | None = None

    def sha256(self) -> str:
        """Hash what was given: the file or archive; the list of several files; values and grid.

        Of one file it is what ``sha256sum`` says. Of several (a DICOM folder, a header and its
        voxels) it is the SHA-256 of one line for each, its digest and its name, sorted by name.
        """
        if self.path is None:
            affine = np.ascontiguousarray(self.volume.affine)
            values = np.ascontiguousarray(self.volume.array)
            return hashlib.sha256(affine.tobytes() + values.tobytes()).hexdigest()
        files = files_of(self.archive or self.path)
        return digest(files[0]) if len(files) == 1 else digest_of_all(files)


def source_of_volume(volume: Volume, name: str) -> Source:
    """Take a scan that is in memory already.

    Args:
        volume: CT, HU, any orientation.
        name: What it is called.
    """
    return Source(volume, name, "array", None, None, (), 0.0)


@contextmanager
def open_scan(path: Path, name: str | None = None) -> Iterator[Source]:
    """Read a scan: an image file, a DICOM folder or file, or a zip archive of one scan.

    What is unpacked of an archive is removed when the context ends.

    Args:
        path: The scan.
        name: What it is called; its file's name without ending by default.

    Raises:
        DataError: If it is missing or damaged, not one 3D scan, or an archive that is not safe to
            unpack: what was found, what was expected, what to do.
    """
    path = Path(path)
    called = name or scan_name(path)
    if not zips.is_zip(path):
        yield _read(path, called, path.name)
        return
    with tempfile.TemporaryDirectory(prefix="massm-") as folder:
        zips.extract(path, Path(folder))
        scan = _only_scan(Path(folder), path)
        try:
            source = _read(scan, called, path.name)
        except DataError as error:  # nobody knows the folder that it was unpacked to
            raise DataError(str(error).replace(f"{folder}{os.sep}", f"{path}: ")) from error
        yield replace(source, archive=path)


def scan_name(path: Path, more: tuple[str, ...] = ()) -> str:
    """Name a scan by its file without the ending, or by its folder; of a link it is the link's.

    Args:
        path: The scan.
        more: Endings besides those of images and archives.
    """
    name = Path(os.path.normpath(Path(path).absolute())).name
    if Path(path).is_dir():
        return name
    endings = (*suffixes.IMAGES, ".zip", ".dcm", ".dicom", ".ima", *more)
    found = [ending for ending in endings if name.lower().endswith(ending)]
    return (name[: -len(max(found, key=len))] if found else name) or name


def read_scan_table(path: Path) -> list[tuple[str, Path]]:
    """Read a table of scans: a column ``image`` and, if names are to be others, ``name``.

    Paths are relative to the table's folder. ``scan``, ``path`` and ``file`` stand for ``image``
    too, ``subject`` and ``id`` for ``name``; other columns are passed over.

    Returns:
        Name and path of each scan, in order.

    Raises:
        DataError: If it is no table or lacks the column, if a path is empty or leads nowhere, or
            a name cannot name a folder or comes twice; names the lines.
    """
    path = Path(path)
    from massm.io import tables  # pandas, a second that a scan does not wait for

    is_sheet = path.suffix.lower() == _SHEET
    rows = tables.read_sheet(path) if is_sheet else tables.read_texts(path)
    columns = list(rows.columns)
    column = _column(columns, _PATH_COLUMNS)
    if column is None:
        raise DataError(
            f"{path}: no column says where the scans are; expected one called image, found "
            f"{', '.join(columns)}"
        )
    if rows.empty:
        raise DataError(f"{path}: lists no scans; add a row for each")
    names = _column(columns, _NAME_COLUMNS)
    found: dict[str, int] = {}
    scans = []
    for line, row in rows.iterrows():
        where = f"{path}, line {line}"
        scan = _listed(path.parent, str(row[column]), where)
        name = str(row[names]) if names and row[names] else scan_name(scan)
        refuse_unfit_name(name, where)
        if name in found:
            raise DataError(
                f"{where}: the scan of line {found[name]} is called {name}, too, and results are "
                "named by their scan; add a column name with a name for each"
            )
        found[name] = int(str(line))
        scans.append((name, scan))
    return scans


def refuse_unfit_name(name: str, where: str) -> None:
    """Refuse a name that cannot name a folder.

    Raises:
        DataError: Naming it.
    """
    if not name.strip(" .") or _UNFIT.search(name) or len(name.encode()) > 200:
        raise DataError(
            f"{where}: {name!r} cannot name a folder of results; use letters, digits, . - and _"
        )


def _column(columns: Sequence[str], known: Sequence[str]) -> str | None:
    return next((name for name in known if name in columns), None)


def _listed(folder: Path, text: str, where: str) -> Path:
    if not text:
        raise DataError(f"{where}: the scan's path is empty; fill it in or remove the row")
    scan = paths.find_named(folder, text)
    if not paths.exists(scan):
        raise DataError(f"{where}: there is no {scan}{paths.why_missing(folder, text)}")
    return scan


def _read(path: Path, name: str, given: str) -> Source:
    if not paths.exists(path):
        raise DataError(f"{path}: no such file or folder; give a CT as image file, DICOM or zip")
    kind: Kind = "dicom" if path.is_dir() or dicom.is_dicom(path) else "image"
    scan = images.read_scan(path)
    return Source(scan.volume, name, kind, path, given, scan.notes, scan.shear_mm)


def _only_scan(folder: Path, archive: Path) -> Path:
    """Find the one image file, or folder of DICOM slices, below a folder.

    Folders of contours, segmentations, registrations and the like stand beside a scan and are none.
    """
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    found = [file for file in files if file.name.lower().endswith(suffixes.IMAGES)]
    folders = sorted({file.parent for file in files if file not in found})
    found += [inner for inner in folders if dicom.holds_slices(inner)]
    if len(found) == 1:
        return found[0]
    others = [inner for inner in folders if inner not in found and dicom.is_dicom(inner)]
    beside = f", and DICOM that is no scan ({_listed_below(folder, others)})" if others else ""
    raise DataError(
        f"{archive}: expected one scan in the archive, an image or one folder of DICOM, found "
        f"{len(found)} ({_listed_below(folder, found)}) among {len(files)} files{beside}; pack one "
        "scan alone, or unpack it and name the scan"
    )


def _listed_below(folder: Path, found: Sequence[Path]) -> str:
    said = ", ".join(str(one.relative_to(folder)) for one in found[:5]) or "none"
    return f"{said}, ..." if len(found) > 5 else said
