"""Write a label map as DICOM SEG that belongs to its CT: same study, frame of reference, slices."""

import hashlib
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped
from pydicom import Dataset, dcmread

from massm.geometry.volume import Volume
from massm.io.atomic import replacing
from massm.io.dicom.files import reading
from massm.io.dicom.series import ct_stack
from massm.io.dicom.slices import Slice
from massm.io.dicom.stack import Stack
from massm.io.errors import DataError
from massm.io.label_maps import Segment

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

_NAME = "massm"
_SERIES_NUMBER = 900  # beyond those of scanners
_PLACE_MM = 1e-3  # label map and slices are one grid up to rounding


def write_segmentation(
    labels: Volume, segments: Sequence[Segment], series: Path, path: Path, version: str
) -> None:
    """Write a DICOM SEG (binary, one segment for each anatomy) by highdicom.

    Patient, study and frame of reference are the CT's; each frame names the slice it lies on. The
    identifiers of the new object are made from its content: the same result has the same ones.

    Args:
        labels: Labels on the grid that :func:`massm.io.dicom.read_series` gives the series.
        segments: What labels stand for; those without a voxel are left out.
        series: File or folder of the CT series.
        path: Where to.
        version: Of the program, to be named in the object.

    Raises:
        DataError: If the series was resampled as it was read (tilted gantry, uneven distances), so
            that no slice has the label map's voxels; if nothing is labelled; if the CT lacks what a
            SEG needs; or without highdicom.
        OSError: If it cannot be written.
    """
    refuse_without_writer()
    stack = ct_stack(Path(series))
    _refuse_resampled(stack, series)
    _refuse_other_grid(stack, labels, series)
    kept = [each for each in segments if (labels.array == each.label).any()]
    if not kept:
        raise DataError(f"{series}: no voxel is labelled, and a DICOM SEG without segments is none")
    numbers = np.zeros(int(labels.array.max()) + 1, np.uint8)
    for number, segment in enumerate(kept, start=1):
        numbers[segment.label] = number
    slices = [layer[0] for layer in stack.layers]
    sources, planes = _planes(slices, numbers[labels.array], series)
    with reading(str(series)):
        made = _object(sources, planes, kept, version)
    with replacing(path) as temporary:
        made.save_as(temporary)


def refuse_without_writer() -> None:
    """Refuse to go on without highdicom, before time is spent on what it would write.

    Raises:
        DataError: With what to install.
    """
    if util.find_spec("highdicom") is None:
        raise DataError(
            "DICOM SEG needs the package highdicom; install it, or massm with its extra dicom"
        )


def _refuse_resampled(stack: Stack, series: Path) -> None:
    if stack.is_uneven or stack.shifts.any():
        said = "; ".join(stack.notes)
        raise DataError(
            f"{series}: frames of a DICOM SEG have to lie on the CT's slices, and those were "
            f"resampled ({said}); use the label map"
        )


def _refuse_other_grid(stack: Stack, labels: Volume, series: Path) -> None:
    grid = stack.grid
    off = np.abs(labels.affine - Volume(labels.array, *grid[1:]).affine).max()
    if labels.size != grid.size or off > _PLACE_MM:
        raise DataError(
            f"{series}: the label map's grid ({labels.size}) is not that of the series "
            f"({grid.size}), {off:.3g} mm apart; predict this series"
        )


def _planes(
    slices: list[Slice], numbers: Shaped[np.ndarray, "D H W"], series: Path
) -> tuple[list[Dataset], Shaped[np.ndarray, "F H W"]]:
    """Read the headers of the CT and put the planes in their order, as highdicom wants them."""
    paths = list(dict.fromkeys(each.path for each in slices))
    with reading(str(series)):
        sources: list[Dataset] = [dcmread(path, stop_before_pixels=True) for path in paths]
    if slices[0].frame is None and len(paths) == len(slices):
        return sources, numbers
    if len(paths) > 1:
        raise DataError(
            f"{series}: {len(paths)} multi-frame files, expected one CT in one file or in one file "
            "for each slice; use the label map"
        )
    planes = np.zeros((int(sources[0].NumberOfFrames), *numbers.shape[1:]), numbers.dtype)
    for each, plane in zip(slices, numbers, strict=True):
        planes[each.frame or 0] = plane
    return sources, planes


def _object(
    sources: list[Dataset],
    planes: Shaped[np.ndarray, "F H W"],
    segments: Sequence[Segment],
    version: str,
) -> Dataset:
    from highdicom.seg import Segmentation, SegmentationTypeValues

    content = hashlib.sha256(planes.tobytes())
    content.update("|".join(segment.name for segment in segments).encode() + version.encode())
    origin = str(sources[0].SeriesInstanceUID)
    return Segmentation(
        source_images=sources,
        pixel_array=planes,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(number, segment, origin, version)
            for number, segment in enumerate(segments, start=1)
        ],
        series_instance_uid=_uid(origin, content.hexdigest(), "series"),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=_uid(origin, content.hexdigest(), "object"),
        instance_number=1,
        manufacturer=_NAME,
        manufacturer_model_name=_NAME,
        software_versions=version,
        device_serial_number="0",
        content_label="SEGMENTATION",
        content_description="Anatomies found by a model",
        series_description="massm segmentation",
    )


def _description(number: int, segment: Segment, origin: str, version: str) -> "SegmentDescription":
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes

    red, green, blue = (round(255 * part) for part in segment.color)
    return SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:64],
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=codes.SCT.Organ,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=_NAME, family=codes.DCM.ArtificialIntelligence, version=version
        ),
        tracking_uid=_uid(origin, segment.name),
        tracking_id=segment.name,
        display_color=CIELabColor.from_rgb(red, green, blue),
    )


def _uid(*parts: str) -> str:
    """Make an identifier from texts (ITU-T X.667: 2.25 and a number of 128 bits)."""
    return f"2.25.{int.from_bytes(hashlib.sha256('|'.join(parts).encode()).digest()[:16])}"
