"""Pairs that lie too near to each other are moved apart."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from massm.pdm.surfaces import OnSurface, SurfaceSet

LEAST = 0.96
"""Least distance of two particles, in mean nearest-neighbor distances of their shape."""

GENTLER = (1.0, 0.97, 0.94)
"""Shares of it, one try after the other where a surface bends so much that pairs would swap."""

ROUNDS = 30


def part_pairs(
    surfaces: SurfaceSet,
    particles: OnSurface,
    density: Float[Tensor, " M"] | None = None,
    *,
    share: float = 1.0,
) -> OnSurface:
    """Move particles apart that are nearer than ``LEAST``, along the surface, each half of the way.

    The energies hold most pairs apart; where a population pulls a few of them together, this
    constraint moves these few by some hundredths of a spacing. Pairs across a thin wall are left
    as they are, along the surface there is no way apart; so are particles at one place, which
    :mod:`massm.pdm.embedded.repair` is for.

    Args:
        surfaces: One for each shape.
        particles: On them.
        density: Factor by which each particle's neighbors shall lie nearer; None: one for all.
        share: Of ``LEAST``.

    Returns:
        Particles on the surfaces; most are where they were.
    """
    ones = np.ones(particles.points.shape[1])
    factor = ones if density is None else density.cpu().numpy()
    shapes = particles.points.cpu().numpy()
    limits = [share * LEAST * _mean_distance(shape, factor) for shape in shapes]
    rows = list(range(len(limits)))
    for _ in range(ROUNDS):
        push = np.zeros(particles.points.shape)
        shapes = particles.points.cpu().numpy()
        for row in rows:
            shape = shapes[row]
            reach = limits[row] / factor.min()
            pairs = cKDTree(shape).query_pairs(reach, output_type="ndarray")
            offset = shape[pairs[:, 0]] - shape[pairs[:, 1]]
            distance = np.linalg.norm(offset, axis=1)
            limit = limits[row] / factor[pairs].mean(1)
            ratio = limit / np.maximum(distance, 1e-3 * limit)
            half = offset * (np.maximum(ratio, 1) - 1)[:, None] / 2
            np.add.at(push[row], pairs[:, 0], half)
            np.add.at(push[row], pairs[:, 1], -half)
        step = torch.from_numpy(push).to(particles.points)
        step = step - particles.normals * (step * particles.normals).sum(-1, keepdim=True)
        moved = step.norm(dim=-1) > 0
        rows = [row for row in rows if moved[row].any()]
        if not rows:
            break
        there = particles._replace(points=particles.points + step)
        particles = surfaces.project_some(there, moved)
    return particles


def _mean_distance(shape: np.ndarray, factor: np.ndarray) -> float:
    return float((cKDTree(shape).query(shape, 2)[0][:, 1] * factor).mean())
