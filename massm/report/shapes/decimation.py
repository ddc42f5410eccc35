"""Surfaces light enough for a page."""

import fast_simplification
import numpy as np
from jaxtyping import Float

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh


def decimated(mesh: Mesh, faces: int) -> Mesh:
    """Take triangles away by quadric error until at most ``faces`` are left."""
    if len(mesh.faces) <= faces:
        return mesh
    points, triangles = fast_simplification.simplify(
        np.ascontiguousarray(mesh.vertices, np.float64),
        np.ascontiguousarray(mesh.faces, np.int64),
        target_count=faces,
    )
    return Mesh(np.asarray(points, np.float64), np.asarray(triangles, np.int64))


def carried(
    values: Float[np.ndarray, "V c"], mesh: Mesh, points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n c"]:
    """Read values of a surface's vertices at points beside it.

    Each point takes the values at the nearest place of the surface, weighted by that place's
    barycentric coordinates.
    """
    nearest = SurfaceIndex(mesh).closest(points)
    corners = mesh.faces[nearest.face]
    a, b, c = (mesh.vertices[corners[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    area = np.maximum(np.square(normal).sum(1), 1e-12)
    weight_b = np.einsum("ij,ij->i", np.cross(nearest.point - a, c - a), normal) / area
    weight_c = np.einsum("ij,ij->i", np.cross(b - a, nearest.point - a), normal) / area
    weights = np.stack([1 - weight_b - weight_c, weight_b, weight_c], 1)
    return np.asarray(np.einsum("nk,nkc->nc", weights, values[corners]))
