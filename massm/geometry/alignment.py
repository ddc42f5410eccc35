"""Similarity transforms between point sets in correspondence.

Torch functions are batched and differentiable; :func:`apply_transform` and
:func:`invert_transform` are their numpy neighbors for 4x4 matrices from files.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_FLATTENED = 0.25
"""Singular values of a mean, of those of its shapes, below which it is no shape to align to.

Across the axis that two shapes are turned about by an angle a, their mean keeps cos(a / 2) of its
extent: a quarter is left at 151 degrees. Poses of patients differ by far less, so that the usual
first mean stays; noise in what is left of it is far from deciding which way shapes are turned.
"""


class Similarity(NamedTuple):
    """``y = scale * rotation @ x + translation`` for points x as columns."""

    scale: Float[Tensor, "*batch"]
    rotation: Float[Tensor, "*batch 3 3"]
    translation: Float[Tensor, "*batch 3"]

    def apply(self, points: Float[Tensor, "*batch M 3"]) -> Float[Tensor, "*batch M 3"]:
        """Move points."""
        turned = points @ self.rotation.mT
        return self.scale[..., None, None] * turned + self.translation[..., None, :]

    def matrix(self) -> Float[Tensor, "*batch 4 4"]:
        """Write the transform as homogeneous matrices."""
        matrix = torch.zeros(*self.scale.shape, 4, 4).to(self.rotation)
        matrix[..., :3, :3] = self.scale[..., None, None] * self.rotation
        matrix[..., :3, 3] = self.translation
        matrix[..., 3, 3] = 1
        return matrix


def fit_similarity(
    source: Float[Tensor, "*batch M 3"],
    target: Float[Tensor, "*batch M 3"],
    *,
    allow_scale: bool = True,
) -> Similarity:
    """Find the similarity that carries ``source`` onto ``target`` with least squared error.

    Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE TPAMI 13(4), 1991: rotation Eq. (40), translation Eq. (41), scale Eq. (42).
    Differentiable in both arguments while the singular values stay distinct.

    Args:
        source: Points, any frame, mm.
        target: Points in correspondence with ``source``, mm.
        allow_scale: Fit a scale too; else it is 1 (rigid).

    Returns:
        The transform; its rotation is proper (det = +1), never a reflection.

    Raises:
        ValueError: With fewer than 3 points, which leave the rotation undefined.
    """
    count = source.shape[-2]
    if count < 3:
        raise ValueError(f"a similarity needs at least 3 points, got {count}")

    source_mean, target_mean = source.mean(-2), target.mean(-2)
    source_centered = source - source_mean[..., None, :]
    target_centered = target - target_mean[..., None, :]

    u, singular, v_transposed = torch.linalg.svd(target_centered.mT @ source_centered / count)
    last = torch.det(u @ v_transposed).sign()  # -1 where the best fit would be a reflection
    sign = torch.stack([torch.ones_like(last), torch.ones_like(last), last], -1)

    rotation = u * sign[..., None, :] @ v_transposed
    if allow_scale:
        scale = (singular * sign).sum(-1) / source_centered.square().sum(-1).mean(-1)
    else:
        scale = torch.ones_like(last)
    moved_mean = scale[..., None] * (rotation @ source_mean[..., None]).squeeze(-1)
    return Similarity(scale, rotation, target_mean - moved_mean)


def orthogonal_between(
    source: Float[Tensor, "*batch M 3"], target: Float[Tensor, "*batch M 3"]
) -> Float[Tensor, "*batch 3 3"]:
    """Return the orthogonal matrix, reflection allowed, that turns source onto target.

    Schonemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31,
    1966. Both are taken relative to their own means.
    """
    a = source - source.mean(-2, keepdim=True)
    b = target - target.mean(-2, keepdim=True)
    return nearest_orthogonal(b.mT @ a)


def nearest_orthogonal(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Return the orthogonal matrix, reflection allowed, that is nearest to a matrix."""
    u, _, v_transposed = torch.linalg.svd(matrix)
    nearest: Tensor = u @ v_transposed
    return nearest


def generalized_procrustes(
    shapes: Float[Tensor, "N M 3"],
    *,
    allow_scale: bool = False,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
) -> tuple[Float[Tensor, "N M 3"], Float[Tensor, "N 4 4"]]:
    """Align shapes in correspondence to their common mean.

    Gower, "Generalized Procrustes analysis", Psychometrika 40, 1975: shapes are moved to the mean
    and the mean is taken anew until it rests. Rotations are proper. With scale, the geometric mean
    of the scales is held at 1, so that the population keeps its size. The result is centered at
    the origin, and turned so that the mean rotation of all shapes is the identity: the frame does
    not depend on their order.

    Args:
        shapes: Particles in any frames, mm.
        allow_scale: Fit an isotropic scale for each shape too.
        tolerance: Relative change of the mean at which to stop.
        max_iterations: Upper bound on passes.

    Returns:
        The aligned shapes, mm, and the matrices that carry each shape to its aligned self.
    """
    centered = shapes - shapes.mean(1, keepdim=True)
    size = centered.square().sum((1, 2)).mean().sqrt()
    mean = _first_mean(centered)
    for _ in range(max_iterations):
        moved = _fit_all(centered, mean, allow_scale).apply(centered)
        change = (moved.mean(0) - mean).norm() / size
        mean = moved.mean(0)
        if change < tolerance:
            break
    fit = _fit_all(centered, mean, allow_scale)
    u, _, v_transposed = torch.linalg.svd(fit.rotation.mean(0))
    # Chordal mean of the rotations, undone; of rotations half a turn apart the nearest orthogonal
    # matrix may be a reflection.
    u = u * torch.stack([u.new_ones(()), u.new_ones(()), torch.det(u @ v_transposed).sign()])
    back = (u @ v_transposed).mT
    rotation = back @ fit.rotation
    offset = -(fit.scale[:, None] * (rotation @ shapes.mean(1)[..., None]).squeeze(-1))
    similarity = Similarity(fit.scale, rotation, offset)
    return similarity.apply(shapes), similarity.matrix()


def _first_mean(centered: Float[Tensor, "N M 3"]) -> Float[Tensor, "M 3"]:
    """Take the mean of shapes as they lie, or the first where they are turned against each other.

    The mean of two shapes half a turn apart is flat, and nothing can be turned onto it.
    """
    mean = centered.mean(0)
    thickness = torch.linalg.svdvals(centered).mean(0)
    if (torch.linalg.svdvals(mean) < _FLATTENED * thickness).any():
        return centered[0]
    return mean


def _fit_all(
    centered: Float[Tensor, "N M 3"], mean: Float[Tensor, "M 3"], allow_scale: bool
) -> Similarity:
    fit = fit_similarity(centered, mean.expand_as(centered), allow_scale=allow_scale)
    scale = fit.scale / fit.scale.log().mean().exp()
    return Similarity(scale, fit.rotation, torch.zeros_like(fit.translation))


def apply_transform(
    matrix: Float[np.ndarray, "4 4"], points: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n 3"]:
    """Move points by a homogeneous matrix."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def invert_transform(matrix: Float[np.ndarray, "4 4"]) -> Float[np.ndarray, "4 4"]:
    """Invert a homogeneous affine matrix."""
    return np.asarray(np.linalg.inv(matrix))
