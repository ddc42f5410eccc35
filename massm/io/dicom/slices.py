"""What one slice says of itself: its place, its size, and how its values are stored.

A classic object is one slice; of a multi-frame object each frame is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from pydicom import Dataset

from massm.io.dicom.files import DicomFile, reading
from massm.io.errors import DataError

_PERPENDICULAR = 1e-3  # cosine between rows and columns; 0 but for rounding
_TRAITS = (  # what tells acquisitions of one series apart
    "AcquisitionNumber",
    "FrameAcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
    "TriggerTime",
    "EchoNumbers",
    "EchoTime",
    "KVP",
    "ConvolutionKernel",
    "ContrastBolusAgent",
    "SeriesDescription",
    "SliceThickness",
    "StackID",
    "ImageType",
    "FrameType",
    "AcquisitionDateTime",
    "FrameAcquisitionDateTime",
    "AcquisitionTime",
    "ContentTime",
)
_MACROS = {  # where a multi-frame object keeps what a classic one has at its top
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "StackID": "FrameContentSequence",
    "FrameType": "CTImageFrameTypeSequence",
    "NominalPercentageOfCardiacPhase": "CardiacSynchronizationSequence",
    "ConvolutionKernel": "CTReconstructionSequence",
    "KVP": "CTXRayDetailsSequence",
    "ReferencedSegmentNumber": "SegmentIdentificationSequence",
}


class Scale(NamedTuple):
    """How stored numbers become values.

    Attributes:
        slope: Factor; None if the file does not say.
        intercept: Summand after it; None if the file does not say.
        unit: What the values are: HU, or what else the file says.
        padding: Lowest and highest stored number of pixels that hold no measurement, or None.
    """

    slope: float | None
    intercept: float | None
    unit: str
    padding: tuple[int, int] | None


@dataclass(frozen=True)
class Slice:
    """One plane of pixels and its place.

    Attributes:
        path: Its file.
        frame: Its number in a multi-frame file, from 0; None in a classic one.
        size: Columns and rows.
        spacing: Distance between columns and between rows, mm.
        position: LPS millimeters of the first pixel's center.
        row: Unit direction along which the column index grows, LPS.
        column: Unit direction along which the row index grows, LPS.
        scale: How stored numbers become values.
        image_type: Terms as ORIGINAL, AXIAL, LOCALIZER.
        traits: What may tell acquisitions apart, by attribute.
        thickness: What the file says of it or of the distance to the next slice, mm, or None.
    """

    path: Path
    frame: int | None
    size: tuple[int, int]
    spacing: Float[np.ndarray, "2"]
    position: Float[np.ndarray, "3"]
    row: Float[np.ndarray, "3"]
    column: Float[np.ndarray, "3"]
    scale: Scale
    image_type: tuple[str, ...]
    traits: dict[str, str]
    thickness: float | None

    @property
    def name(self) -> str:
        """File name, with the frame's number from 1 on."""
        return self.path.name + ("" if self.frame is None else f" frame {self.frame + 1}")

    @property
    def normal(self) -> Float[np.ndarray, "3"]:
        """Unit direction across the slice, LPS."""
        return np.cross(self.row, self.column)


class Fields:
    """Attributes of one slice, wherever its object keeps them."""

    def __init__(self, header: Dataset, frame: int | None = None) -> None:
        self._header = header
        self._groups: list[Dataset] = []
        if frame is not None:
            self._groups = [header.PerFrameFunctionalGroupsSequence[frame]]
            self._groups += list(header.get("SharedFunctionalGroupsSequence", None) or [])

    def get(self, keyword: str) -> object:
        """Find an attribute; None if it is missing or empty."""
        for group in self._groups:
            for item in group.get(_MACROS.get(keyword, ""), None) or []:
                if _is_given(item.get(keyword, None)):
                    return item.get(keyword)
        value = self._header.get(keyword, None)
        return value if _is_given(value) else None

    def numbers(self, keyword: str, count: int) -> Float[np.ndarray, " n"] | None:
        """Find an attribute of ``count`` finite numbers; None if it is missing.

        Raises:
            ValueError: If it holds anything else.
        """
        value = self.get(keyword)
        if value is None:
            return None
        found = np.atleast_1d(np.asarray(value, float))
        if found.shape != (count,) or not np.isfinite(found).all():
            raise ValueError(f"{keyword} is {value}, expected {count} finite numbers")
        return found

    def number(self, keyword: str) -> float | None:
        """Find an attribute of one finite number; None if it is missing."""
        found = self.numbers(keyword, 1)
        return None if found is None else float(found[0])


def slices_of(found: DicomFile) -> list[Slice]:
    """Read the slices of an object from its header.

    Raises:
        DataError: If it lacks size, place, direction or spacing, or holds colors.
    """
    with reading(str(found.path)):
        _check_gray(found)
        frames = int(found.header.get("NumberOfFrames", 1) or 1)
        if "PerFrameFunctionalGroupsSequence" not in found.header:
            if frames > 1:
                raise DataError(_without_places(found, frames))
            return [read_slice(found, None)]
        groups = len(found.header.PerFrameFunctionalGroupsSequence)
        if groups != frames:
            raise DataError(
                f"{found.path}: says {frames} frames and describes {groups}; export it again"
            )
        return [read_slice(found, frame) for frame in range(frames)]


