"""Surfaces out of volumes: smooth level sets, and the blocky outline of a mask."""

import numpy as np
from jaxtyping import Bool, Float, Int
from skimage.measure import marching_cubes

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume


def isosurface(volume: Volume, level: float = 0.0) -> Mesh:
    """Extract the surface where a field equals ``level``; the inside is above the level.

    Lewiner et al., "Efficient implementation of marching cubes' cases with topological
    guarantees", Journal of Graphics Tools 8(2), 2003. The grid is padded with values below the
    level, so the surface is closed even where the object reaches the border.

    Args:
        volume: Scalar field on a grid.
        level: Value of the field on the surface.

    Returns:
        The surface in the frame of the volume (LPS mm), faces outward; it may have several pieces.

    Raises:
        ValueError: If the field nowhere exceeds the level.
    """
    field = np.pad(volume.array.astype(np.float32), 1, constant_values=-np.inf)
    if not (field > level).any():
        raise ValueError(f"no voxel lies above the level {level:g}: there is no surface")
    finite = field[np.isfinite(field)]
    low = min(float(finite.min()), level - (float(finite.max()) - level))
    field[~np.isfinite(field)] = low
    # A grid value that equals the level makes triangles without area: move it off.
    step = 1e-4 * (float(finite.max()) - level)
    field[np.abs(field - level) < step] = level + step

    corners, faces, _, _ = marching_cubes(field, level, allow_degenerate=True)
    vertices = volume.index_to_point(corners[:, ::-1].astype(np.float64) - 1)
    mesh = Mesh(vertices, faces.astype(np.int64))
    return mesh if mesh.volume > 0 else Mesh(vertices, mesh.faces[:, ::-1].copy())


def voxel_surface(mask: Volume) -> Mesh:
    """Take the outline of a mask as it is stored: the outer sides of its voxels.

    Args:
        mask: Booleans.

    Returns:
        Two triangles for each voxel side between inside and outside, LPS mm, faces outward.

    Raises:
        ValueError: If the mask is empty.
    """
    inside = np.pad(mask.array.astype(bool), 1)
    if not inside.any():
        raise ValueError("an empty mask has no outline")
    sides = [_sides(inside, axis, step) for axis in range(3) for step in (-1, 1)]
    corners = np.concatenate(sides)
    shape = 2 * np.array(inside.shape) + 2
    codes, quads = np.unique(np.ravel_multi_index((corners + 1).T, shape).T, return_inverse=True)
    keys = np.stack(np.unravel_index(codes, shape), axis=1) - 1
    quads = quads.reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)
    # Corner numbers are doubled (z, y, x) and count the padding.
    mesh = Mesh(mask.index_to_point(keys[:, ::-1] / 2.0 - 1), faces)
    return mesh if mesh.volume > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def _sides(inside: Bool[np.ndarray, "D H W"], axis: int, step: int) -> Int[np.ndarray, "n 4 3"]:
    """List the corners of the voxel sides that face ``step`` along ``axis``, in doubled indices."""
    outer = inside & ~np.roll(inside, -step, axis)
    center = 2 * np.argwhere(outer)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turns = [(-1, -1), (1, -1), (1, 1), (-1, 1)][::step]
    corners = np.repeat(center[:, None], 4, axis=1)
    corners[:, :, axis] += step
    corners[:, :, first] += np.array([turn[0] for turn in turns])
    corners[:, :, second] += np.array([turn[1] for turn in turns])
    return corners


def sample_grid(
    low: Float[np.ndarray, "3"], high: Float[np.ndarray, "3"], spacing: float
) -> tuple[Volume, Float[np.ndarray, "n 3"]]:
    """Lay an axis-aligned grid over a box.

    Args:
        low: Lower corner, mm.
        high: Upper corner, mm.
        spacing: Distance between grid points, mm.

    Returns:
        A volume of zeros, and the positions of its voxels in the order of its raveled array.
    """
    counts = np.ceil((np.asarray(high) - low) / spacing).astype(int) + 1
    volume = Volume(np.zeros(counts[::-1]), np.full(3, float(spacing)), np.asarray(low, float))
    index = np.indices(volume.array.shape, float)[::-1].reshape(3, -1).T
    return volume, volume.index_to_point(index)
