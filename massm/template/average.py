"""The average of aligned shapes as a mean of signed distances."""

from collections.abc import Iterable

import numpy as np

from massm.geometry.depth import depth_on
from massm.geometry.isosurface import isosurface, sample_grid
from massm.geometry.mesh import Mesh
from massm.geometry.topology import largest_component


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

    grid, _ = sample_grid(low - spacing_mm, high + spacing_mm, spacing_mm)
    total = np.zeros(grid.array.shape)
    for mesh in meshes:
        total += depth_on(mesh, grid)
    inside = grid.with_array(total / count)
    try:
        return largest_component(isosurface(inside, 0.0))
    except ValueError as error:
        raise ValueError(
            "the average of the aligned shapes encloses nothing: they overlap too little, or "
            "template.spacing_mm is larger than the anatomy"
        ) from error
