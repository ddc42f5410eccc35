"""From the masks of a cohort to one label map on a network's grid."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from massm.geometry.depth import depth_on
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.groom.mask import crop_mask
from massm.io.images import Segmentation
from massm.tensors.resample import fill

MOST = 255  # anatomies that a byte can number

Box = tuple[slice, slice, slice]


def label_map(grid: Volume, anatomies: Mapping[int, Segmentation | Mesh]) -> np.ndarray:
    """Say for each voxel of an isotropic grid which anatomy it belongs to.

    A voxel belongs to the anatomy that fills most of it, if that is half of it at least; of several
    that fill it equally, to the one of the lowest number.

    Args:
        grid: Axes along LPS; its values are not looked at.
        anatomies: Of each number, 1 to 255, the anatomy as it was drawn: mask, signed distance or
            closed surface, image frame, LPS mm.

    Returns:
        Numbers (uint8) on the grid, 0 where no anatomy is.
    """
    labels = np.zeros(grid.array.shape, np.uint8)
    most = np.full(grid.array.shape, 0.5, np.float32)
    for number in sorted(anatomies, reverse=True):  # so that the lowest wins what is equal
        box, share = filled(grid, anatomies[number])
        wins = share >= most[box]
        labels[box][wins] = number
        most[box][wins] = share[wins]
    return labels


def filled(grid: Volume, drawn: Segmentation | Mesh) -> tuple[Box, Float[np.ndarray, "d h w"]]:
    """Return how much of each voxel an anatomy fills, 0 to 1, in the part of the grid around it.

    A mask is resampled as the CT is (:func:`massm.tensors.resample.to_grid`): smoothed where it is
    finer than the grid, linear in between. Where it is coarser, its outline at one half is that of
    the mask's own isosurface, without the steps of its voxels. Of a distance and of a surface, the
    share follows from how deep the voxel's center lies, as for a flat outline along an axis.

    Returns:
        The part of the grid, and the shares in it; empty if the anatomy lies outside.
    """
    spacing = float(grid.spacing[0])
    if isinstance(drawn, Mesh):
        box = _part(grid, drawn.vertices)
        depth = depth_on(drawn, _cut(grid, box)) if _voxels(box) else np.empty(_shape(box))
        return box, _share_of(depth, spacing)
    volume = drawn.volume if drawn.is_distance else _padded(crop_mask(drawn.volume), spacing)
    box = _part(grid, volume.corners())
    values = np.empty(_shape(box), np.float32)
    if not _voxels(box):
        return box, values
    origin = _cut(grid, box).origin
    fill(values, volume, origin, spacing, outside=-spacing if drawn.is_distance else 0.0)
    return box, _share_of(values, spacing) if drawn.is_distance else values


def _share_of(depth_mm: np.ndarray, spacing_mm: float) -> np.ndarray:
    return np.clip(0.5 + depth_mm / spacing_mm, 0, 1).astype(np.float32)


def _padded(mask: Volume, spacing_mm: float) -> Volume:
    """Lay so many empty voxels around a cropped mask that smoothing does not reach its end."""
    margin = np.ceil(2 * spacing_mm / mask.spacing).astype(int) + 2
    around = [(int(n), int(n)) for n in margin[::-1]]
    array = np.pad(mask.array.astype(np.uint8), around)
    return Volume(array, mask.spacing, mask.index_to_point(-margin.astype(float)), mask.direction)


def _part(grid: Volume, points: Float[np.ndarray, "n 3"]) -> Box:
    """Find the voxels around the box of some points."""
    index = grid.point_to_index(points)[:, ::-1]
    low, high = np.floor(index.min(axis=0)) - 1, np.ceil(index.max(axis=0)) + 2
    starts = np.clip(low, 0, grid.array.shape).astype(int)
    stops = np.clip(high, starts, grid.array.shape).astype(int)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True))
    return z, y, x


def _shape(box: Box) -> tuple[int, ...]:
    return tuple(side.stop - side.start for side in box)


def _voxels(box: Box) -> int:
    return int(np.prod(_shape(box)))


def _cut(grid: Volume, box: Box) -> Volume:
    first = np.array([side.start for side in box][::-1], float)
    return Volume(grid.array[box], grid.spacing, grid.index_to_point(first), grid.direction)
