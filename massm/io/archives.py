"""Arrays of an ``.npz``, read with nothing believed: sizes, checksums, headers that lie."""

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np

from massm.io.damage import named

ADVICE = "delete the file and run its stage again"
_SUFFIX = ".npy"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive of arrays.

    Raises:
        DataError: If it, or what is read of it meanwhile, is damaged.
    """
    with named(path, "cannot be read", ADVICE), zipfile.ZipFile(path) as archive:
        yield archive


def names(archive: zipfile.ZipFile) -> list[str]:
    """Name the arrays."""
    return [name.removesuffix(_SUFFIX) for name in archive.namelist()]


def read(
    archive: zipfile.ZipFile,
    name: str,
    rows: Sequence[int] | None = None,
    count: int | None = None,
) -> np.ndarray:
    """Read an array, or some of its rows one after the other without holding the others.

    Args:
        archive: The archive.
        name: Of the array, without ending.
        rows: The rows wanted, ascending; None for all.
        count: How many rows there have to be; None if any number will do.

    Raises:
        ValueError: If the header contradicts the size of what follows, holds objects that would
            have to be unpickled, or has another number of rows.
    """
    member = archive.getinfo(f"{name}{_SUFFIX}")
    with cast(io.BufferedIOBase, archive.open(member)) as file:
        shape, is_fortran, dtype = _header(file)
        size = dtype.itemsize * math.prod(shape)
        if member.file_size != file.tell() + size or min(shape, default=0) < 0:
            raise ValueError(
                f"array {name}: {member.file_size - file.tell()} bytes follow, but its header says "
                f"{shape} {dtype}"
            )
        if count is not None and shape[:1] != (count,):
            raise ValueError(f"array {name} is {shape}, expected {count} rows")
        if rows is None:
            array = _filled(np.empty(math.prod(shape), dtype), file, name)
            array = array.reshape(shape, order="F" if is_fortran else "C")
        else:
            array = _some_rows(file, shape, is_fortran, dtype, rows, name)
        if file.read(1):  # reaching the end compares the checksum
            raise ValueError(f"array {name} is longer than its header says")
    return array


def _header(file: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"format {version} of arrays is not known")
    if dtype.hasobject:
        raise ValueError("an array of objects, which would have to be unpickled")
    return shape, is_fortran, dtype


def _some_rows(
    file: io.BufferedIOBase,
    shape: tuple[int, ...],
    is_fortran: bool,
    dtype: np.dtype,
    rows: Sequence[int],
    name: str,
) -> np.ndarray:
    if is_fortran and len(shape) > 1:
        raise ValueError(f"array {name} is not stored row by row")
    kept = np.empty((len(rows), *shape[1:]), dtype)
    block = np.empty(math.prod(shape[1:]), dtype)
    places = {row: place for place, row in enumerate(rows)}
    for row in range(shape[0]):
        _filled(block, file, name)
        if row in places:
            kept[places[row]] = block.reshape(shape[1:])
    return kept


def _filled(array: np.ndarray, file: io.BufferedIOBase, name: str) -> np.ndarray:
    """Fill a flat array with the next bytes of a file."""
    left = (array.view(np.uint8) if array.size else np.empty(0, np.uint8)).data
    while left:
        count = file.readinto(left[: 2**20])
        if not count:
            raise EOFError(f"array {name} ends early")
        left = left[count:]
    return array
