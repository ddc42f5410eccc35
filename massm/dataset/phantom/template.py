"""Triangle surfaces of the phantom's anatomies in the atlas: where all subjects' truth is from."""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from skimage.measure import label, marching_cubes

from massm.dataset.phantom.implicit import Field, Points, project
from massm.geometry.mesh import Mesh

ATLAS_LOW = np.array([-185.0, -135.0, -215.0])
ATLAS_HIGH = np.array([185.0, 135.0, 175.0])
COARSEST_MM = 8.0  # of marching cubes: wider steps miss the thin parts of the lobes


def anatomy_surface(solid: Field, points: int) -> Mesh:
    """Triangulate an anatomy's surface evenly with about ``points`` vertices.

    Marching cubes at the fitting step, then relaxation within the surface, so that every vertex
    lies on the solid's surface and the triangles are of one size. Large anatomies get more vertices
    where ``points`` is so low that their thin parts would be lost.

    Raises:
        ValueError: If the surface has a handle or a hole all the same.
    """
    low, high, area = _extent(solid)
    step = min(float(np.sqrt(1.25 * area / points)), COARSEST_MM)  # 1.25 vertices on a step^2
    surface = _marching_cubes(solid, low - 2 * step, high + 2 * step, step)
    average = _averaging(surface)
    vertices = project(solid, surface.vertices)
    for _ in range(5):
        vertices = project(solid, 0.6 * vertices + 0.4 * (average @ vertices), iterations=1)
    result = Mesh(project(solid, vertices), surface.faces)
    if not result.is_closed or result.euler_characteristic != 2:
        raise ValueError(f"a surface of {points} points is no sphere; ask for more points")
    return result


def _extent(solid: Field) -> tuple[np.ndarray, np.ndarray, float]:
    coarse = _marching_cubes(solid, ATLAS_LOW, ATLAS_HIGH, 8.0)
    low, high = coarse.vertices.min(axis=0) - 8, coarse.vertices.max(axis=0) + 8
    return low, high, coarse.area


def grid_points(low: np.ndarray, high: np.ndarray, step: float) -> tuple[Points, tuple[int, ...]]:
    """List the nodes of a regular grid, x fastest, and its shape (z, y, x)."""
    axes = [np.arange(low[i], high[i] + step, step) for i in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1), x.shape


def _marching_cubes(solid: Field, low: np.ndarray, high: np.ndarray, step: float) -> Mesh:
    nodes, shape = grid_points(low, high, step)
    values = solid(nodes).reshape(shape)
    pieces = label(values < 0, connectivity=1)
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    values = np.where((values < 0) & (pieces != largest), 0.5 * step, values)
    corners, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent")
    mesh = Mesh(corners[:, ::-1] * step + low, faces.astype(np.int64))
    return mesh if mesh.volume > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def _averaging(mesh: Mesh) -> csr_matrix:
    """Build the matrix that gives each vertex the mean of its neighbors."""
    count = len(mesh.vertices)
    start = mesh.faces[:, [0, 1, 2]].ravel()
    end = mesh.faces[:, [1, 2, 0]].ravel()
    links = coo_matrix((np.ones(len(start)), (start, end)), (count, count)).tocsr()
    links = ((links + links.T) > 0).astype(np.float64)
    return diags(1 / np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1)) @ links
