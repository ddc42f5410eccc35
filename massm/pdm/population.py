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
        variance = (world - world.mean(0)).square().sum(-1).mean()
        regularization = max(float(fraction * variance), 1e-12)
        energy, gradient = ensemble_energy(world, regularization)
        return regularization * energy, regularization * gradient

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the mean shape's arrangement."""
        return mean_pattern(world, normals)
