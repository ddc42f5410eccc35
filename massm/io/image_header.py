"""What an image file holds, said once: size, place, stored type, scaling, and where its values lie.

One reader for each format makes a :class:`Header` (:mod:`massm.io.nifti`, :mod:`massm.io.nrrd`,
:mod:`massm.io.metaimage`); all else asks the header and never the file's name.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from massm.geometry.right_angles import right_angled
from massm.geometry.volume import Volume
from massm.io.errors import DataError

log = logging.getLogger(__name__)

Encoding = Literal["raw", "gzip", "bzip2", "zlib", "text"]

_MOST_COMPRESSED = {"gzip": 1100, "zlib": 1100, "bzip2": 1 << 16}  # bytes out of one, at most
_VOXEL_MM = (1e-3, 100.0)  # voxels beyond are no millimeters
_ROUNDING_VOXEL = 1e-3  # shear that is nothing but rounding of the header's numbers


@dataclass(frozen=True)
class Stored:
    """Where and how an image's values are stored.

    Attributes:
        path: File that holds them; the header's own or one beside it.
        dtype: Of one value, with its byte order.
        encoding: How the bytes are packed.
        start: Byte of the file at which the packed values begin.
        skip: Bytes to leave out after unpacking.
        slope: Factor of the stored values,
        intercept: and what is added then.
        exact: Whether nothing may follow the values.
    """

    path: Path
    dtype: np.dtype
    encoding: Encoding
    start: int = 0
    skip: int = 0
    slope: float = 1.0
    intercept: float = 0.0
    exact: bool = False

    @property
    def is_scaled(self) -> bool:
        """Whether the stored numbers are not yet the values."""
        return (self.slope, self.intercept) != (1.0, 0.0)


@dataclass(frozen=True)
class Header:
    """One 3D image of one value a voxel, as its file describes it.

    Attributes:
        path: The file.
        kind: Its format, found by content.
        size: Number of voxels along x, y, z.
        spacing: Voxel size along the index axes, mm.
        origin: LPS millimeters of the center of voxel (0, 0, 0).
        direction: Columns are the unit directions of the index axes in LPS, at right angles.
        spacing_from: What in the file says the voxel size.
        shear_mm: How far the nearest right-angled grid moves a voxel from where the file has it.
        stored: Where and how the values are stored.
        notes: What is odd about the file and was settled here.
        labels: Names that the file gives to values of a label map.
    """

    path: Path
    kind: str
    size: tuple[int, int, int]
    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3 3"]
    spacing_from: str
    shear_mm: float
    stored: Stored
    notes: tuple[str, ...] = ()
    labels: dict[int, str] = field(default_factory=dict)

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        width, height, depth = self.size
        return width * height * depth

    @property
    def shear_voxel(self) -> float:
        """The shear in voxels, along the axis of the smallest."""
        return self.shear_mm / float(self.spacing.min())

    def volume(self, array: Shaped[np.ndarray, "D H W"]) -> Volume:
        """Put values on the grid."""
        return Volume(array, self.spacing, self.origin, self.direction)


def make_header(
    path: Path,
    kind: str,
    size: tuple[int, int, int],
    affine: Float[np.ndarray, "4 4"],
    stored: Stored,
    *,
    spacing_from: str,
    notes: list[str],
    labels: dict[int, str] | None = None,
) -> Header:
    """Bring together what a format's reader found, and refuse what cannot be.

    Args:
        path: The file.
        kind: Name of the format.
        size: Number of voxels along x, y, z.
        affine: From (x, y, z) index to LPS millimeters, as the file has it.
        stored: Where the values are.
        spacing_from: What in the file says the voxel size.
        notes: What is odd.
        labels: Names of a label map's values.

    Raises:
        DataError: If the axes span no volume, a voxel's size is no size in millimeters, or the
            file is too small for its values.
    """
    try:
        grid = right_angled(affine, size)
    except ValueError as error:
        raise DataError(f"{path}: {spacing_from} has no use: {error}; write it again") from error
    if not (_VOXEL_MM[0] <= grid.spacing.min() and grid.spacing.max() <= _VOXEL_MM[1]):
        sizes = " x ".join(f"{value:.4g}" for value in grid.spacing)
        raise DataError(
            f"{path}: voxels of {sizes} mm by {spacing_from}; expected between {_VOXEL_MM[0]:g} "
            f"and {_VOXEL_MM[1]:g} mm, is the unit wrong?"
        )
    _check_file_size(path, size, stored)
    shear_voxel = grid.moved_mm / float(grid.spacing.min())
    if shear_voxel > _ROUNDING_VOXEL:
        notes = [
            *notes,
            f"axes not at right angles: turned to the nearest, which moves a voxel by up to "
            f"{grid.moved_mm:.2g} mm ({shear_voxel:.2g} voxels)",
        ]
    return Header(
        *(path, kind, size, grid.spacing, grid.origin, grid.direction, spacing_from),
        *(grid.moved_mm, stored, tuple(notes), labels or {}),
    )


def _check_file_size(path: Path, size: tuple[int, ...], stored: Stored) -> None:
    """Refuse a file that cannot hold what its header claims, before memory is asked for."""
    voxels = 1
    for count in size:
        voxels *= count
    needed = voxels * stored.dtype.itemsize + stored.skip
    try:
        found = stored.path.stat().st_size - stored.start
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{path}: its values should be in {stored.path}, which cannot be read ({reason}); keep "
            "both files side by side, under their names"
        ) from error
    if stored.encoding == "text":
        needed = 2 * voxels - 1  # a digit and a space each
    most = found * _MOST_COMPRESSED.get(stored.encoding, 1)
    if most < needed:
        what = f"{found} bytes of values ({stored.encoding})"
        raise DataError(
            f"{stored.path}: truncated, holds {what}; {' x '.join(map(str, size))} voxels of "
            f"{stored.dtype.name} take {needed}; copy the file again"
        )


def values_file(path: Path, name: str) -> Path:
    """Resolve the name that a detached header gives to the file of its values.

    Raises:
        DataError: If it names a list of files, or no file at all.
    """
    if name.upper().startswith("LIST") or "%" in name:
        raise DataError(
            f"{path}: its values are in a list of files ({name}); save them in one file"
        )
    if "\0" in name:
        raise DataError(f"{path}: damaged header, names the file {name!r}; copy the file again")
    return path.parent / name


def place_of_last(file: Path, needed: int) -> int:
    """Return the byte at which the last ``needed`` bytes of a file begin; 0 if it has fewer."""
    try:
        return max(0, file.stat().st_size - needed)
    except OSError:
        return 0  # said by the check of its size


def check_spatial(path: Path, kind: str, shape: list[int], others: list[str]) -> None:
    """Refuse an image that is not 3D with one value a voxel.

    Args:
        path: The file.
        kind: Name of the format.
        shape: Voxels along the axes of space.
        others: What else the file has several of, in words.

    Raises:
        DataError: If there is something else, or fewer than three axes longer than 1.
    """
    found = " x ".join(map(str, shape))
    if others:
        raise DataError(
            f"{path}: expected one value a voxel, found {' and '.join(others)} on {found} voxels "
            f"({kind}); save the one wanted as an image of its own"
        )
    if len(shape) != 3 or min(shape) < 1 or len([n for n in shape if n > 1]) != 3:
        raise DataError(f"{path}: expected a 3D image, found size {found}")
