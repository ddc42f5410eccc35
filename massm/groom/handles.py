"""Remove small handles: holes through thin parts, and thin bridges across gaps.

Coarse masks of thin bones have them by chance; no other subject has them in the same place, so
they have no part in correspondence.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool
from scipy import ndimage
from skimage.measure import euler_number

from massm.geometry.volume import Volume

_CLEAR = 0.25  # how far beyond the level a changed voxel is put, field values run from 0 to 1
# Where voxels meet at an edge or corner alone, the surface may hang together or not. A bridge is
# cut only if voxels that share sides stay one piece; a hole is filled even if it is closed only by
# voxels that share corners.
_SIDES = ndimage.generate_binary_structure(3, 1)
_CORNERS = ndimage.generate_binary_structure(3, 3)


def remove_handles(field: Volume, level: float, width_mm: float) -> Volume:
    """Fill holes and cut bridges of a level set that are at most so wide.

    Morphological closing shows what could be filled, opening what could be cut; of these places,
    only the ones that lower the number of handles without taking the object apart are changed.
    Widths are tried from thin to wide, so each handle goes where least has to change.

    Args:
        field: Values from 0 outside to 1 inside on an isotropic grid.
        level: Value on the surface.
        width_mm: Widest hole that is filled and widest bridge that is cut, mm; 0 changes nothing.

    Returns:
        The field, changed in few places.
    """
    step = float(field.spacing[0])
    inside = field.array > level
    values = field.array.copy()
    largest = np.pi / 6 * (width_mm / step) ** 3  # a ball of that width
    for radius in np.arange(step, width_mm / 2 + step / 2, step):
        if _count(inside, _SIDES)[0] == 0 and _count(inside, _CORNERS)[0] == 0:
            break
        for places in _improving(
            inside, _closed(inside, radius / step) & ~inside, _filled, _CORNERS, largest
        ):
            inside[places] = True
            values[places] = np.maximum(values[places], level + _CLEAR)
        for places in _improving(
            inside, inside & ~_opened(inside, radius / step), _cut, _SIDES, largest
        ):
            inside[places] = False
            values[places] = np.minimum(values[places], level - _CLEAR)
    return field.with_array(values)


def _improving(
    inside: Bool[np.ndarray, "D H W"],
    changeable: Bool[np.ndarray, "D H W"],
    change: Callable[[np.ndarray, np.ndarray], np.ndarray],
    touching: np.ndarray,
    largest: float,
) -> Iterator[tuple[np.ndarray, ...]]:
    """List the pieces of ``changeable`` that, changed, leave fewer handles and as many pieces.

    Pieces of more than ``largest`` voxels are no chance bridges and holes; they stay.
    """
    labels, _ = ndimage.label(changeable, _CORNERS)
    sizes = np.bincount(labels.ravel())
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[number] > largest:
            continue
        # A change shows in the Euler number of its surroundings alone.
        around = tuple(slice(max(side.start - 2, 0), side.stop + 2) for side in box)
        piece = labels[around] == number
        before, after = inside[around], change(inside[around], piece)
        if _euler(after, touching) <= _euler(before, touching):
            continue
        whole = inside.copy()
        whole[around] = after
        handles, rest = _count(inside, touching)
        fewer, others = _count(whole, touching)
        if fewer < handles and others <= rest:
            start = np.array([side.start for side in around])
            yield tuple((np.argwhere(piece) + start).T)


def _count(inside: Bool[np.ndarray, "D H W"], touching: np.ndarray) -> tuple[int, int]:
    """Count handles, and pieces and cavities together, for a neighborhood of voxels."""
    by_side = touching is _SIDES
    pieces = ndimage.label(inside, touching)[1]
    cavities = ndimage.label(~np.pad(inside, 1), _CORNERS if by_side else _SIDES)[1] - 1
    return pieces + cavities - _euler(inside, touching), pieces + cavities


def _euler(inside: np.ndarray, touching: np.ndarray) -> int:
    return int(euler_number(inside, 1 if touching is _SIDES else 3))


def _filled(inside: np.ndarray, piece: np.ndarray) -> np.ndarray:
    return np.asarray(inside | piece)


def _cut(inside: np.ndarray, piece: np.ndarray) -> np.ndarray:
    return np.asarray(inside & ~piece)


def _closed(inside: np.ndarray, radius_voxel: float) -> np.ndarray:
    grown = np.pad(inside, int(np.ceil(radius_voxel)) + 1)
    grown = ndimage.distance_transform_edt(~grown) <= radius_voxel
    shrunk = ndimage.distance_transform_edt(grown) > radius_voxel
    margin = int(np.ceil(radius_voxel)) + 1
    return np.asarray(shrunk[margin:-margin, margin:-margin, margin:-margin])


def _opened(inside: np.ndarray, radius_voxel: float) -> np.ndarray:
    core = ndimage.distance_transform_edt(inside) > radius_voxel
    if not core.any():
        return np.zeros_like(inside)
    return np.asarray(ndimage.distance_transform_edt(~core) <= radius_voxel)
