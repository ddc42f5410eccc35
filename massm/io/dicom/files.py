"""Find the DICOM objects of a folder, by content, and read their headers."""

import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydicom import Dataset, dcmread
from pydicom.config import IGNORE
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from massm.io.errors import DataError

DAMAGED = (  # what pydicom raises of bytes that are no DICOM, or no more
    InvalidDicomError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_DIRECTORY = "1.2.840.10008.1.3.10"  # DICOMDIR: a table of contents, no image
_SUFFIXES = (".dcm", ".dicom", ".ima")
_PREAMBLE = 128  # bytes before the letters DICM
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")  # of files without a preamble
_TOLD = (
    *("Modality", "Rows", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription"),
    *("NumberOfFrames", "ImageType"),
)
_NAMED = 5  # files that a message names


class DicomFile(NamedTuple):
    """One DICOM object: its file and what stands before its pixels."""

    path: Path
    header: Dataset

    @property
    def modality(self) -> str:
        """CT, MR, SEG, RTSTRUCT, ...; empty if the file does not say."""
        return str(self.header.get("Modality", "") or "").strip().upper()

    @property
    def sop_class(self) -> UID:
        """What kind of object it is."""
        return UID(str(self.header.get("SOPClassUID", "") or ""), validation_mode=IGNORE)


def is_dicom(path: Path) -> bool:
    """Tell by content whether a file is DICOM, or a folder holds at least one DICOM file."""
    path = Path(path)
    if path.is_dir():
        return any(_looks_like_dicom(file) and _parsed(file) for file in _files(path))
    return path.is_file() and _looks_like_dicom(path) and _parsed(path) is not None


def objects(path: Path) -> list[DicomFile]:
    """Read the headers of the DICOM objects in a folder (not its subfolders), or of one file.

    Files that are no DICOM are passed over, as is a DICOMDIR.

    Raises:
        DataError: If there is none, or a file is a damaged one: with a DICOM preamble or suffix,
            or named like the others, and unreadable.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    found, others = [], []
    for file in _files(path) if path.is_dir() else [path]:
        header = _parsed(file) if _looks_like_dicom(file) else None
        if header is None:
            others.append(file)
        elif str(header.get("SOPClassUID", "")) != _DIRECTORY:
            found.append(DicomFile(file, header))
    _refuse_damaged(path, found, others)
    if not found:
        raise DataError(
            f"{path}: expected one DICOM series, found 0: no DICOM file in it{_elsewhere(path)}"
        )
    return found


def each_object(folder: Path) -> Iterator[DicomFile]:
    """Read the headers of the DICOM objects in a folder one by one; what is none is passed over."""
    for file in _files(folder):
        header = _parsed(file) if _looks_like_dicom(file) else None
        if header is not None:
            yield DicomFile(file, header)


def listed(names: Iterable[str]) -> str:
    """Name a few and count the rest."""
    each = list(names)
    rest = len(each) - _NAMED
    return ", ".join(each[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what pydicom raises of a damaged file into an error that names it; hush its warnings.

    Raises:
        DataError: In place of pydicom's.
    """
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PermissionError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from error
    except DAMAGED as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{name}: truncated or damaged DICOM ({said[:200]}); copy the file again"
        ) from error
    finally:
        logger.setLevel(level)


def _files(folder: Path) -> Iterator[Path]:
    """List visible files by name; '._a' and the like are a file system's own."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            yield file


def _looks_like_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            start = stream.read(_PREAMBLE + 4)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error
    return start[_PREAMBLE:] == b"DICM" or start[:2] in _FIRST_GROUPS


def _parsed(file: Path) -> Dataset | None:
    """Read what stands before the pixels; None if that is no DICOM object."""
    try:
        with reading(str(file)):
            header = dcmread(file, stop_before_pixels=True, force=True)
            said = str(header.get("SOPClassUID", "") or "")
            described = "Modality" in header and "Rows" in header
            for keyword in _TOLD:  # pydicom looks at a value when it is first asked for
                header.get(keyword, None)
    except DataError:
        return None
    return header if (said and UID(said, validation_mode=IGNORE).is_valid) or described else None


def _refuse_damaged(path: Path, found: list[DicomFile], others: list[Path]) -> None:
    patterns = {_pattern(each.path) for each in found}
    damaged = [file for file in others if _is_meant_as_dicom(file, patterns)]
    if not damaged:
        return
    if not found and path.is_dir():
        raise DataError(
            f"{path}: expected one DICOM series, found 0 that can be read; "
            f"{listed(f.name for f in damaged)} cannot be read as "
            "DICOM: truncated, damaged or no DICOM; copy the folder again"
        )
    raise DataError(
        f"{path}: {len(damaged)} of {len(found) + len(damaged)} files cannot be read as DICOM "
        f"({listed(f.name for f in damaged)}): truncated or damaged; copy them again"
    )


def _is_meant_as_dicom(file: Path, patterns: set[str]) -> bool:
    if file.name.upper() == "DICOMDIR":
        return False
    if file.suffix.lower() in _SUFFIXES or _pattern(file) in patterns:
        return True
    with file.open("rb") as stream:
        return stream.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"


def _pattern(file: Path) -> str:
    """What a name is without its numbers: IM0001 and IM0002 are of one kind."""
    return re.sub(r"\d+", "#", file.name)


def _elsewhere(path: Path) -> str:
    if not path.is_dir():
        return "; give a DICOM file or the folder of a series"
    inner = [each.name for each in sorted(path.iterdir()) if each.is_dir() and is_dicom(each)]
    if inner:
        return f"; its folder {listed(inner)} holds some: give the folder of one series"
    return "; give the folder of one series"
