"""Pairs that lie too near to each other are moved apart."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from massm.pdm.surfaces import OnSurface, SurfaceSet

LEAST = 0.9
"""Least distance of two particles, in mean nearest-neighbor distances of their shape."""

ROUNDS = 30


def part_pairs(
    surfaces: SurfaceSet, particles: OnSurface, density: Float[Tensor, " M"] | None = None
) -> OnSurface:
    """Move particles apart that are nearer than ``LEAST``, along the surface, each half of the way.

    The energies hold most pairs apart; where a population pulls a few of them together, this
    constraint moves these few by some hundredths of a spacing. Pairs across a thin wall are left
    as they are, along the surface there is no way apart; so are particles at one place, which
    :mod:`massm.pdm.repair` is for.

    Args:
        surfaces: One for each shape.
        particles: On them.
        density: Factor by which each particle's neighbors shall lie nearer; None: one for all.

    Returns:
        Particles on the surfaces; most are where they were.
    """
    ones = np.ones(particles.points.shape[1])
    factor = ones if density is None else density.cpu().numpy()
    limits = [LEAST * _mean_distance(shape, factor) for shape in particles.points.cpu().numpy()]
    for _ in range(ROUNDS):
        push = np.zeros(particles.points.shape)
        for row, shape in enumerate(particles.points.cpu().numpy()):
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
        if not moved.any():
            break
        there = particles._replace(points=particles.points + step)
        particles = surfaces.project_some(there, moved)
    return particles


def _mean_distance(shape: np.ndarray, factor: np.ndarray) -> float:
    return float((cKDTree(shape).query(shape, 2)[0][:, 1] * factor).mean())
