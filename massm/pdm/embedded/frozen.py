"""New subjects and a frozen model: each is fitted on its own, the model does not move."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from massm.geometry.alignment import fit_similarity
from massm.pdm.diagnostics import Pattern, pattern_of
from massm.pdm.fixed import FrozenModel


class FrozenEnsemble:
    """The population of one frozen model, as the optimizer sees it.

    The energy of a shape is by how much the ensemble entropy of the training shapes grows when it
    joins them, so that it feels the force that a training shape felt. With C their covariance and d
    the shape's distance from their mean::

        H' - H = 1/2 log(1 + a d (s C + r)^-1 d / M),   s = N / (N + 1),   a = s / (N + 1)

    A part of the shape that no training shape has is not pressed back into their span at any
    price: the force falls with its square. Shapes do not feel each other.
    """

    def __init__(self, model: FrozenModel, *, scale: bool, device: torch.device) -> None:
        """Bring the model to the device."""
        shape = model.shape
        self._shapes = shapes = len(shape.variances) + 1
        self._share = shapes / (shapes + 1)
        self._mean = torch.from_numpy(shape.mean).to(device)
        self._modes = torch.from_numpy(shape.modes.reshape(len(shape.modes), -1)).to(device)
        per_particle = shape.variances * (shapes - 1) / shapes / len(shape.mean)
        self._variances = torch.from_numpy(per_particle).to(device)
        self._scale = scale
        normals = torch.from_numpy(model.normals).to(device)
        distance = torch.cdist(self._mean, self._mean)
        spacing = float(distance.topk(min(7, len(distance)), largest=False).values[:, 1:].mean())
        self._pattern = pattern_of(self._mean, normals, spacing)

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Align each shape to the model's mean."""
        target = self._mean.expand_as(points)
        return fit_similarity(points, target, allow_scale=self._scale).matrix()

    def term(self, world: Float[Tensor, "N M 3"], fraction: float) -> "FrozenTerm":
        """Growth of the ensemble entropy, averaged over shapes."""
        regularization = max(float(fraction * self._variances.sum()), 1e-12)
        offset = (world - self._mean).flatten(1)
        varied = self._share * self._variances
        kept = varied / (varied + regularization)
        back = offset - (offset @ self._modes.T * kept) @ self._modes  # r (s C + r)^-1 d
        distance = (offset * back).sum(1) / regularization / world.shape[1]
        growth = 1 + self._share / (self._shapes + 1) * distance
        stiffness = self._share / growth[:, None]
        return FrozenTerm(
            regularization * (self._shapes + 1) / 2 * growth.log().mean(),
            (stiffness * back).reshape(world.shape),
            self._modes,
            stiffness * (1 - kept),
            stiffness,
        )

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the frozen mean shape's arrangement."""
        return self._pattern


@dataclass(frozen=True)
class FrozenTerm:
    """See :class:`massm.pdm.embedded.ensemble.EnsembleTerm`; with its curvature.

    Attributes:
        energy: Averaged over shapes, mm^2.
        gradient: Times ``N M``, mm.
        modes: Unit modes, P = 3 M.
        along: Curvature along each mode.
        across: Curvature in all other directions.
    """

    energy: Float[Tensor, ""]
    gradient: Float[Tensor, "N M 3"]
    modes: Float[Tensor, "J P"]
    along: Float[Tensor, "N J"]
    across: Float[Tensor, "N 1"]

    def precondition(
        self, force: Float[Tensor, "N M 3"], strength: float
    ) -> Float[Tensor, "N M 3"]:
        """Let shapes move freely along the modes; across them little."""
        across = 1 / (1 + strength * self.across)
        along = 1 / (1 + strength * self.along)
        flat = force.flatten(1)
        preconditioned = across * flat + (flat @ self.modes.T * (along - across)) @ self.modes
        return preconditioned.reshape(force.shape)
