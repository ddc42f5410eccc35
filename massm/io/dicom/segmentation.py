"""Masks as DICOM: segmentation objects (SEG), and series whose pixels are a mask or labels."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool

from massm.io.dicom.files import DicomFile, listed, objects, reading
from massm.io.dicom.pixels import Pixels
from massm.io.dicom.series import contents, image_stack
from massm.io.dicom.slices import Fields, Slice, read_slice
from massm.io.dicom.stack import Stack, stack_of
from massm.io.dicom.volumes import DicomImage, fill
from massm.io.errors import DataError, SeveralLabelsError

_SAME_PLACE_MM = 0.01  # frames nearer than this lie at one place
_WHOLE = 0.1  # distances that differ by less from whole multiples are whole
_MOST_LABELS = 256  # more values than this are no label map
_LARGEST = 65535  # label that programs give
_SHOWN = 20  # labels that a message shows


def read_segmentation(path: Path, label: int | None = None) -> DicomImage:
    """Read one mask as booleans from a SEG object, or from a series of slices with labels.

    A SEG object (a file, or the one in a folder) may hold a part of its CT's frames alone: frames
    without the anatomy are often left out. The volume then covers from its first to its last frame;
    :func:`massm.io.dicom.placement.on_grid_of` puts it on the CT's grid.

    Args:
        path: A SEG file, or a folder with one or with a series.
        label: Number of the segment, or label of the series; None if there is one anatomy alone.

    Raises:
        SeveralLabelsError: If it holds several masks and no ``label`` is given.
        DataError: If it holds no mask: what was found, what to do.
    """
    path = Path(path)
    found = objects(path)
    segmentations = [each for each in found if _is_segmentation(each)]
    if len(segmentations) > 1:
        raise DataError(
            f"{path}: expected one DICOM SEG, found {len(segmentations)} "
            f"({listed(each.path.name for each in segmentations)}); give the file"
        )
    if segmentations:
        image = _read_seg(segmentations[0], label)
        others = [each for each in found if each is not segmentations[0]]
        notes = (f"left out: {contents(others)}",) if others else ()
        return image._replace(notes=(*notes, *image.notes))
    contours = [each for each in found if each.modality == "RTSTRUCT"]
    if contours and not any("Rows" in each.header for each in found):
        raise DataError(_contours(path, contours))
    return _read_labels(found, label, str(path))


def _is_segmentation(each: DicomFile) -> bool:
    return each.modality == "SEG" or "SegmentSequence" in each.header


def _contours(path: Path, contours: list[DicomFile]) -> str:
    with reading(str(contours[0].path)):
        names = [
            str(roi.get("ROIName", "?"))
            for each in contours
            for roi in each.header.get("StructureSetROISequence", None) or []
        ]
    return (
        f"{path}: holds contours (RTSTRUCT, {listed(names) or 'none'}), expected voxels; make "
        "masks of them with the CT they were drawn on (3D Slicer, plastimatch, dcmrtstruct2nii)"
    )


def _read_labels(found: list[DicomFile], label: int | None, name: str) -> DicomImage:
    """Read a series whose pixels are a mask or labels."""
    stack = image_stack(found, name, None)
    pixels = Pixels()
    wanted = _only_label(stack, pixels, name) if label is None else label
    ranges = []

    def inside(each: Slice) -> Bool[np.ndarray, "H W"]:
        values = pixels.values(each)
        ranges.append((values.min(), values.max()))
        return np.asarray(values == wanted)

    image = _booleans(fill(stack, inside, 0.0, np.bool_, name))
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if wanted is not None and not image.volume.array.any() and (low < 0 or high > _LARGEST):
        raise DataError(
            f"{name}: no pixel is {wanted:g}, they are {low:g} to {high:g}: an image, or labels "
            "with the scale of a CT (RescaleIntercept); store labels as they are, from 0 on"
        )
    return image


def _only_label(stack: Stack, pixels: Pixels, name: str) -> float | None:
    """Find the value of the anatomy in a mask: the higher of two; None where all is background."""
    found: set[float] = set()
    for layer in stack.layers:
        found |= {value.item() for value in np.unique(pixels.values(layer[0]))}
        if len(found) > _MOST_LABELS:
            raise DataError(
                f"{name}: pixels take more than {_MOST_LABELS} values, from {min(found):g} on: "
                "an image, expected a mask or labels; give the mask"
            )
    if len(found) > 2:
        labels = sorted(found - {0})
        raise SeveralLabelsError(
            f"{name}: a label map of {len(labels)} labels "
            f"({', '.join(f'{value:g}' for value in labels[:_SHOWN])}"
            f"{', ...' if len(labels) > _SHOWN else ''})"
        )
    if len(found) == 1 and found != {0}:
        raise DataError(
            f"{name}: every pixel is {found.pop():g}: no mask; expected 0 outside of the anatomy"
        )
    return float(max(found)) if len(found) == 2 else None


def _read_seg(seg: DicomFile, label: int | None) -> DicomImage:
    name = str(seg.path)
    with reading(name):
        number = _segment(seg, label)
        kind = str(seg.header.get("SegmentationType", "")).strip().upper()
        most = int(seg.header.get("MaximumFractionalValue", 1) or 1)
        count = int(seg.header.get("NumberOfFrames", 1) or 1)
        if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise DataError(f"{name}: SegmentationType {kind!r} is none that is known")
        frames = [read_slice(seg, frame) for frame in range(count)]
        owners = [
            Fields(seg.header, frame).number("ReferencedSegmentNumber") for frame in range(count)
        ]
    pixels = Pixels()

    def inside(each: Slice) -> Bool[np.ndarray, "H W"]:
        stored = pixels.stored(each)
        if kind == "LABELMAP":
            return np.asarray(stored == number)
        return np.asarray(stored > 0 if kind == "BINARY" else 2 * stored.astype(int) >= most)

    stack = stack_of(frames, name, _distance(frames, name))
    if kind != "LABELMAP":
        stack = _frames_of(
            stack, {frames[k].frame for k in range(count) if owners[k] == number}, name
        )
    return _booleans(fill(stack, inside, 0.0, np.bool_, name))


def _segment(seg: DicomFile, label: int | None) -> int:
    names = {
        int(each.SegmentNumber): str(each.get("SegmentLabel", "") or "").strip()
        for each in seg.header.get("SegmentSequence", None) or []
    }
    names.pop(0, None)  # the background of a label map
    said = ", ".join(f"{number} {name!r}" for number, name in sorted(names.items()))
    if not names:
        raise DataError(f"{seg.path}: a DICOM SEG without segments; export it anew")
    if label is None and len(names) == 1:
        return next(iter(names))
    if label is None:
        how = "give the number of the anatomy's segment as its label"
        raise SeveralLabelsError(f"{seg.path}: segments are {said}", how)
    if label not in names:
        raise DataError(f"{seg.path}: no segment {label}; segments are {said}")
    return label


def _distance(frames: list[Slice], name: str) -> float | None:
    """Find the distance between places of frames, some of them empty; None if it is uneven."""
    normal = frames[0].normal
    depths = np.sort([float(normal @ each.position) for each in frames])
    gaps = np.diff(depths)
    gaps = gaps[gaps > _SAME_PLACE_MM]
    said = frames[0].thickness
    if not len(gaps):
        if said is None:
            raise DataError(
                f"{name}: one frame, of unknown thickness (no SpacingBetweenSlices); give the mask "
                "as NIfTI or NRRD"
            )
        return said
    for between in (float(gaps.min()), said):
        if between is not None:
            steps = np.rint(gaps / between)
            even = float(gaps.sum() / max(steps.sum(), 1))
            if steps.min() >= 1 and np.abs(gaps - steps * even).max() < _WHOLE * even:
                return even
    return None


def _frames_of(stack: Stack, wanted: set[int | None], name: str) -> Stack:
    """Keep one segment's frames; the grid covers those of all."""
    layers, places = [], []
    for place, layer in enumerate(stack.layers):
        mine = tuple(each for each in layer if each.frame in wanted)
        if len(mine) > 1:
            raise DataError(
                f"{name}: one segment has {len(mine)} frames at one place "
                f"({listed(each.name for each in mine)}); export the segmentation anew"
            )
        if mine:
            layers.append(mine)
            places.append(place)
    if stack.is_uneven and len(layers) < len(stack.layers):
        raise DataError(
            f"{name}: frames lie unevenly and {len(stack.layers) - len(layers)} are left out: what "
            "lies between cannot be told; give the mask as NIfTI or NRRD"
        )
    return stack._replace(
        layers=tuple(layers), heights=stack.heights[places], shifts=stack.shifts[places]
    )


def _booleans(image: DicomImage) -> DicomImage:
    """Of a mask that was resampled, what is covered by half or more is inside."""
    return image._replace(volume=image.volume.with_array(image.volume.array >= 0.5))
