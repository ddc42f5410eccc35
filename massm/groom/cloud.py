"""Points that stand for a surface where speed counts more than exactness."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh


@dataclass(frozen=True)
class Cloud:
    """Points spread evenly over a surface, and their normals.

    Attributes:
        points: Positions in random order, so that any first part of them is spread too, mm.
        normals: Unit normals, outward.
        center: Centroid of the surface, mm.
    """

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    center: Float[np.ndarray, "3"]

    def moved(self, matrix: Float[np.ndarray, "4 4"]) -> "Cloud":
        """Move the points by a rigid transform or a reflection; normals stay outward."""
        turn, shift = matrix[:3, :3], matrix[:3, 3]
        return Cloud(
            self.points @ turn.T + shift, self.normals @ turn.T, self.center @ turn.T + shift
        )


def cloud_of(mesh: Mesh, count: int, *, seed: int = 0) -> Cloud:
    """Draw points from a surface, evenly by area.

    Args:
        mesh: Triangles, faces outward.
        count: Number of points.
        seed: The same mesh and seed give the same points.
    """
    generator = np.random.default_rng(seed)
    ladder = np.cumsum(mesh.face_areas)
    places = (np.arange(count) + generator.random(count)) / count * ladder[-1]
    faces = generator.permutation(np.searchsorted(ladder, places).clip(max=len(ladder) - 1))
    first, second = np.sort(generator.random((2, count)), axis=0)
    weights = np.stack([first, second - first, 1 - second], axis=1)
    points = np.einsum("nc,ncd->nd", weights, mesh.vertices[mesh.faces[faces]])
    centers = mesh.vertices[mesh.faces].mean(1)
    return Cloud(
        points,
        mesh.face_normals[faces],
        np.average(centers, axis=0, weights=mesh.face_areas),
    )
