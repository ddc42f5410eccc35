"""Images and masks: NIfTI, NRRD, MetaImage, and DICOM, each judged by its content.

What a file holds is described once (:class:`massm.io.image_header.Header`); values are read from
that description in pieces (:mod:`massm.io.image_values`). All formats come out in LPS millimeters.
Files are written by itk.
"""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped

from massm.geometry.signed_distance import signed_distance
from massm.geometry.volume import Volume
from massm.io import dicom, suffixes
from massm.io.atomic import replacing
from massm.io.errors import DataError, SeveralLabelsError
from massm.io.image_header import Header
from massm.io.image_values import (
    NotWhole,
    encoding_of,
    first_bytes,
    read_labels,
    read_values,
    stored_chunks,
    whole_chunks,
)
from massm.io.metaimage import is_metaimage, read_metaimage
from massm.io.nifti import header_beside, is_nifti, read_nifti
from massm.io.nrrd import MAGIC, read_nrrd

log = logging.getLogger(__name__)

SUFFIXES = suffixes.IMAGES

_OTHERS = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"\x89HDF": "HDF5 (MINC 2, perhaps)",
    b"CDF": "netCDF (MINC 1, perhaps)",
    b"# vtk DataFile": "VTK",
    b"\x93NUMPY": "NumPy",
    b"\0\0\0\x01\0\0": "MGH (FreeSurfer)",
}
_NO_IMAGES = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it (git lfs pull)",
    b"<!DOCTYPE": "a web page (a failed download, perhaps); get the file again",
    b"<html": "a web page (a failed download, perhaps); get the file again",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\x1f\x8b": "packed by gzip twice; unpack it once",
}
_SHOWN_LABELS = 12
_MOST_LABELS = 2000  # more different values are no labels


class FoundImage(NamedTuple):
    """An image as read.

    Attributes:
        volume: Values in the smallest type that holds them as they are, int16 for most CTs.
        notes: What is odd about the file and was settled.
        shear_mm: How far its voxels moved to right-angled axes, mm.
    """

    volume: Volume
    notes: tuple[str, ...]
    shear_mm: float = 0.0


class Segmentation(NamedTuple):
    """An anatomy as read.

    Attributes:
        volume: Booleans, or a signed distance, its inside positive (mm).
        is_distance: Which of both.
        notes: What is odd about the file and was settled.
        shear_mm: How far its voxels moved to right-angled axes, mm.
    """

    volume: Volume
    is_distance: bool
    notes: tuple[str, ...]
    shear_mm: float = 0.0

    @property
    def inside(self) -> Volume:
        """The anatomy as booleans."""
        return self.volume.with_array(self.volume.array > 0) if self.is_distance else self.volume


class FoundLabels(NamedTuple):
    """A label map as read, for the anatomies that lie in it."""

    header: Header
    array: Shaped[np.ndarray, "D H W"]

    def take(self, label: int) -> Segmentation:
        """Take one label.

        Raises:
            DataError: If the label is too large for the map's type, or if negative values stand
                where it might have been.
        """
        inside = self.array == label
        if not inside.any():
            _refuse_overflow(self.header, label, min(0, int(self.array.min())))
        return _segmentation(self.header, inside)


