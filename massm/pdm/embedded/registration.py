"""Registration of one template mesh to every surface, coarse to fine."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import fast_simplification
import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massm.geometry.mesh import Mesh
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.surfaces import SurfaceSet


@dataclass(frozen=True)
class TemplateMesh:
    """A coarse mesh that is deformed onto all surfaces.

    Attributes:
        vertices: Rest positions, mm.
        faces: Vertex numbers.
    """

    vertices: Float[Tensor, "K 3"]
    faces: Int[Tensor, "F 3"]

    @cached_property
    def size(self) -> float:
        """Root mean square distance of the vertices from their mean, mm."""
        centered = self.vertices - self.vertices.mean(0)
        return float(centered.square().sum(-1).mean().sqrt())

    def kernel(self, width: float) -> Float[Tensor, "K K"]:
        """Gaussian weights between vertices at rest, each vertex counted by its area."""
        squared = torch.cdist(self.vertices, self.vertices).square()
        return (squared / (-2 * width**2)).exp() * self.vertex_areas

    @cached_property
    def vertex_areas(self) -> Float[Tensor, " K"]:
        """A third of the area of the triangles around each vertex, mm^2."""
        vectors = _face_vectors(self.vertices[None], self.faces)[0]
        area = vectors.norm(dim=-1) / 6
        total = torch.zeros(len(self.vertices), dtype=area.dtype)
        for corner in range(3):
            total.index_add_(0, self.faces[:, corner], area)
        return total

    def normals(self, deformed: Float[Tensor, "N K 3"]) -> Float[Tensor, "N K 3"]:
        """Unit normals of the deformed template."""
        vectors = _face_vectors(deformed, self.faces)
        total = torch.zeros_like(deformed)
        for corner in range(3):
            total.index_add_(1, self.faces[:, corner], vectors)
        length: Tensor = total.norm(dim=-1, keepdim=True)
        return total / length.clamp(min=1e-12)


def make_template(mesh: Mesh, vertices: int) -> TemplateMesh:
    """Coarsen a surface to about ``vertices`` vertices (quadric edge collapse)."""
    target = min(2 * vertices, len(mesh.faces))
    points, faces = fast_simplification.simplify(
        mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), target_count=target
    )
    return TemplateMesh(torch.from_numpy(points).double(), torch.from_numpy(faces).long())


def choose_reference(surfaces: SurfaceSet) -> int:
    """Find the surface that is nearest to all others: mean symmetric distance of samples.

    Candidates and ties go by name, so that the choice does not depend on the order.
    """
    points, _ = surfaces.sample(TUNING.reference_samples, seed=0)
    trees = [cKDTree(shape) for shape in points]
    by_name = sorted(range(len(surfaces)), key=lambda row: surfaces.names[row])
    step = max(1, len(by_name) // TUNING.reference_candidates)
    best, chosen = np.inf, by_name[0]
    for row in by_name[::step]:
        there = np.mean([tree.query(points[row])[0].mean() for tree in trees])
        back = np.mean([trees[row].query(shape)[0].mean() for shape in points])
        if there + back < best - 1e-9:
            best, chosen = there + back, row
    return chosen


def register(
    template: TemplateMesh,
    surfaces: SurfaceSet,
    initial: Float[Tensor, "N K 3"],
    widths: Sequence[float],
    targets: "Targets",
) -> Float[Tensor, "N K 3"]:
    """Deform the template onto each surface by two-way closest points.

    In each round every vertex is drawn to its closest place on the surface, and every sample of
    the surface draws its nearest vertex; the
    displacements are smoothed over the template by a Gaussian.

    Args:
        template: What is deformed.
        surfaces: Aligned surfaces.
        initial: Present vertices on each shape, mm.
        widths: Smoothing of each round, in units of the template's size, from coarse to fine.
        targets: Samples of the surfaces.

    Returns:
        The deformed vertices, mm; near the surfaces, not on them.
    """
    deformed = initial
    for width in widths:
        normals = template.normals(deformed)
        offset, weight = correspondences(deformed, normals, surfaces, targets)
        kernel = template.kernel(width * template.size)
        smooth = kernel @ (weight[..., None] * offset)
        deformed = deformed + smooth / (kernel @ weight[..., None]).clamp(min=1e-9)
    return deformed


@dataclass(frozen=True)
class Targets:
    """Samples of the surfaces with their normals, ``(N, S, 3)`` mm."""

    points: Float[np.ndarray, "N S 3"]
    normals: Float[np.ndarray, "N S 3"]


def correspondences(
    deformed: Float[Tensor, "N K 3"],
    normals: Float[Tensor, "N K 3"],
    surfaces: SurfaceSet,
    targets: Targets,
) -> tuple[Float[Tensor, "N K 3"], Float[Tensor, "N K"]]:
    """Find where two-way closest points draw each vertex, and how surely.

    Args:
        deformed: Vertices of the template on each shape, mm.
        normals: Their unit normals.
        surfaces: The surfaces.
        targets: Samples of the surfaces.

    Returns:
        Displacement (mm) and weight of each vertex.
    """
    onto = surfaces.project(deformed, normals)
    agree = ((onto.normals * normals).sum(-1) + TUNING.opposed_normals).clamp(0, 1)
    drawn = agree[..., None] * (onto.points - deformed)
    weight = agree.clone()
    for row, (points, turned) in enumerate(zip(targets.points, targets.normals, strict=True)):
        _, owner = cKDTree(deformed[row].numpy()).query(points)
        nearest = torch.from_numpy(owner)
        sure = (
            (torch.from_numpy(turned) * normals[row, nearest]).sum(-1) + TUNING.opposed_normals
        ).clamp(0, 1)
        sure = sure * (deformed.shape[1] / len(points))
        offset = torch.from_numpy(points) - deformed[row, nearest]
        drawn[row].index_add_(0, nearest, sure[:, None] * offset)
        weight[row].index_add_(0, nearest, sure)
    return drawn / weight[..., None].clamp(min=1e-6), weight


def _face_vectors(vertices: Float[Tensor, "N K 3"], faces: Int[Tensor, "F 3"]) -> Tensor:
    a, b, c = (vertices[:, faces[:, corner]] for corner in range(3))
    normal: Tensor = torch.linalg.cross(b - a, c - a, dim=-1)
    return normal
