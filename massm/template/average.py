"""The average of aligned shapes as a mean of signed distances."""

from collections.abc import Iterable

import igl
import numpy as np
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt

from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface, sample_grid
from massm.geometry.mesh import Mesh
from massm.geometry.topology import largest_component
from massm.geometry.volume import Volume

_EXACT = 2.5  # within so many voxels of the surface the distance is exact


def average_shape(meshes: Iterable[Mesh], *, spacing_mm: float) -> Mesh:
    """Average closed surfaces: zero level of the mean of their signed distances.

    Only running sums are kept, so memory does not grow with the number of surfaces, but
    ``meshes`` is walked through twice.

    Args:
        meshes: Closed surfaces in one frame, mm; a sequence or another iterable that can be
            walked through again.
        spacing_mm: Grid spacing, mm.

    Returns:
        The average surface, its largest piece.

    Raises:
        ValueError: If there is no mesh, or their average encloses nothing.
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    count = 0
    for mesh in meshes:
        low = np.minimum(low, mesh.vertices.min(0))
        high = np.maximum(high, mesh.vertices.max(0))
        count += 1
    if count == 0:
        raise ValueError("an average needs at least one shape")

    grid, points = sample_grid(low - spacing_mm, high + spacing_mm, spacing_mm)
    total = np.zeros(grid.array.shape)
    for mesh in meshes:
        total += _depth(mesh, grid, points)
    inside = grid.with_array(total / count)
    try:
        return largest_component(isosurface(inside, 0.0))
    except ValueError as error:
        raise ValueError(
            "the average of the aligned shapes encloses nothing: they overlap too little, or "
            "template.spacing_mm is larger than the organ"
        ) from error


def _depth(
    mesh: Mesh, grid: Volume, points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "D H W"]:
    """Measure signed distance on a grid, mm, positive inside.

    Exact near the surface; farther off the distance between voxels stands for it, which is as good
    for an average and saves most of the time.
    """
    vertices, faces = np.ascontiguousarray(mesh.vertices), np.ascontiguousarray(mesh.faces)
    winding = np.asarray(igl.fast_winding_number(vertices, faces, points))
    inside = winding.reshape(grid.array.shape) > 0.5
    spacing = float(grid.spacing[0])
    away = distance_transform_edt(inside) + distance_transform_edt(~inside) - 0.5
    near = away < _EXACT
    depth = spacing * away
    depth[near] = SurfaceIndex(mesh).closest(points[near.ravel()]).distance
    return np.asarray(np.where(inside, depth, -depth))
