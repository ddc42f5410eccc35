"""CT series: from the files of a folder to one image in Hounsfield units."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from massm.io.dicom.files import DicomFile, each_object, listed, objects
from massm.io.dicom.pixels import AIR, Pixels
from massm.io.dicom.slices import Slice, is_localizer, slices_of
from massm.io.dicom.stack import SliceGrid, Stack, stack_of
from massm.io.dicom.volumes import DicomImage, fill
from massm.io.errors import DataError

_SCREENSHOT = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture: reports, screens
_NO_IMAGE = ("SEG", "RTDOSE", "RTPLAN", "RTSTRUCT", "RTIMAGE", "SR", "PR", "KO", "REG")
_UNTOLD = ("", "OT")  # modalities of files that do not say what they are
_HU = ("", "HU", "US")  # rescale types of CT; US is "unspecified"


class SeriesGrid(NamedTuple):
    """Where the volume of a series lies, known before its pixels are read."""

    grid: SliceGrid
    notes: tuple[str, ...]


def describe_series(folder: Path) -> SeriesGrid:
    """Find size, spacing, origin and direction of a CT series from headers alone.

    Raises:
        DataError: As :func:`read_series`, but for faults of the pixels.
    """
    stack = ct_stack(Path(folder))
    return SeriesGrid(stack.grid, stack.notes)


def read_series(folder: Path) -> DicomImage:
    """Read the one CT series of a folder, or a multi-frame CT file, in Hounsfield units.

    Positions decide the order. A tilted gantry and uneven distances are resampled linearly as long
    as no value is made up; localizers, slices that repeat others, and objects that are no CT are
    left out; notes say so. Values are int16 where all fit and none is interpolated, else float32.

    Raises:
        DataError: If there is not exactly one series, or its slices make no image: the folder,
            what was found, the files concerned, and what to do.
    """
    folder = Path(folder)
    return fill(ct_stack(folder), Pixels().values, float(AIR), np.int16, str(folder))


def holds_slices(folder: Path) -> bool:
    """Tell whether a folder holds DICOM images that may be slices of a scan.

    Segmentations, contours, doses, plans, registrations, reports, localizers and screens are none.
    """
    return any(
        _is_image(each, None) and not is_localizer(each.header) and not _is_screenshot(each)
        for each in each_object(folder)
    )


def image_stack(found: list[DicomFile], name: str, wanted: frozenset[str] | None) -> Stack:
    """Find the one series of images among DICOM objects and put its slices in order.

    Args:
        found: Objects of a folder.
        name: Folder or file, for messages.
        wanted: Modalities to read; None for every image.

    Raises:
        DataError: If there is not exactly one series, or its slices make no image.
    """
    images, notes = _images(found, name, wanted)
    slices = [each for image in images for each in slices_of(image)]
    stack = stack_of(slices, name)
    return stack._replace(notes=(*notes, *stack.notes))


def contents(found: list[DicomFile]) -> str:
    """Count objects by modality, with files: 3 MR (a.dcm, b.dcm, c.dcm), 1 SEG (s.dcm)."""
    kinds = defaultdict(list)
    for each in found:
        kinds[each.modality or "without modality"].append(each.path.name)
    return ", ".join(f"{len(names)} {kind} ({listed(names)})" for kind, names in kinds.items())


def ct_stack(folder: Path) -> Stack:
    """Put the slices of the one CT series of a folder, or of a multi-frame file, in order.

    Raises:
        DataError: As :func:`read_series`, but for faults of the pixels.
    """
    name = str(folder)
    found = objects(folder)
    stack = image_stack(found, name, frozenset(("CT", *_UNTOLD)))
    slices = [each for layer in stack.layers for each in layer]
    files = {each.path for each in slices}
    untold = [each for each in found if each.path in files and each.modality in _UNTOLD]
    notes = list(stack.notes)
    if untold:
        notes.append(
            f"{len(untold)} files do not say that they are CT ({untold[0].path.name}, ...)"
        )
    return stack._replace(notes=(*notes, *_scale_notes(slices, name)))


def _images(
    found: list[DicomFile], name: str, wanted: frozenset[str] | None
) -> tuple[list[DicomFile], list[str]]:
    """Choose the objects of the one series; say what is left out."""
    _refuse_without_pixels(found, name)
    images = [each for each in found if _is_image(each, wanted)]
    others = [each for each in found if not _is_image(each, wanted)]
    localizers = [each for each in images if is_localizer(each.header)]
    images = [each for each in images if not is_localizer(each.header)]
    screens = [each for each in images if _is_screenshot(each)]
    if len(screens) < len(images):
        images = [each for each in images if not _is_screenshot(each)]
    else:
        screens = []
    if not images:
        raise DataError(_no_images(found, localizers, name, wanted))
    series = defaultdict(list)
    for each in images:
        series[str(each.header.get("SeriesInstanceUID", ""))].append(each)
    if len(series) > 1:
        raise DataError(
            f"{name}: expected one DICOM series, found {len(series)}: "
            f"{listed(_described(each) for each in series.values())}; "
            "keep the slices of one CT alone in a folder"
        )
    notes = [
        f"left out: {what}{contents(each)}"
        for what, each in (("", others), ("localizers, ", localizers), ("screens, ", screens))
        if each
    ]
    return images, notes


def _refuse_without_pixels(found: list[DicomFile], name: str) -> None:
    """Refuse images that end before their size is told."""
    cut = [
        each.path.name
        for each in found
        if "Rows" not in each.header
        and ("Image Storage" in each.sop_class.name or not each.modality)
    ]
    if cut:
        raise DataError(
            f"{name}: {len(cut)} of {len(found)} files end before their pixels ({listed(cut)}): "
            "truncated; copy them again"
        )


def _is_image(each: DicomFile, wanted: frozenset[str] | None) -> bool:
    if each.modality in _NO_IMAGE or "Rows" not in each.header:
        return False
    return wanted is None or each.modality in wanted


def _is_screenshot(each: DicomFile) -> bool:
    return each.sop_class.startswith(_SCREENSHOT) and "ImagePositionPatient" not in each.header


def _described(series: list[DicomFile]) -> str:
    header = series[0].header
    frames = sum(int(each.header.get("NumberOfFrames", 1) or 1) for each in series)
    said = str(header.get("SeriesDescription", "") or "").strip()
    number = header.get("SeriesNumber", None)
    return (
        f"series {'without number' if number is None else number}"
        f"{f' {said!r}' if said else ''} ({frames} slices, {series[0].path.name}, ...)"
    )


def _no_images(
    found: list[DicomFile], localizers: list[DicomFile], name: str, wanted: frozenset[str] | None
) -> str:
    if localizers:
        return f"{name}: found localizers alone: {contents(localizers)}; give the folder of the CT"
    kind = "slices" if wanted is None else "CT slices, in Hounsfield units,"
    return f"{name}: expected {kind} found {contents(found)}; give the folder of the CT"


def _scale_notes(slices: list[Slice], name: str) -> list[str]:
    """Say what is odd of the scale to Hounsfield units.

    Raises:
        DataError: If some slices have one and others do not.
    """
    without = [each for each in slices if None in each.scale[:2]]
    if without and len(without) < len(slices):
        raise DataError(
            f"{name}: {len(without)} of {len(slices)} slices ({listed(s.name for s in without)}) "
            "have no RescaleSlope or RescaleIntercept: their Hounsfield units are unknown; export "
            "the series anew"
        )
    notes = ["no RescaleSlope and RescaleIntercept: values are as stored"] if without else []
    units = sorted({each.scale.unit for each in slices} - set(_HU))
    if units:
        notes.append(f"values are {', '.join(units)} (RescaleType), expected HU")
    return notes
