"""Exact distances between points and triangle surfaces."""

from typing import NamedTuple

import igl
import numpy as np
from jaxtyping import Float, Int

from massm.geometry.mesh import Mesh


class Closest(NamedTuple):
    """The nearest place of a surface for each query point."""

    distance: Float[np.ndarray, " n"]
    point: Float[np.ndarray, "n 3"]
    face: Int[np.ndarray, " n"]


class SurfaceIndex:
    """A bounding-box tree over a mesh that answers distance queries.

    libigl's AABB tree; distances are exact (to the triangles, not to the vertices).
    """

    def __init__(self, mesh: Mesh) -> None:
        """Build the tree.

        Raises:
            ValueError: If the mesh has no faces.
        """
        if len(mesh.faces) == 0:
            raise ValueError("a surface without faces has no distance")
        self.mesh = mesh
        self._vertices = np.ascontiguousarray(mesh.vertices, float)
        self._faces = np.ascontiguousarray(mesh.faces, np.int64)
        self._tree = igl.AABB()
        self._tree.init(self._vertices, self._faces)

    def closest(self, points: Float[np.ndarray, "n 3"]) -> Closest:
        """Find the nearest surface point of each query point, mm."""
        query = np.ascontiguousarray(points, float)
        squared, face, point = self._tree.squared_distance(self._vertices, self._faces, query)
        return Closest(np.sqrt(squared), np.asarray(point), np.asarray(face))
