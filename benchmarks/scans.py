"""One scan in other clothes: turned, flipped, resampled, cropped, saved in other formats.

All variants show the same body at the same place of the scanner: only the grid of voxels that it
was sampled on, or the file, is another.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

from massm.geometry.volume import Volume
from massm.io.images import read_scan, write_image

AIR_HU = -1024


def stored_otherwise(volume: Volume, folder: Path) -> Iterator[tuple[str, Volume]]:
    """Yield the same voxels in another order, or read back from another format."""
    yield "turned 90 degrees", permuted(volume, (1, 0, 2), (1, 0, 0))
    yield "turned 180 degrees", permuted(volume, (0, 1, 2), (1, 1, 0))
    yield "turned 270 degrees", permuted(volume, (1, 0, 2), (0, 1, 0))
    yield "slices sagittal", permuted(volume, (1, 2, 0), (0, 0, 0))
    yield "slices coronal", permuted(volume, (0, 2, 1), (0, 0, 0))
    yield "flipped in z", permuted(volume, (0, 1, 2), (0, 0, 1))
    yield "flipped in x, y, z", permuted(volume, (0, 1, 2), (1, 1, 1))
    for ending in (".nii.gz", ".nrrd", ".mha"):
        write_image(volume, folder / f"scan{ending}")
        yield f"saved as {ending}", read_scan(folder / f"scan{ending}").volume
    write_dicom(volume, folder / "dicom")
    yield "saved as DICOM", read_scan(folder / "dicom").volume


def sampled_otherwise(
    volume: Volume, low: np.ndarray, high: np.ndarray
) -> Iterator[tuple[str, Volume]]:
    """Yield the scan on oblique, finer and coarser grids, and cut to a box (corners, LPS mm)."""
    angle = np.radians(10)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    )
    tilt = np.array(
        [[1.0, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    yield "turned 10 degrees about z", resampled(volume, volume.spacing, turn @ volume.direction)
    yield "tilted 10 degrees about x", resampled(volume, volume.spacing, tilt @ volume.direction)
    for factor in (0.7, 1.5):
        yield f"voxels {factor} times as wide", resampled(volume, factor * volume.spacing)
    yield "cropped", cropped(volume, low, high)


def permuted(volume: Volume, axes: tuple[int, int, int], flips: tuple[int, int, int]) -> Volume:
    """Store a scan with its index axes in another order and direction; nothing moves in space.

    Args:
        volume: The scan.
        axes: Which x, y, z index axis becomes the first, second, third.
        flips: 1 for each new axis that runs the other way.
    """
    array = volume.array.transpose(*(2 - axes[axis] for axis in (2, 1, 0)))
    spacing, direction = volume.spacing[list(axes)], volume.direction[:, list(axes)]
    signs = np.where(flips, -1, 1)
    array = array[tuple(slice(None, None, int(sign)) for sign in signs[::-1])]
    ends = np.where(flips, np.array(array.shape[::-1]) - 1, 0)
    origin = volume.origin + direction @ (ends * spacing)
    return Volume(np.ascontiguousarray(array), spacing, origin, direction * signs)


def resampled(volume: Volume, spacing: np.ndarray, direction: np.ndarray | None = None) -> Volume:
    """Sample a scan on another grid that covers it, with cubic splines, air outside."""
    direction = volume.direction if direction is None else direction
    corners = volume.corners() @ direction  # along the new axes
    low, high = corners.min(0), corners.max(0)
    size = np.floor((high - low) / spacing + 1e-6).astype(int) + 1
    grid = Volume(np.zeros((1, 1, 1)), spacing, direction @ low, direction)
    to_index = np.linalg.inv(volume.direction * volume.spacing)
    matrix = to_index @ (grid.direction * grid.spacing)
    offset = to_index @ (grid.origin - volume.origin)
    array = ndimage.affine_transform(
        volume.array.astype(np.float32),
        matrix[::-1, ::-1],
        offset[::-1],
        output_shape=tuple(int(n) for n in size[::-1]),
        order=3,
        mode="constant",
        cval=AIR_HU,
    )
    return replace(grid, array=np.clip(np.rint(array), -2048, 32767).astype(np.int16))


def cropped(volume: Volume, low: np.ndarray, high: np.ndarray) -> Volume:
    """Keep the voxels of the smallest index box that holds a box of space."""
    corners = [
        [x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])
    ]
    index = volume.point_to_index(np.array(corners))
    first = np.clip(np.floor(index.min(0)), 0, None).astype(int)
    last = np.minimum(np.ceil(index.max(0)).astype(int), np.array(volume.size) - 1)
    (x0, y0, z0), (x1, y1, z1) = first, last + 1
    array = np.ascontiguousarray(volume.array[z0:z1, y0:y1, x0:x1])
    return replace(volume, array=array, origin=volume.index_to_point(first.astype(float)))


def write_dicom(volume: Volume, folder: Path) -> None:
    """Write a scan of whole HU as a DICOM CT series, one file a slice."""
    folder.mkdir(parents=True)
    common = Dataset()
    common.SOPClassUID, common.Modality = CTImageStorage, "CT"
    common.PatientID, common.PatientName, common.StudyID = "benchmark", "benchmark", "1"
    common.StudyInstanceUID, common.SeriesInstanceUID = generate_uid(), generate_uid()
    common.FrameOfReferenceUID = generate_uid()
    common.Rows, common.Columns = volume.array.shape[1:]
    common.PixelSpacing = [float(volume.spacing[1]), float(volume.spacing[0])]
    common.SliceThickness = float(volume.spacing[2])
    common.ImageOrientationPatient = _decimals(volume.direction[:, :2].T.ravel())
    common.SamplesPerPixel, common.PhotometricInterpretation = 1, "MONOCHROME2"
    common.BitsAllocated, common.BitsStored, common.HighBit = 16, 16, 15
    common.PixelRepresentation, common.RescaleSlope, common.RescaleIntercept = 1, 1, 0
    for k, values in enumerate(np.asarray(volume.array, np.int16)):
        each = Dataset()
        each.update(common)
        each.SOPInstanceUID, each.InstanceNumber = generate_uid(), k + 1
        each.ImagePositionPatient = _decimals(volume.index_to_point(np.array([0.0, 0, k])))
        each.PixelData = values.astype("<i2").tobytes()
        each.file_meta = FileMetaDataset()
        each.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        each.file_meta.MediaStorageSOPClassUID = each.SOPClassUID
        each.file_meta.MediaStorageSOPInstanceUID = each.SOPInstanceUID
        each.save_as(folder / f"{k:04}.dcm", enforce_file_format=True)


def _decimals(numbers: np.ndarray) -> list[str]:
    """Write numbers in the 16 characters that DICOM gives each."""
    return [
        next(s for digits in range(14, 0, -1) if len(s := f"{x:.{digits}g}") <= 16) for x in numbers
    ]
