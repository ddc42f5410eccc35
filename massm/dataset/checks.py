"""Look at the files of one subject and say what can be used, and why the rest cannot."""

import re
from dataclasses import replace
from functools import cached_property

import numpy as np

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedAnatomy, CheckedSubject, FoundAnatomy, FoundSubject
from massm.dataset.grids import grid_fault, on_larger_grid
from massm.dataset.intensity import fill_value, image_fault, void_share
from massm.dataset.surfaces import check_surface, place_fault
from massm.geometry.isosurface import isosurface
from massm.geometry.pieces import MaskPiece, largest_piece
from massm.geometry.volume import Volume
from massm.io.cohort import Status
from massm.io.dicom import is_dicom, on_grid_of
from massm.io.errors import DataError, SeveralLabelsError
from massm.io.images import (
    FoundImage,
    FoundLabels,
    Segmentation,
    read_label_map,
    read_scan,
    read_segmentation,
)
from massm.io.meshes import is_mesh
from massm.io.sources import kind_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SMALLEST_MM = 30.0  # longest side of an image; that of a mouse is longer
_HOW_LABELED = "name the anatomy's label in the table's column `label` (layout table)"
_NOTED_VOID = 0.005  # a smaller share of a mask in the void is its rim


def check_subject(
    config: SurveyConfig, subject: FoundSubject, hole_mm: float | None = None
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
    scan = None
    if not fault and subject.image is not None:
        try:
            scan = read_scan(subject.image)
            fault = _shear_fault(scan, config) or image_fault(scan.volume.array, config)
        except (DataError, OSError) as error:
            fault = f"image cannot be used: {error}"
    note = "; ".join([*scan.notes, *_size_notes(scan.volume)]) if scan is not None else ""
    if fault:
        return CheckedSubject(subject, fault, anatomies=_all_excluded(subject, fault), note=note)
    image = None if scan is None else _Image(scan)
    anatomies = _check_anatomies(config, subject, image, hole_mm)
    if scan is None:
        return CheckedSubject(subject, anatomies=anatomies)
    spacing = tuple(round(float(value), 6) for value in scan.volume.spacing)
    return CheckedSubject(subject, "", scan.volume.size, spacing, anatomies, note)


def piece_fault(piece: MaskPiece, size: tuple[int, ...], config: SurveyConfig) -> str:
    """Say why a mask cannot be used, judged by the piece that grooming keeps; empty if it can.

    Args:
        piece: Its largest piece.
        size: Voxels of the image, z, y, x.
        config: Section ``dataset``.
    """
    sides = touched_sides(piece, size)
    if sides and not config.allow_cut:
        return f"cut by the field of view: touches the image's border ({', '.join(sides)})"
    sizes = piece.sizes
    if sizes[0] < config.min_voxels:
        return f"mask has {sizes[0]} voxels, fewer than {config.min_voxels}"
    if len(sizes) > 1 and sizes[1] > config.piece_fraction * sizes[0]:
        large = int((sizes > config.piece_fraction * sizes[0]).sum())
        return f"several large pieces: {large}, the largest two of {sizes[0]} and {sizes[1]} voxels"
    return ""


def touched_sides(piece: MaskPiece, size: tuple[int, ...]) -> list[str]:
    """Name the sides of the image that a piece touches, by index axis: x-, x+, ..."""
    sides = []
    ends = piece.start + np.array(piece.inside.shape)
    for name, axis in (("x", 2), ("y", 1), ("z", 0)):
        if piece.start[axis] == 0:
            sides.append(f"{name}-")
        if ends[axis] == size[axis]:
            sides.append(f"{name}+")
    return sides


def _size_notes(image: Volume) -> list[str]:
    """Say that a scan is smaller than any of a person in millimeters."""
    sides = np.array(image.size) * image.spacing
    if sides.max() >= _SMALLEST_MM:
        return []
    words = " x ".join(f"{side:.3g}" for side in sides)
    return [f"image is {words} mm large, as if its voxel size were in another unit"]


class _Image:
    """A subject's CT, and what its anatomies are compared with."""

    def __init__(self, scan: FoundImage) -> None:
        self.volume = scan.volume
        self.notes = scan.notes

    @cached_property
    def fill(self) -> float | None:
        """The constant around the scanned field; None if there is none."""
        return fill_value(self.volume.array)


def _shear_fault(read: FoundImage | Segmentation, config: SurveyConfig) -> str:
    step = float(read.volume.spacing.min())
    if read.shear_mm <= config.shear_voxel * step:
        return ""
    return (
        f"axes are not at right angles: turning them there moves voxels by up to "
        f"{read.shear_mm:.3g} mm ({read.shear_mm / step:.2g} voxels; dataset.shear_voxel = "
        f"{config.shear_voxel:g}); resample it to a grid with right angles"
    )


def _check_anatomies(
    config: SurveyConfig, subject: FoundSubject, image: _Image | None, hole_mm: float | None
) -> tuple[CheckedAnatomy, ...]:
    maps = _LabelMaps()
    checked = []
    for anatomy in subject.anatomies:
        try:
            checked.append(_check_anatomy(config, anatomy, image, maps, hole_mm))
        except (DataError, OSError) as error:
            checked.append(CheckedAnatomy(anatomy, "excluded", f"mask cannot be read: {error}"))
    return tuple(checked)


def _check_anatomy(
    config: SurveyConfig,
    anatomy: FoundAnatomy,
    image: _Image | None,
    maps: "_LabelMaps",
    hole_mm: float | None,
) -> CheckedAnatomy:
    fault = anatomy.fault or _file_fault(anatomy)
    if fault or anatomy.mask is None:
        return CheckedAnatomy(anatomy, "excluded", fault)
    if is_mesh(anatomy.mask):
        return check_surface(config, anatomy, image.volume if image else None, hole_mm)
    found = maps.read(anatomy)
    if image is not None and is_dicom(anatomy.mask):  # may hold a part of the image's slices
        mask = on_grid_of(found.volume, image.volume, config.grid_tolerance_voxel)
        found = found._replace(volume=mask)
    known = image.notes if image else ()
    notes = [note for note in found.notes if note not in known]
    fault = _shear_fault(found, config)
    if not fault and image is not None and not found.is_distance:
        fault = grid_fault(image.volume, found.volume, config.grid_tolerance_voxel)
        tolerance, placed = config.grid_tolerance_voxel, None
        if fault:
            placed = on_larger_grid(found.volume, image.volume, tolerance)
        if placed is not None:
            fault, found = "", found._replace(volume=placed)
            notes.append("its grid is a part of the CT's, or turned by right angles: put on it")
    source = kind_of(found, anatomy.label)
    if fault:
        note = "; ".join(notes)
        return CheckedAnatomy(anatomy, "excluded", fault, note=note, source=source)
    check = _check_distance if found.is_distance else _check_mask
    return replace(check(config, anatomy, found.volume, image, notes), source=source)


def _file_fault(anatomy: FoundAnatomy) -> str:
    if anatomy.mask is None:
        return "no mask file"
    return "" if anatomy.mask.exists() else f"no mask file {anatomy.mask}"


def _check_mask(
    config: SurveyConfig,
    anatomy: FoundAnatomy,
    mask: Volume,
    image: _Image | None,
    notes: list[str],
) -> CheckedAnatomy:
    if not mask.array.any():
        what = "mask is empty" if anatomy.label is None else f"label map has no {anatomy.label}"
        return CheckedAnatomy(anatomy, "absent", what, 0.0, "; ".join(notes))
    piece = largest_piece(mask.array)
    fault = piece_fault(piece, mask.array.shape, config)
    strays = int(piece.sizes[1:].sum())
    if strays and not fault:
        count = len(piece.sizes) - 1
        notes.append(
            f"{count} stray {'piece' if count == 1 else 'pieces'} ({strays} of "
            f"{int(piece.sizes.sum())} voxels) left out, as by grooming"
        )
    if not fault and image is not None and image.fill is not None:
        fault = _void(config, image, image.fill, piece, notes)
    volume_ml = float(piece.sizes[0]) * mask.voxel_ml
    status: Status = "excluded" if fault else "used"
    return CheckedAnatomy(anatomy, status, fault, volume_ml, "; ".join(notes))


def _void(
    config: SurveyConfig, image: _Image, fill: float, piece: MaskPiece, notes: list[str]
) -> str:
    """Say that too much of an anatomy lies where nothing was scanned; note it if it is little."""
    share = void_share(image.volume.array, fill, piece.inside, piece.start)
    said = f"{share:.0%} of the mask lies in constant fill ({fill:g}), outside the scanned field"
    if share > config.void_fraction and not config.allow_cut:
        return f"cut by the field of view: {said}"
    if share > _NOTED_VOID:
        notes.append(said)
    return ""


def _check_distance(
    config: SurveyConfig,
    anatomy: FoundAnatomy,
    distance: Volume,
    image: _Image | None,
    notes: list[str],
) -> CheckedAnatomy:
    """Check a signed distance: its grid is its own, its surface has to lie in the image."""
    surface = isosurface(distance)
    fault = piece_fault(largest_piece(distance.array > 0), distance.array.shape, config)
    if not fault and image is not None:
        fault = place_fault(surface.vertices, image.volume, config)
    status: Status = "excluded" if fault else "used"
    return CheckedAnatomy(anatomy, status, fault, surface.volume_ml, "; ".join(notes))


def _all_excluded(subject: FoundSubject, fault: str) -> tuple[CheckedAnatomy, ...]:
    return tuple(
        CheckedAnatomy(anatomy, "excluded", f"subject excluded: {fault}")
        for anatomy in subject.anatomies
    )


class _LabelMaps:
    """Masks of one subject; a label map that several of them lie in is read once."""

    def __init__(self) -> None:
        self._last: tuple[object, FoundLabels] | None = None

    def read(self, anatomy: FoundAnatomy) -> Segmentation:
        """Read the mask of an anatomy."""
        assert anatomy.mask is not None
        if anatomy.label is None or is_dicom(anatomy.mask):
            self._last = None
            try:
                return read_segmentation(anatomy.mask, anatomy.label)
            except SeveralLabelsError as error:
                raise error.asking(_HOW_LABELED) from error
        if self._last is None or self._last[0] != anatomy.mask:
            self._last = None  # before the next is read
            self._last = (anatomy.mask, read_label_map(anatomy.mask))
        return self._last[1].take(anatomy.label)
