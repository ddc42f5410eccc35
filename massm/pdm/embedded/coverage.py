"""Holes: places of a surface that no particle is near, and their pull on the nearest one.

Pairs of particles hold each other apart, but nothing in their energy sees how wide a hole is: where
the population pulls particles away from what few shapes have, a long tip, the pressure around the
hole stays the same however it grows. This term grows with the square of its depth, the distance
that a quantizer or Lloyd's method makes small everywhere (Du, Faber, Gunzburger, "Centroidal
Voronoi tessellations", 1999), here beyond what an even spread leaves bare anyway.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massm.geometry.mesh import Mesh
from massm.geometry.sampling import sample_uniform

REACH = 0.74
"""Distance, in spacings, up to which a particle covers the surface. In a hexagonal lattice no place
is farther than 0.62 from a particle."""

STIFFNESS = 120.0
"""Energy of a surface whose every place is a spacing farther than that."""

CELL = 0.5
"""Side of the grid's cells, in spacings, that have one witness each."""

SAMPLES = 8
"""Samples for each particle, beside the vertices, that witnesses are chosen from."""


class Holes(NamedTuple):
    """Witnesses that no particle covers.

    Attributes:
        shape: Row of the surface of each.
        particle: The nearest particle.
        point: Where the witness is, mm.
        reach: How far that particle covers the surface, mm.
        share: Part of the surface that the witness stands for.
    """

    shape: Int[Tensor, " W"]
    particle: Int[Tensor, " W"]
    point: Float[Tensor, "W 3"]
    reach: Float[Tensor, " W"]
    share: Float[Tensor, " W"]


class Witnesses:
    """Places spread over all surfaces, a few for each particle, that shall be covered."""

    def __init__(self, meshes: list[Mesh], spacing: Float[np.ndarray, " N"]) -> None:
        """Choose one place in each cell of a grid: a vertex, or a sample of a large triangle."""
        self._points = [
            _thinned(mesh, float(side)) for mesh, side in zip(meshes, spacing, strict=True)
        ]

    def holes(self, points: Float[Tensor, "N M 3"], reach: Float[Tensor, "N M"]) -> Holes:
        """Find the witnesses that are farther from their nearest particle than that reaches.

        Args:
            points: Particles, mm.
            reach: How far each covers the surface, mm.
        """
        shapes, limits = points.detach().cpu().numpy(), reach.detach().cpu().numpy()
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
        return Holes(*index, *(part.to(points) for part in joined[2:]))


def hole_energy(
    points: Float[Tensor, "N M 3"], holes: Holes, spacing: Float[Tensor, " N"]
) -> tuple[Float[Tensor, " N"], Float[Tensor, "N M 3"]]:
    """Measure how far the witnesses are from being covered.

    With d the distance of witness s from its nearest particle, c how far that reaches and h the
    spacing, the mean over all witnesses of ``STIFFNESS * max(0, (d - c) / h)^2``. Exact for fixed
    lists of who is nearest.

    Args:
        points: Particles, mm.
        holes: Witnesses that are not covered.
        spacing: Side of the square that a particle has to itself, mm.

    Returns:
        The energy of each shape, and its gradient *times the number of particles*, 1/mm.
    """
    shapes, particles = points.shape[:2]
    flat = holes.shape * particles + holes.particle
    offset = points.reshape(-1, 3)[flat] - holes.point
    distance = offset.norm(dim=-1).clamp(min=1e-9)
    unit = spacing[holes.shape]
    beyond = ((distance - holes.reach) / unit).clamp(min=0)
    energy = torch.zeros(shapes).to(points)
    energy.index_add_(0, holes.shape, STIFFNESS * holes.share * beyond.square())
    force = 2 * STIFFNESS * particles * holes.share * beyond / unit / distance
    gradient = torch.zeros(shapes * particles, 3).to(points)
    gradient.index_add_(0, flat, force[:, None] * offset)
    return energy, gradient.reshape(points.shape)


def _thinned(mesh: Mesh, spacing: float) -> Float[np.ndarray, "w 3"]:
    """Take the first vertex or sample in each cell: tips have one, however little their area."""
    count = int(np.ceil(SAMPLES * mesh.area / spacing**2))
    samples, _ = sample_uniform(mesh, count, np.random.default_rng(0))
    points = np.concatenate([mesh.vertices, samples])
    cells = np.floor((points - points.min(0)) / (CELL * spacing)).astype(np.int64)
    _, first = np.unique(np.ravel_multi_index(cells.T, cells.max(0) + 1), return_index=True)
    return points[np.sort(first)]
