"""Which points lie inside a closed surface: for tests that know where something must be."""

import igl
import numpy as np

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh


def signed_distance(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """Distance to the surface, mm, negative inside (libigl's fast winding number)."""
    points = np.ascontiguousarray(points, float)
    vertices, faces = (np.ascontiguousarray(part) for part in (mesh.vertices, mesh.faces))
    winding = np.asarray(igl.fast_winding_number(vertices, faces, points))
    return np.where(winding > 0.5, -1.0, 1.0) * SurfaceIndex(mesh).closest(points).distance
