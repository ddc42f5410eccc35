"""Look at the files of one subject and say what can be used, and why the rest cannot."""

import re

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedOrgan, CheckedSubject, Organ, Subject
from massm.dataset.grids import grid_fault
from massm.dataset.surfaces import check_surface, is_mesh, place_fault
from massm.geometry.isosurface import isosurface
from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.images import read_distance, read_header, read_image, read_mask
from massm.io.nifti import count_not_finite

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def check_subject(
    config: SurveyConfig, subject: Subject, hole_mm: float | None = None
) -> CheckedSubject:
    """Read image and masks of a subject; nothing that is wrong with them raises an error.

    Args:
        config: Section ``dataset``.
        subject: As found.
        hole_mm: Widest hole of a mesh that grooming closes, mm; None: judged by grooming alone.
    """
    fault = subject.fault
    if not fault and not NAME.fullmatch(subject.name):
        fault = f"name {subject.name!r}: use letters, digits, '_', '-' and '.' alone"
    image = None
    if not fault and subject.image is not None:
        try:
            image = read_image(subject.image)
            fault = image_fault(image, config, count_not_finite(subject.image))
        except (DataError, OSError) as error:
            fault = f"image cannot be used: {error}"
    if fault:
        return CheckedSubject(subject, fault, organs=_all_excluded(subject, fault))
    organs = _check_organs(config, subject, image, hole_mm)
    if image is None:
        return CheckedSubject(subject, organs=organs)
    spacing = tuple(round(float(value), 6) for value in image.spacing)
    return CheckedSubject(subject, "", image.size, spacing, organs)


def image_fault(image: Volume, config: SurveyConfig, hidden: int = 0) -> str:
    """Say why an image's values cannot be used; empty if they can.

    Args:
        image: The image as read.
        config: Section ``dataset``.
        hidden: Number of values in the file that its reader replaced, being no number.
    """
    broken = hidden + image.array.size - int(np.isfinite(image.array).sum())
    if broken:
        return f"image holds {broken} voxels that are no number (NaN or infinite); repair it"
    lowest, highest = float(image.array.min()), float(image.array.max())
    if lowest == highest:
        return f"image is empty: every voxel is {lowest:g}"
    if lowest > config.air_hu:
        return (
            f"image holds no air: lowest value {lowest:g}, expected under {config.air_hu:g}; "
            "values must be Hounsfield units"
        )
    return ""


def mask_fault(mask: Bool[np.ndarray, "D H W"], config: SurveyConfig) -> str:
    """Say why a mask that is not empty cannot be used; empty if it can."""
    sides = touched_sides(mask)
    if sides and not config.allow_cut:
        return f"cut by the field of view: touches the image's border ({', '.join(sides)})"
    voxels = int(mask.sum())
    if voxels < config.min_voxels:
        return f"mask has {voxels} voxels, fewer than {config.min_voxels}"
    sizes = piece_sizes(mask)
    if len(sizes) > 1 and sizes[1] > config.piece_fraction * sizes[0]:
        large = int((sizes > config.piece_fraction * sizes[0]).sum())
        return f"several large pieces: {large}, the largest two of {sizes[0]} and {sizes[1]} voxels"
    return ""


def touched_sides(mask: Bool[np.ndarray, "D H W"]) -> list[str]:
    """Name the sides of the image that a mask touches, by index axis: x-, x+, ..."""
    sides = []
    for name, axis in (("x", 2), ("y", 1), ("z", 0)):
        for sign, index in (("-", 0), ("+", -1)):
            if np.take(mask, index, axis=axis).any():
                sides.append(name + sign)
    return sides


def piece_sizes(mask: Bool[np.ndarray, "D H W"]) -> np.ndarray:
    """Count the voxels of each connected piece (corners connect), largest first."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    pieces, _ = ndimage.label(mask[box], structure=np.ones((3, 3, 3)))
    return np.sort(np.bincount(pieces.ravel())[1:])[::-1]


def _check_organs(
    config: SurveyConfig, subject: Subject, image: Volume | None, hole_mm: float | None
) -> tuple[CheckedOrgan, ...]:
    maps = _LabelMaps()
    checked = []
    for organ in subject.organs:
        try:
            checked.append(_check_organ(config, organ, image, maps, hole_mm))
        except (DataError, OSError) as error:
            checked.append(CheckedOrgan(organ, "excluded", f"mask cannot be read: {error}"))
    return tuple(checked)


def _check_organ(
    config: SurveyConfig,
    organ: Organ,
    image: Volume | None,
    maps: "_LabelMaps",
    hole_mm: float | None,
) -> CheckedOrgan:
    fault = organ.fault or _file_fault(organ)
    if fault or organ.mask is None:
        return CheckedOrgan(organ, "excluded", fault)
    if is_mesh(organ.mask):
        return check_surface(config, organ, image, hole_mm)
    distance = read_distance(organ.mask) if organ.label is None else None
    if distance is not None:
        return _check_distance(config, organ, distance, image)
    if image is not None:
        fault = grid_fault(image, read_header(organ.mask), config.grid_tolerance_voxel)
        if fault:
            return CheckedOrgan(organ, "excluded", fault)
    return _check_mask(config, organ, maps.read(organ))


def _file_fault(organ: Organ) -> str:
    if organ.mask is None:
        return "no mask file"
    return "" if organ.mask.exists() else f"no mask file {organ.mask}"


def _check_mask(config: SurveyConfig, organ: Organ, mask: Volume) -> CheckedOrgan:
    if not mask.array.any():
        what = "mask is empty" if organ.label is None else f"label map has no {organ.label}"
        return CheckedOrgan(organ, "absent", what, 0.0)
    volume_ml = float(mask.array.sum()) * mask.voxel_ml
    fault = mask_fault(mask.array, config)
    return CheckedOrgan(organ, "excluded" if fault else "used", fault, volume_ml)


def _check_distance(
    config: SurveyConfig, organ: Organ, distance: Volume, image: Volume | None
) -> CheckedOrgan:
    """Check a signed distance: its grid is its own, its surface has to lie in the image."""
    surface = isosurface(distance)
    fault = mask_fault(distance.array > 0, config)
    if not fault and image is not None:
        fault = place_fault(surface.vertices, image, config)
    return CheckedOrgan(organ, "excluded" if fault else "used", fault, surface.volume_ml)


def _all_excluded(subject: Subject, fault: str) -> tuple[CheckedOrgan, ...]:
    return tuple(
        CheckedOrgan(organ, "excluded", f"subject excluded: {fault}") for organ in subject.organs
    )


class _LabelMaps:
    """Masks of one subject; a label map that several organs share is read once."""

    def __init__(self) -> None:
        self._last: tuple[object, Volume] | None = None

    def read(self, organ: Organ) -> Volume:
        """Read an organ's mask."""
        assert organ.mask is not None
        if organ.label is None:
            return read_mask(organ.mask)
        if self._last is None or self._last[0] != organ.mask:
            self._last = (organ.mask, read_image(organ.mask))
        labels = self._last[1]
        return labels.with_array(np.rint(labels.array) == organ.label)