def read_header(path: Path) -> Header:
    """Describe a 3D image of one value a voxel, its values unread.

    Raises:
        DataError: If the file is missing, no image, or cannot be used; says why.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {what}")
    encoding = encoding_of(path)
    start = first_bytes(path, encoding, 544)
    if is_nifti(start):
        return read_nifti(path, start, encoding)
    if encoding == "raw" and start.startswith(MAGIC):
        return read_nrrd(path)
    if encoding == "raw" and is_metaimage(start):
        return read_metaimage(path)
    beside = header_beside(path)
    if beside is not None:
        return read_header(beside)
    raise DataError(f"{path}: {_what_else(start)}")


def read_scan(path: Path) -> FoundImage:
    """Read a 3D image (CT: Hounsfield units), of files or of the one DICOM series of a folder.

    Raises:
        DataError: If it is missing, damaged, not 3D, or a folder without exactly one series.
    """
    path = Path(path)
    if path.is_dir() or dicom.is_dicom(path):
        image = dicom.read_series(path)
        return FoundImage(image.volume, image.notes)
    header = read_header(path)
    return FoundImage(header.volume(read_values(header)), header.notes, header.shear_mm)


def read_image(path: Path) -> Volume:
    """Read a 3D image as :func:`read_scan` does, as float32.

    Raises:
        DataError: If it is missing, damaged, not 3D, or a folder without exactly one series.
    """
    volume = read_scan(path).volume
    return volume.with_array(volume.array.astype(np.float32, copy=False))


def read_segmentation(path: Path, label: int | None = None) -> Segmentation:
    """Read an anatomy: a mask (all voxels of one value), a label of a map, or a signed distance.

    Raises:
        SeveralLabelsError: If it is a label map and no label is given.
        DataError: If the file is missing, damaged, not 3D, or none of these; says what it holds.
    """
    path = Path(path)
    if path.is_dir() or dicom.is_dicom(path):
        image = dicom.read_segmentation(path, label)
        return Segmentation(image.volume, False, image.notes)
    header = read_header(path)
    try:
        return _mask(header) if label is None else _label(header, label)
    except NotWhole as found:
        if label is None:
            return _distance(header)
        raise DataError(_not_whole(header, found)) from None


def read_label_map(path: Path) -> FoundLabels:
    """Read a label map of which several anatomies are taken.

    Raises:
        DataError: If the file is missing, damaged, not 3D, or holds numbers that are not whole.
    """
    header = read_header(Path(path))
    try:
        return FoundLabels(header, read_labels(header))
    except NotWhole as found:
        raise DataError(_not_whole(header, found)) from None


def write_image(volume: Volume, path: Path) -> None:
    """Write a volume, whole or not at all; booleans become 0 and 1 of one byte.

    Raises:
        OSError: If the file cannot be written.
    """
    import itk

    array = volume.array.astype(np.uint8) if volume.array.dtype == bool else volume.array
    image = itk.image_from_array(np.ascontiguousarray(array))
    image.SetSpacing([float(x) for x in volume.spacing])
    image.SetOrigin([float(x) for x in volume.origin])
    image.SetDirection(itk.matrix_from_array(np.ascontiguousarray(volume.direction, float)))
    with replacing(Path(path)) as temporary:
        try:
            itk.imwrite(image, str(temporary), compression=True)
            if min(volume.array.shape) > 1:  # some of its writers say nothing of a full disk
                for _ in stored_chunks(read_header(temporary)):
                    pass
        except (RuntimeError, DataError) as error:
            raise OSError(None, _first_line(error)) from error


def _what_else(start: bytes) -> str:
    known = ", ".join(SUFFIXES)
    if not start:
        return "is empty; copy the file again"
    for magic, what in _NO_IMAGES.items():
        if start.startswith(magic):
            return f"is {what}"
    for magic, name in _OTHERS.items():
        if not start.startswith(magic):
            continue
        if name in ("TIFF", "PNG", "JPEG"):
            return (
                f"is a {name} image, which does not say how far its slices lie apart nor where in "
                f"the scanner they are; convert it with the scan's geometry to one of {known}"
            )
        return f"is of the format {name}, which is not read here; convert it to one of {known}"
    return f"no image format known here (begins with {start[:8]!r}); use one of {known}"


def _segmentation(header: Header, inside: Bool[np.ndarray, "..."], *notes: str) -> Segmentation:
    volume = header.volume(inside.reshape(header.size[::-1]))
    return Segmentation(volume, False, (*header.notes, *notes), header.shear_mm)


def _label(header: Header, label: int) -> Segmentation:
    inside = np.empty(header.voxels, bool)
    place, low = 0, 0
    for values in whole_chunks(header):
        np.equal(values, label, out=inside[place : place + len(values)])
        low = min(low, int(values.min()))
        place += len(values)
    if not inside.any():
        _refuse_overflow(header, label, low)
    return _segmentation(header, inside)


def _refuse_overflow(header: Header, label: int, low: int) -> None:
    """Refuse to call a label absent that may have become another in a type too small for it."""
    stored = header.stored
    if stored.dtype.kind in "iu" and not stored.is_scaled and label > np.iinfo(stored.dtype).max:
        most = np.iinfo(stored.dtype).max
        raise DataError(
            f"{header.path}: label {label} does not fit into the map, which holds numbers up to "
            f"{most} ({stored.dtype.name}); give the label that the anatomy has there, or save the "
            "map in a larger type"
        )
    if low < 0:
        raise DataError(
            f"{header.path}: label map has no {label}, but values down to {low}, as labels become "
            f"in a type too small for them ({header.stored.dtype.name}); save it in a larger one"
        )


def _mask(header: Header) -> Segmentation:
    inside = np.empty(header.voxels, bool)
    seen = _Values()
    place = 0
    for values in whole_chunks(header):
        np.not_equal(values, 0, out=inside[place : place + len(values)])
        seen.add(values)
        place += len(values)
    if seen.low >= 0:
        if seen.low_above == seen.high:
            return _segmentation(header, inside)
        labels = seen.words(header.labels)
        raise SeveralLabelsError(f"{header.path}: holds the labels {labels}, not one anatomy alone")
    if seen.high <= 0:
        if (
            header.stored.dtype.kind == "i"
            and seen.found == {-1}
            and header.stored.dtype.itemsize == 1
        ):
            return _segmentation(header, inside, "mask of -1 (255 in signed bytes) taken as inside")
        raise DataError(
            f"{header.path}: mask holds {seen.words()} and nothing above 0, as labels become in a "
            f"type too small for them ({header.stored.dtype.name}); save it as 0 and 1"
        )
    if len(seen.found) == 2 and inside.all():  # one number outside, another inside
        return _segmentation(header, read_labels(header) > 0)
    return _distance(header)


class _Values:
    """The values other than 0 that were seen of whole numbers."""

    def __init__(self) -> None:
        self.found: set[int] = set()
        self.low = self.high = 0
        self.low_above = 0  # lowest above 0; 0 if none

    def add(self, values: Shaped[np.ndarray, " n"]) -> None:
        """See more values."""
        others = values[values != 0]
        if not others.size:
            return
        low, high = int(others.min()), int(others.max())
        if low == high:
            self.found.add(low)
        elif len(self.found) <= _MOST_LABELS:
            self.found.update(np.unique(others).tolist())
        self.low, self.high = min(self.low, low), max(self.high, high)
        lowest = low if low > 0 else min((v for v in self.found if v > 0), default=0)
        self.low_above = min(self.low_above or lowest, lowest) if lowest else self.low_above

    def words(self, names: dict[int, str] | None = None) -> str:
        """List the values, with their names where there are any; many ones in short."""
        values = sorted(self.found)
        if len(values) > _MOST_LABELS:
            return f"more than {_MOST_LABELS} values from {self.low} to {self.high}"
        shown = [
            f"{value} ({names[value]})" if names and names.get(value) else str(value)
            for value in values[:_SHOWN_LABELS]
        ]
        more = f" and {len(values) - _SHOWN_LABELS} others" if len(values) > _SHOWN_LABELS else ""
        return ", ".join(shown) + more


def _not_whole(header: Header, found: NotWhole) -> str:
    if found.not_finite:
        return (
            f"{header.path}: label map holds voxels that are no number (NaN or infinite); repair it"
        )
    return (
        f"{header.path}: label map holds real numbers between its labels, as after resampling; "
        "take nearest neighbors there, and save it with integers"
    )


def _distance(header: Header) -> Segmentation:
    volume = header.volume(read_values(header).astype(np.float32, copy=False))
    if broken := volume.not_finite:
        raise DataError(
            f"{header.path}: mask holds {broken} voxels that are no number (NaN or infinite); "
            "repair it"
        )
    try:
        distance = signed_distance(volume)
    except ValueError as error:
        raise DataError(f"{header.path}: {error}") from error
    if distance is None:
        return _segmentation(header, volume.array > 0)
    return Segmentation(distance, True, header.notes, header.shear_mm)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("ITK ERROR", "Error"))]
    return (said or lines or [type(error).__name__])[-1]
