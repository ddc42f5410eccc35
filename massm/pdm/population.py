"""What holds shapes in correspondence: each other, or (see :mod:`massm.pdm.fixed`) a model."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massm.geometry.alignment import generalized_procrustes
from massm.pdm.diagnostics import Pattern, mean_pattern
from massm.pdm.entropy import ensemble_energy

LEAST_FOR_ALIGNMENT = 8


@runtime_checkable
class Population(Protocol):
    """Alignment, energy and mean arrangement of a set of shapes."""

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Find the transforms from the surfaces' frame to world."""
        ...

    def energy(
        self, world: Float[Tensor, "N M 3"], fraction: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "N M 3"]]:
        """Give ``r H`` (mm^2) and its gradient times ``N M`` (mm), for r = fraction x variance."""
        ...

    def soften(
        self,
        force: Float[Tensor, "N M 3"],
        world: Float[Tensor, "N M 3"],
        fraction: float,
        strength: float,
    ) -> Float[Tensor, "N M 3"]:
        """Divide a force (world axes) by one plus ``strength`` times the energy's curvature."""
        ...

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Give the arrangement that swapped particles are judged by."""
        ...


class Ensemble:
    """Training shapes: they hold each other."""

    def __init__(self, *, scale: bool) -> None:
        """Choose whether alignment may scale."""
        self._scale = scale

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Align all shapes to their mean; with very few particles they stay as they are."""
        if points.shape[1] < LEAST_FOR_ALIGNMENT:
            return torch.eye(4).to(points).repeat(len(points), 1, 1)
        return generalized_procrustes(points, allow_scale=self._scale)[1]

    def energy(
        self, world: Float[Tensor, "N M 3"], fraction: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "N M 3"]]:
        """Regularized entropy of the population."""
        regularization = _regularization(world, fraction)
        energy, gradient = ensemble_energy(world, regularization)
        return regularization * energy, regularization * gradient

    def soften(
        self,
        force: Float[Tensor, "N M 3"],
        world: Float[Tensor, "N M 3"],
        fraction: float,
        strength: float,
    ) -> Float[Tensor, "N M 3"]:
        """Let what all shapes share, and what varies anyway, move freely; the rest little.

        With G the Gram matrix of the shapes the gradient is ``r (G + r)^-1`` times the centered
        shapes; that matrix, without its part on the mean, is the curvature.
        """
        shapes, particles = world.shape[:2]
        centered = (world - world.mean(0)).flatten(1)
        gram = centered @ centered.T / (shapes * particles)
        identity = torch.eye(shapes).to(gram)
        regularization = _regularization(world, fraction)
        mixing = torch.linalg.solve(
            gram + regularization * (1 + strength) * identity, gram + regularization * identity
        )
        mixing = mixing + strength / (1 + strength) / shapes
        return (mixing @ force.flatten(1)).reshape(force.shape)

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the mean shape's arrangement."""
        return mean_pattern(world, normals)


def _regularization(world: Float[Tensor, "N M 3"], fraction: float) -> float:
    variance = (world - world.mean(0)).square().sum(-1).mean()
    return max(float(fraction * variance), 1e-12)
