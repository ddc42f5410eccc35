"""What holds shapes in correspondence: each other, or a model.

The latter is :mod:`massm.pdm.embedded.frozen`.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massm.geometry.alignment import generalized_procrustes
from massm.pdm.diagnostics import Pattern, mean_pattern
from massm.pdm.embedded.entropy import ensemble_energy
from massm.pdm.embedded.tuning import TUNING


@runtime_checkable
class EnsembleTerm(Protocol):
    """What an ensemble does to its shapes where they are."""

    @property
    def energy(self) -> Float[Tensor, ""]:
        """``r H``, mm^2, for a regularization r."""
        ...

    @property
    def gradient(self) -> Float[Tensor, "N M 3"]:
        """Its gradient times ``N M``, world axes, mm."""
        ...

    def precondition(
        self, force: Float[Tensor, "N M 3"], strength: float
    ) -> Float[Tensor, "N M 3"]:
        """Divide a force (world axes) by one plus ``strength`` times the energy's curvature."""
        ...


@runtime_checkable
class Ensemble(Protocol):
    """Alignment, energy and mean arrangement of a set of shapes."""

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Find the transforms from the surfaces' frame to world."""
        ...

    def term(self, world: Float[Tensor, "N M 3"], fraction: float) -> EnsembleTerm:
        """Give energy, gradient and curvature, for r = fraction x the population's variance."""
        ...

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Give the arrangement that swapped particles are judged by."""
        ...


class TrainingEnsemble:
    """Training shapes: they hold each other."""

    def __init__(self, *, scale: bool) -> None:
        """Choose whether Procrustes alignment may scale."""
        self._scale = scale

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Align all shapes to their mean; with very few particles they stay as they are."""
        if points.shape[1] < TUNING.alignment_particles:
            return torch.eye(4).to(points).repeat(len(points), 1, 1)
        return generalized_procrustes(points, allow_scale=self._scale)[1]

    def term(self, world: Float[Tensor, "N M 3"], fraction: float) -> "TrainingTerm":
        """Regularized entropy of the shapes."""
        variance = (world - world.mean(0)).square().sum(-1).mean()
        regularization = max(float(fraction * variance), 1e-12)
        found = ensemble_energy(world, regularization)
        return TrainingTerm(
            regularization * found.energy,
            regularization * found.gradient,
            found.gram,
            regularization,
        )

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the mean shape's arrangement."""
        return mean_pattern(world, normals)


@dataclass(frozen=True)
class TrainingTerm:
    """See :class:`EnsembleTerm`; with the shapes' Gram matrix and the regularization r, mm^2."""

    energy: Float[Tensor, ""]
    gradient: Float[Tensor, "N M 3"]
    gram: Float[Tensor, "N N"]
    regularization: float

    def precondition(
        self, force: Float[Tensor, "N M 3"], strength: float
    ) -> Float[Tensor, "N M 3"]:
        """Let what all shapes share, and what varies anyway, move freely; the rest little.

        With G the Gram matrix of the shapes the gradient is ``r (G + r)^-1`` times the centered
        shapes; that matrix, without its part on the mean, is the curvature.
        """
        identity = torch.eye(len(force)).to(self.gram)
        mixing = torch.linalg.solve(
            self.gram + self.regularization * (1 + strength) * identity,
            self.gram + self.regularization * identity,
        )
        mixing = mixing + strength / (1 + strength) / len(force)
        preconditioned: Tensor = mixing @ force.flatten(1)
        return preconditioned.reshape(force.shape)
