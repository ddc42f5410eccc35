"""The right-angled voxel grid that lies nearest to a given one."""

from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.geometry.volume import Volume


class RightAngled(NamedTuple):
    """A grid whose axes are at right angles, and how far it lies from the one given.

    Attributes:
        spacing: Voxel size along the x, y, z index axes, mm.
        origin: Position of voxel (0, 0, 0), mm.
        direction: Columns are the unit directions of the index axes, orthonormal.
        moved_mm: Farthest that a voxel's center moved, mm; 0 if the axes were at right angles.
    """

    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3 3"]
    moved_mm: float


def right_angled(affine: Float[np.ndarray, "4 4"], size: tuple[int, int, int]) -> RightAngled:
    """Turn the axes of a grid to the nearest right angles; sizes of voxels and its middle stay.

    Nearest is the orthogonal factor of the axes' polar decomposition (Higham, "Computing the polar
    decomposition", SIAM J. Sci. Stat. Comput. 7(4), 1986): every axis turns as little as it can,
    none is preferred. A reflection stays one.

    Args:
        affine: From (x, y, z) index to mm; no axis may vanish or lie in the plane of the others.
        size: Number of voxels along x, y, z.

    Raises:
        ValueError: If the axes span no volume.
    """
    matrix, origin = affine[:3, :3], affine[:3, 3]
    spacing = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(affine).all() or spacing.min() == 0:
        raise ValueError("an axis has no length, or one that is no number")
    axes = matrix / spacing
    left, stretch, right = np.linalg.svd(axes)
    if stretch[-1] < 1e-3:
        raise ValueError("the axes lie in one plane")
    direction = left @ right
    if np.abs(direction - axes).max() < 1e-12:
        direction = axes
    middle = (np.array(size, float) - 1) / 2
    moved_origin = origin + matrix @ middle - (direction * spacing) @ middle
    if direction is axes:
        moved_origin = origin
    new = Volume(np.broadcast_to(np.int8(0), size[::-1]), spacing, moved_origin, direction)
    ends = np.array(list(product((0.0, 1.0), repeat=3))) * (np.array(size) - 1)
    apart = new.index_to_point(ends) - (ends @ matrix.T + origin)
    return RightAngled(spacing, moved_origin, direction, float(np.linalg.norm(apart, axis=1).max()))
