"""Images and masks: NIfTI, NRRD, MetaImage and DICOM series, through itk.

itk hands out LPS millimeters for all of them, so nothing here flips an axis by hand.
"""

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import itk
import numpy as np

from massm.geometry.signed_distance import signed_distance
from massm.geometry.volume import Volume
from massm.io import suffixes
from massm.io.atomic import replacing
from massm.io.dicom import describe_series, is_dicom, read_segmentation, read_series
from massm.io.errors import DataError

_NIFTI = (".nii", ".nii.gz")
_SMALLEST_NIFTI_HEADER = 352  # bytes

_REAL = (itk.CommonEnums.IOComponent_FLOAT, itk.CommonEnums.IOComponent_DOUBLE)

SUFFIXES = suffixes.IMAGES


class Header(NamedTuple):
    """What an image file says of itself before its values are read."""

    size: tuple[int, ...]
    spacing: np.ndarray
    origin: np.ndarray
    direction: np.ndarray


def read_header(path: Path) -> Header:
    """Read size, spacing, origin and direction alone; also of images that are not 3D.

    Raises:
        DataError: If the file is missing or no image.
    """
    if Path(path).is_dir():
        return Header(*describe_series(Path(path)).grid)
    image_io = _open(Path(path))
    axes = range(image_io.GetNumberOfDimensions())
    return Header(
        tuple(int(image_io.GetDimensions(i)) for i in axes),
        np.array([image_io.GetSpacing(i) for i in axes]),
        np.array([image_io.GetOrigin(i) for i in axes]),
        np.array([image_io.GetDirection(i) for i in axes]).T,
    )


def read_image(path: Path) -> Volume:
    """Read a 3D image as float32 (CT: Hounsfield units). A folder is read as a DICOM series.

    Raises:
        DataError: If it is missing, damaged, not 3D, or a folder without exactly one series.
    """
    path = Path(path)
    if path.is_dir():
        volume = read_series(path).volume
        return volume.with_array(volume.array.astype(np.float32, copy=False))
    _check_3d(path)
    return _read(str(path), path, itk.F)


def read_mask(path: Path, label: int | None = None) -> Volume:
    """Read a 3D mask as booleans: voxels above 0, or equal to ``label`` of a label map.

    Of a signed distance (:func:`read_distance`) the inside is true.

    Raises:
        DataError: If it is missing, damaged, not 3D, or neither a mask nor a signed distance.
    """
    path = Path(path)
    if is_dicom(path):
        return read_segmentation(path, label).volume
    _check_3d(path)
    volume = _read(str(path), path, itk.F)
    if label is not None:
        return volume.with_array(np.rint(volume.array) == label)
    distance = _distance_in(volume, path) if _holds_real_numbers(path) else None
    return volume.with_array((distance or volume).array > 0)


def read_distance(path: Path) -> Volume | None:
    """Read a signed distance, its inside positive (mm); None if the file holds a mask.

    Raises:
        DataError: If it is missing, damaged, not 3D, or real numbers that are neither of both.
    """
    path = Path(path)
    if is_dicom(path) or not _holds_real_numbers(path):
        return None
    _check_3d(path)
    return _distance_in(_read(str(path), path, itk.F), path)


def write_image(volume: Volume, path: Path) -> None:
    """Write a volume, whole or not at all; booleans become 0 and 1 of one byte.

    Raises:
        OSError: If the file cannot be written.
    """
    array = volume.array.astype(np.uint8) if volume.array.dtype == bool else volume.array
    path = Path(path)
    image = itk.image_from_array(np.ascontiguousarray(array))
    image.SetSpacing([float(x) for x in volume.spacing])
    image.SetOrigin([float(x) for x in volume.origin])
    image.SetDirection(itk.matrix_from_array(np.ascontiguousarray(volume.direction, float)))
    with replacing(path) as temporary:
        try:
            itk.imwrite(image, str(temporary), compression=True)
            if path.name.lower().endswith(_NIFTI):  # its writer says nothing of a full disk
                _check_complete(temporary, _open(temporary))
        except (RuntimeError, DataError) as error:
            raise OSError(None, _first_line(error)) from error


def _open(path: Path) -> "itk.ImageIOBase":
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    image_io = itk.ImageIOFactory.CreateImageIO(str(path), itk.CommonEnums.IOFileMode_ReadMode)
    if image_io is None:
        raise DataError(f"{path}: no image format known here; use one of {', '.join(SUFFIXES)}")
    image_io.SetFileName(str(path))
    try:
        image_io.ReadImageInformation()
    except RuntimeError as error:
        raise DataError(f"{path}: header cannot be read ({_first_line(error)})") from error
    return image_io


def _holds_real_numbers(path: Path) -> bool:
    return _open(path).GetComponentType() in _REAL


def _distance_in(volume: Volume, path: Path) -> Volume | None:
    try:
        return signed_distance(volume)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _check_3d(path: Path) -> None:
    image_io = _open(path)
    if path.name.lower().endswith(_NIFTI):
        _check_complete(path, image_io)
    size = [int(image_io.GetDimensions(i)) for i in range(image_io.GetNumberOfDimensions())]
    if len([n for n in size if n > 1]) != 3 or len(size) < 3:
        raise DataError(f"{path}: expected a 3D image, found size {' x '.join(map(str, size))}")


def _check_complete(path: Path, image_io: "itk.ImageIOBase") -> None:
    """Refuse a NIfTI file that ends early: itk would fill the rest with zeros and say nothing."""
    axes = range(image_io.GetNumberOfDimensions())
    voxels = int(np.prod([image_io.GetDimensions(i) for i in axes]))
    voxel_bytes = image_io.GetComponentSize() * image_io.GetNumberOfComponents()
    expected = _SMALLEST_NIFTI_HEADER + voxels * voxel_bytes
    found = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while chunk := file.read(1 << 20):
                found += len(chunk)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: truncated or damaged ({error}); copy the file again") from error
    if found < expected:
        raise DataError(
            f"{path}: truncated, holds {found} of at least {expected} bytes; copy the file again"
        )


def _read(source: str, path: Path, pixel: object) -> Volume:
    try:
        image = itk.imread(source, pixel)
    except (RuntimeError, TypeError) as error:
        raise DataError(f"{path}: cannot be read, damaged? ({_first_line(error)})") from error
    if image.GetImageDimension() != 3:
        raise DataError(f"{path}: expected a 3D image, found {image.GetImageDimension()}D")
    return Volume(
        itk.array_from_image(image),
        np.array(image.GetSpacing(), float),
        np.array(image.GetOrigin(), float),
        itk.array_from_matrix(image.GetDirection()),
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("ITK ERROR", "Error"))]
    return (said or lines or [type(error).__name__])[-1]
