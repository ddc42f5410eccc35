"""Triangle meshes: area, volume, normals, closedness."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh whose faces turn counter-clockwise seen from outside.

    Attributes:
        vertices: Positions, mm.
        faces: Vertex numbers of each triangle.
    """

    vertices: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]

    @cached_property
    def face_areas(self) -> Float[np.ndarray, " F"]:
        """Area of each triangle, mm^2."""
        return np.asarray(np.linalg.norm(self._face_vectors, axis=1) / 2)

    @cached_property
    def face_normals(self) -> Float[np.ndarray, "F 3"]:
        """Unit normal of each triangle; zero where the triangle has no area."""
        vectors = self._face_vectors
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(length > 0, length, 1))

    @cached_property
    def vertex_normals(self) -> Float[np.ndarray, "V 3"]:
        """Unit normal of each vertex, triangles weighted by area."""
        total = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(total, self.faces[:, corner], self._face_vectors)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        return total / np.where(length > 0, length, 1)

    @cached_property
    def area(self) -> float:
        """Surface area, mm^2."""
        return float(self.face_areas.sum())

    @cached_property
    def volume(self) -> float:
        """Enclosed volume, mm^3; negative if the faces turn inward (divergence theorem)."""
        a, b, c = (self.vertices[self.faces[:, i]] - self.vertices.mean(0) for i in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @property
    def volume_ml(self) -> float:
        """Enclosed volume, ml."""
        return self.volume / 1000.0

    @cached_property
    def is_closed(self) -> bool:
        """Whether every edge is shared by exactly two triangles that turn the same way."""
        start, end = self.faces[:, [0, 1, 2]].ravel(), self.faces[:, [1, 2, 0]].ravel()
        there = np.sort(start * len(self.vertices) + end)  # one number for each directed edge
        back = np.sort(end * len(self.vertices) + start)
        return bool(
            (start != end).all() and (np.diff(there) > 0).all() and np.array_equal(there, back)
        )

    @cached_property
    def euler_characteristic(self) -> int:
        """V - E + F over the used vertices; 2 for one closed surface without handles."""
        start, end = self.faces[:, [0, 1, 2]].ravel(), self.faces[:, [1, 2, 0]].ravel()
        edges = np.unique(np.minimum(start, end) * len(self.vertices) + np.maximum(start, end))
        return int(len(np.unique(self.faces)) - len(edges) + len(self.faces))

    def transformed(self, matrix: Float[np.ndarray, "4 4"]) -> "Mesh":
        """Move the mesh by an affine matrix; a reflection turns the faces over too."""
        vertices = self.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        faces = self.faces if np.linalg.det(matrix[:3, :3]) > 0 else self.faces[:, ::-1].copy()
        return Mesh(vertices, faces)

    @cached_property
    def _face_vectors(self) -> Float[np.ndarray, "F 3"]:
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.cross(b - a, c - a)