def read_slice(found: DicomFile, frame: int | None) -> Slice:
    """Read one slice from an object's header.

    Raises:
        DataError: If it lacks size, place, direction or spacing.
    """
    fields = Fields(found.header, frame)
    name = str(found.path) + ("" if frame is None else f" frame {frame + 1}")
    try:
        row, column = _directions(fields)
        return Slice(
            found.path,
            frame,
            _size(found.header),
            _spacing(fields),
            _required(fields, "ImagePositionPatient", 3),
            row,
            column,
            _scale(found, fields),
            _image_type(found.header, fields),
            dict(_traits(fields)),
            fields.number("SpacingBetweenSlices") or fields.number("SliceThickness"),
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}") from error


def is_localizer(header: Dataset) -> bool:
    """Tell whether an object calls itself a localizer (scout, topogram)."""
    return bool({"LOCALIZER", "SCOUT"} & set(_image_type(header, Fields(header))))


def _is_given(value: object) -> bool:
    return value is not None and str(value).strip() not in ("", "[]")


def _required(fields: Fields, keyword: str, count: int) -> Float[np.ndarray, " n"]:
    found = fields.numbers(keyword, count)
    if found is None:
        raise ValueError(
            f"no {keyword}: size and place of its pixels are unknown; export the series anew, with "
            "all of its geometry, or give an image that has it (NIfTI, NRRD)"
        )
    return found


def _size(header: Dataset) -> tuple[int, int]:
    columns, rows = header.get("Columns", None), header.get("Rows", None)
    if not columns or not rows:
        raise ValueError(f"holds no pixels: {columns} columns and {rows} rows")
    return int(columns), int(rows)


def _check_gray(found: DicomFile) -> None:
    kind = str(found.header.get("PhotometricInterpretation", "") or "").strip()
    samples = int(found.header.get("SamplesPerPixel", 1) or 1)
    if samples != 1:
        raise DataError(
            f"{found.path}: {samples} components in each pixel ({kind}), expected one gray value"
        )
    if kind not in ("MONOCHROME2", ""):
        raise DataError(
            f"{found.path}: pixels are {kind}, expected MONOCHROME2: gray values that grow with HU"
        )


def _spacing(fields: Fields) -> Float[np.ndarray, "2"]:
    between_rows, between_columns = _required(fields, "PixelSpacing", 2)
    if between_rows <= 0 or between_columns <= 0:
        raise ValueError(f"PixelSpacing is {between_rows:g} x {between_columns:g} mm, expected > 0")
    return np.array([between_columns, between_rows])


def _directions(fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal directions; rounding in the file is taken out."""
    found = _required(fields, "ImageOrientationPatient", 6)
    lengths = np.linalg.norm(found.reshape(2, 3), axis=1)
    if np.abs(lengths - 1).max() > 0.01:
        raise ValueError(f"ImageOrientationPatient is {_by(found)}, expected two unit vectors")
    row, column = found[:3] / lengths[0], found[3:] / lengths[1]
    if abs(row @ column) > _PERPENDICULAR:
        raise ValueError(
            f"ImageOrientationPatient is {_by(found)}: rows and columns are not perpendicular"
        )
    column = column - (row @ column) * row
    return row, column / np.linalg.norm(column)


def _scale(found: DicomFile, fields: Fields) -> Scale:
    if found.header.get("ModalityLUTSequence", None):
        raise ValueError(
            "values are stored through a table (Modality LUT), expected a RescaleSlope"
        )
    slope, intercept = fields.number("RescaleSlope"), fields.number("RescaleIntercept")
    if slope == 0:
        raise ValueError("RescaleSlope is 0: every value is the same")
    first = found.header.get("PixelPaddingValue", None)
    last = found.header.get("PixelPaddingRangeLimit", first)
    padding = None
    if isinstance(first, int) and isinstance(last, int):
        padding = (min(first, last), max(first, last))
    return Scale(slope, intercept, str(fields.get("RescaleType") or "").strip().upper(), padding)


def _image_type(header: Dataset, fields: Fields) -> tuple[str, ...]:
    terms: list[object] = []
    for keyword in ("ImageType", "FrameType"):
        value = fields.get(keyword)
        terms += [value] if isinstance(value, str) else list(value or [])  # type: ignore[call-overload]
    return tuple(str(term).strip().upper() for term in terms)


def _traits(fields: Fields) -> Iterator[tuple[str, str]]:
    for keyword in _TRAITS:
        value = fields.get(keyword)
        if value is not None:
            many = not isinstance(value, str) and hasattr(value, "__iter__")
            yield keyword, "\\".join(map(str, value)) if many else _plain(value)  # type: ignore[call-overload]


def _plain(value: object) -> str:
    """Write a number as it is, not as the file does: 5 and 5.0 are one."""
    return f"{float(value):.10g}" if isinstance(value, int | float) else str(value)


def _without_places(found: DicomFile, frames: int) -> str:
    return (
        f"{found.path}: {frames} frames in one object ({found.sop_class.name}) without a place for "
        "each (PerFrameFunctionalGroupsSequence); export it as a series of CT slices or as NIfTI"
    )


def _by(values: np.ndarray) -> str:
    return "\\".join(f"{value:g}" for value in values)
