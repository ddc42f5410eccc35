"""The mean shape as a surface: what stands for an anatomy where no subject's shape may."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse

from massm.geometry.alignment import fit_similarity
from massm.geometry.boxes import box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.reconstruct.from_particles import Warp
from massm.template.soundness import fault_of
from massm.tensors.template import average_pose_mean

_SMOOTHING = 5  # rounds of averaging with neighbors, of the displacements


def mean_particles(train: ParticleSet) -> Float[np.ndarray, "M 3"]:
    """Take the mean shape in the average pose, the middle of its box at the origin, mm."""
    mean = average_pose_mean(train)
    return np.asarray(mean - box_of(mean)[0])


def mean_surface(
    warp: Warp,
    mean: Float[np.ndarray, "M 3"],
    train: ParticleSet,
    surfaces: Iterable[Mesh],
) -> Mesh:
    """Average the training surfaces, not only their particles.

    The medoid's surface warped to the mean particles would still bear the medoid's relief between
    the particles. So it is warped to every subject, put onto that subject's surface, turned back,
    and the displacements are averaged: what is left is what the subjects have in common.

    Args:
        warp: The way from particles to a surface, of the medoid.
        mean: Mean particles, any frame in which left is left, mm.
        train: Particles of the training subjects.
        surfaces: Their closed surfaces, image frame, in the same order, one at a time.

    Returns:
        The mean surface in the frame of ``mean``.

    Raises:
        ValueError: If it folds or passes through itself.
    """
    base = warp.surface(mean)
    total = np.zeros_like(base.vertices)
    target = torch.from_numpy(mean)
    for particles, surface in zip(train.local, surfaces, strict=True):
        warped = warp.surface(particles).vertices
        offset = SurfaceIndex(surface).closest(warped).point - warped
        turn = fit_similarity(torch.from_numpy(particles), target, allow_scale=False).rotation
        total += offset @ turn.numpy().T
    found = Mesh(base.vertices + _smoothed(total / len(train.subjects), base), base.faces)
    fault = fault_of(found)
    if fault:
        raise ValueError(f"the mean surface is {fault}; set bundle.template to medoid")
    return found


def _smoothed(values: Float[np.ndarray, "V 3"], mesh: Mesh) -> Float[np.ndarray, "V 3"]:
    """Average values of vertices with those of their neighbors, a few times."""
    start, end = mesh.faces[:, [0, 1, 2]].ravel(), mesh.faces[:, [1, 2, 0]].ravel()
    size = len(mesh.vertices)
    rows, columns = (
        np.concatenate([start, end, np.arange(size)]),
        np.concatenate([end, start, np.arange(size)]),
    )
    linked = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), (size, size))
    linked.data[:] = 1.0
    weights = sparse.diags(1 / np.asarray(linked.sum(1)).ravel()) @ linked
    for _ in range(_SMOOTHING):
        values = weights @ values
    return np.asarray(values)
