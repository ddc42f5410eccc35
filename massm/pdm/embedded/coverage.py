"""The coverage energy: places of a surface that no particle is near draw their nearest one.

Pairs of particles hold each other apart, but nothing in their energy sees the covering radius (fill
distance), the largest distance of the surface to its nearest particle: where the population draws
particles away from what few shapes have, a long tip, the pressure around the bare region stays the
same however it grows. This term grows with the square of its depth, the distance that a quantizer
or Lloyd's method makes small everywhere (Du, Faber, Gunzburger, "Centroidal Voronoi tessellations",
1999), here beyond what an even spread leaves bare anyway.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massm.geometry.mesh import Mesh
from massm.geometry.sampling import sample_uniform
from massm.pdm.embedded.tuning import TUNING


class Uncovered(NamedTuple):
    """Surface samples that no particle covers.

    Attributes:
        shape: Row of the surface of each.
        particle: The nearest particle.
        point: Where the sample is, mm.
        radius: How far that particle covers the surface, mm.
        share: Part of the surface that the sample stands for.
    """

    shape: Int[Tensor, " W"]
    particle: Int[Tensor, " W"]
    point: Float[Tensor, "W 3"]
    radius: Float[Tensor, " W"]
    share: Float[Tensor, " W"]


class SurfaceSamples:
    """Places spread over all surfaces, a few for each particle, that shall be covered."""

    def __init__(self, meshes: list[Mesh], spacing: Float[np.ndarray, " N"]) -> None:
        """Choose one place in each cell of a grid: a vertex, or a point of a large triangle."""
        self._points = [
            _thinned(mesh, float(side)) for mesh, side in zip(meshes, spacing, strict=True)
        ]

    def uncovered(self, points: Float[Tensor, "N M 3"], radius: Float[Tensor, "N M"]) -> Uncovered:
        """Find the samples that are farther from their nearest particle than that covers.

        Args:
            points: Particles, mm.
            radius: How far each covers the surface, mm.
        """
        shapes, limits = points.detach().cpu().numpy(), radius.detach().cpu().numpy()
        parts: list[tuple[np.ndarray, ...]] = []
        for row, (shape, places) in enumerate(zip(shapes, self._points, strict=True)):
            distance, owner = cKDTree(shape).query(places)
            bare = np.flatnonzero(distance > limits[row, owner])
            chosen, share = owner[bare], np.full(len(bare), 1 / len(places))
            parts.append(
                (np.full(len(bare), row), chosen, places[bare], limits[row, chosen], share)
            )
        joined = [torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True)]
        index = [part.to(points.device) for part in joined[:2]]
        return Uncovered(*index, *(part.to(points) for part in joined[2:]))


def coverage_energy(
    points: Float[Tensor, "N M 3"], uncovered: Uncovered, spacing: Float[Tensor, " N"]
) -> tuple[Float[Tensor, " N"], Float[Tensor, "N M 3"]]:
    """Measure how far the samples are from being covered.

    With d the distance of sample s from its nearest particle, c how far that covers and h the
    spacing, the mean over all samples of ``k * max(0, (d - c) / h)^2``, k the stiffness.
    Exact for fixed lists of who is nearest.

    Args:
        points: Particles, mm.
        uncovered: Surface samples that are not covered.
        spacing: Side of the square that a particle has to itself, mm.

    Returns:
        The energy of each shape, and its gradient *times the number of particles*, 1/mm.
    """
    shapes, particles = points.shape[:2]
    flat = uncovered.shape * particles + uncovered.particle
    offset = points.reshape(-1, 3)[flat] - uncovered.point
    distance = offset.norm(dim=-1).clamp(min=1e-9)
    unit = spacing[uncovered.shape]
    beyond = ((distance - uncovered.radius) / unit).clamp(min=0)
    energy = torch.zeros(shapes).to(points)
    energy.index_add_(
        0, uncovered.shape, TUNING.coverage_stiffness * uncovered.share * beyond.square()
    )
    force = 2 * TUNING.coverage_stiffness * particles * uncovered.share * beyond / unit / distance
    gradient = torch.zeros(shapes * particles, 3).to(points)
    gradient.index_add_(0, flat, force[:, None] * offset)
    return energy, gradient.reshape(points.shape)


def _thinned(mesh: Mesh, spacing: float) -> Float[np.ndarray, "w 3"]:
    """Take the first vertex or sample in each cell: tips have one, however little their area."""
    count = int(np.ceil(TUNING.coverage_candidates * mesh.area / spacing**2))
    samples, _ = sample_uniform(mesh, count, np.random.default_rng(0))
    points = np.concatenate([mesh.vertices, samples])
    cells = np.floor((points - points.min(0)) / (TUNING.coverage_cell * spacing)).astype(np.int64)
    _, first = np.unique(np.ravel_multi_index(cells.T, cells.max(0) + 1), return_index=True)
    return points[np.sort(first)]
