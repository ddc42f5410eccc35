"""The separation distance of a result: pairs that lie too near to each other are moved apart."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from massm.pdm.embedded.tuning import TUNING
from massm.pdm.surfaces import OnSurface, SurfaceSet


def separate_pairs(
    surfaces: SurfaceSet,
    particles: OnSurface,
    density: Float[Tensor, " M"] | None = None,
    *,
    share: float = 1.0,
) -> OnSurface:
    """Move particles that are too near to each other apart, along the surface, each half the way.

    The energies hold most pairs apart; where a population draws a few of them together, this
    constraint moves these few by some hundredths of a spacing. Pairs across a thin wall are left
    as they are, along the surface there is no way apart; so are particles at one place, which
    :mod:`massm.pdm.embedded.repair` is for.

    Args:
        surfaces: One for each shape.
        particles: On them.
        density: Factor by which each particle's neighbors shall lie nearer; None: one for all.
        share: Of ``TUNING.least_separation``, the least distance.

    Returns:
        Particles on the surfaces; most are where they were.
    """
    ones = np.ones(particles.points.shape[1])
    factor = ones if density is None else density.cpu().numpy()
    shapes = particles.points.cpu().numpy()
    limits = [share * TUNING.least_separation * _mean_distance(shape, factor) for shape in shapes]
    rows = list(range(len(limits)))
    for _ in range(TUNING.separation_rounds):
        push = np.zeros(particles.points.shape)
        shapes = particles.points.cpu().numpy()
        for row in rows:
            shape = shapes[row]
            farthest = limits[row] / factor.min()
            pairs = cKDTree(shape).query_pairs(farthest, output_type="ndarray")
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
