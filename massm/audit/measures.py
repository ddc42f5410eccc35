"""What is measured of one mask and of the image around it, without the rest of the cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from massm.geometry.pieces import box_of_mask
from massm.geometry.volume import Volume

SIDES = ("right", "left", "front", "back", "bottom", "top")
"""The sides of an anatomy, in the patient: -x, +x, -y, +y, -z, +z of LPS."""

STEP_MM = 6.0
REACH = 11
"""The image around a center is kept at 2 x ``REACH`` + 1 places along each axis, a step apart."""

_NEXT = np.array([way for way in product((-1, 0, 1), repeat=3) if any(way)])
DIRECTIONS = _NEXT / np.linalg.norm(_NEXT, axis=1, keepdims=True)
"""The 26 directions in which it is measured how far a mask reaches."""

END_PERCENT = 98.0
"""Percentile of the voxels that counts as the end, so that a stray voxel does not."""

_MOST_POINTS = 100_000
_WINDOW_HU = (-200.0, 300.0)  # what tells tissues apart; air and bone are the ends
_OUTSIDE_HU = -1024.0
_RIM_MM = 5.0


@dataclass(frozen=True)
class MaskMeasures:
    """What was measured of one mask.

    Attributes:
        center: Center of mass, LPS mm.
        volume_ml: Its volume.
        extent: Lengths along x, y, z, mm.
        support: How far it reaches from its center in 26 directions, mm.
        turn: Correlations of its voxels' coordinates: xy, xz, yz.
        flat: Of each of :data:`SIDES`: largest area that lies in one plane and faces that side,
            as a share of the largest cross-section parallel to it.
        shared: Share of its voxels that lie in the mask of one other anatomy of the scan too.
        shared_with: Name of that; empty if there is none.
        hu: Mean, standard deviation, 10th, 50th and 90th percentile inside, HU; nan without image.
        rim: Mean just outside of the mask at each of :data:`SIDES`, HU; nan without image.
        around: The image around the center, HU within a window that tells tissues apart; nan
            without image.
    """

    center: Float[np.ndarray, "3"]
    volume_ml: float
    extent: Float[np.ndarray, "3"]
    support: Float[np.ndarray, "26"]
    turn: Float[np.ndarray, "3"]
    flat: Float[np.ndarray, "6"]
    shared: float
    shared_with: str
    hu: Float[np.ndarray, "5"]
    rim: Float[np.ndarray, "6"]
    around: Float[np.ndarray, "n n n"]


def measure_masks(image: Volume | None, masks: Mapping[str, Volume]) -> dict[str, MaskMeasures]:
    """Measure all masks of one scan.

    Args:
        image: CT, HU; None in a cohort without.
        masks: Booleans by anatomy, none of them empty.
    """
    return {
        name: _measure(image, mask, {key: other for key, other in masks.items() if key != name})
        for name, mask in masks.items()
    }


def _measure(image: Volume | None, mask: Volume, others: Mapping[str, Volume]) -> MaskMeasures:
    crop = _cropped(mask)
    points = _points(crop)
    center = points.mean(axis=0)
    arms = points - center
    ends = np.percentile(points, [100 - END_PERCENT, END_PERCENT], axis=0)
    spread = arms.T @ arms / len(arms) + 1e-6 * np.eye(3)
    lengths = np.sqrt(np.diag(spread))
    shared_with, shared = _shared(points, others)
    hu, rim, around = _seen(image, crop, center)
    return MaskMeasures(
        center=center,
        volume_ml=float(np.count_nonzero(crop.array)) * mask.voxel_ml,
        extent=ends[1] - ends[0],
        support=np.percentile(arms @ DIRECTIONS.T, END_PERCENT, axis=0),
        turn=(spread / np.outer(lengths, lengths))[[0, 0, 1], [1, 2, 2]],
        flat=_flat_sides(crop),
        shared=shared,
        shared_with=shared_with,
        hu=hu,
        rim=rim,
        around=around,
    )


def _cropped(mask: Volume, margin: int = 1) -> Volume:
    box = box_of_mask(mask.array)
    first = np.array([side.start for side in box][::-1], float) - margin
    array = np.pad(mask.array[box], margin)
    return Volume(array, mask.spacing, mask.index_to_point(first), mask.direction)


def _points(mask: Volume) -> Float[np.ndarray, "n 3"]:
    """Take voxels' centers, LPS mm, evenly thinned where there are very many."""
    flat = np.flatnonzero(mask.array)
    flat = flat[:: -(-len(flat) // _MOST_POINTS)]
    index = np.stack(np.unravel_index(flat, mask.array.shape)[::-1], axis=1)
    return mask.index_to_point(index.astype(float))


def _flat_sides(mask: Volume) -> Float[np.ndarray, "6"]:
    """Measure the largest plane part of the border on each side, by the grid's own planes."""
    found = np.zeros(6)
    for axis in range(3):  # x, y, z of the index
        inside = np.moveaxis(mask.array, 2 - axis, 0)
        area = inside.sum(axis=(1, 2)).max()
        body = int(np.abs(mask.direction[:, axis]).argmax())  # the patient's axis that it follows
        for step, sign in ((inside[1:-1] & ~inside[:-2], -1), (inside[1:-1] & ~inside[2:], 1)):
            up = sign * mask.direction[body, axis] > 0
            found[2 * body + int(up)] = step.sum(axis=(1, 2)).max() / area
    return found


def _shared(points: Float[np.ndarray, "n 3"], others: Mapping[str, Volume]) -> tuple[str, float]:
    """Find the other mask that holds most of the points, and which share of them."""
    shares = {name: float(_inside(mask, points).mean()) for name, mask in others.items()}
    most = max(shares, key=lambda name: shares[name], default="")
    return (most, shares[most]) if shares.get(most) else ("", 0.0)


def _seen(
    image: Volume | None, mask: Volume, center: Float[np.ndarray, "3"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the image inside of a mask, just outside on each side, and around its center."""
    side = 2 * REACH + 1
    if image is None:
        return np.full(5, np.nan), np.full(6, np.nan), np.full((side, side, side), np.nan)
    inside = _sampled(image, _points(mask))
    hu = np.array([inside.mean(), inside.std(), *np.percentile(inside, [10, 50, 90])])
    return hu, _rim(image, mask), _around(image, center)


def _rim(image: Volume, mask: Volume) -> Float[np.ndarray, "6"]:
    border = mask.array & ~ndimage.binary_erosion(mask.array)
    points = _points(mask.with_array(border))
    found = np.zeros(6)
    for side in range(6):
        out = np.zeros(3)
        out[side // 2] = (1 if side % 2 else -1) * max(_RIM_MM, float(mask.spacing.max()))
        beyond = points[~_inside(mask, points + out)] + out
        found[side] = _sampled(image, beyond).mean()
    return found


def _inside(mask: Volume, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    index = np.rint(mask.point_to_index(points)).astype(int)
    there = ((index >= 0) & (index < mask.size)).all(axis=1)
    x, y, z = np.where(there[:, None], index, 0).T
    return np.asarray(there & mask.array[z, y, x])


def _around(image: Volume, center: Float[np.ndarray, "3"]) -> Float[np.ndarray, "n n n"]:
    """Sample the image around a point, each value the mean of eight places; axes x, y, z."""
    steps = np.arange(-REACH - 0.25, REACH + 0.5, 0.5) * STEP_MM
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    values = _sampled(image, (offsets + center).reshape(-1, 3))
    side = 2 * REACH + 1
    return np.asarray(values.reshape(side, 2, side, 2, side, 2).mean(axis=(1, 3, 5)))


def _sampled(image: Volume, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Interpolate the image at points, within the window."""
    index = image.point_to_index(points)[:, ::-1].T
    values = ndimage.map_coordinates(
        image.array, index, order=1, output=np.float32, mode="constant", cval=_OUTSIDE_HU
    )
    return np.asarray(np.clip(values, *_WINDOW_HU), float)
