"""New subjects and a frozen model: each is fitted on its own, the model does not move."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from massm.geometry.alignment import fit_similarity
from massm.pdm.diagnostics import Pattern, pattern_of
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shape_model import ShapeModel, fit_shape_model

SPAN_DEVIATIONS = 4.0


@dataclass(frozen=True)
class FrozenModel:
    """What new subjects are fitted to.

    Attributes:
        shape: Mean and modes of the training shapes, world frame.
        normals: Mean unit normal of each particle, world frame.
        template_vertices: Mesh that is registered to a new surface, aligned frame, mm.
        template_faces: Its triangles.
        template_particles: Particles on that mesh.
        residual_limit: Distance from the span (root mean square over particles, mm) above which a
            subject lies outside: mean plus four standard deviations of the training subjects'
            leave-one-out distances.
    """

    shape: ShapeModel
    normals: Float[np.ndarray, "M 3"]
    template_vertices: Float[np.ndarray, "K 3"]
    template_faces: Int[np.ndarray, "F 3"]
    template_particles: Float[np.ndarray, "M 3"]
    residual_limit: float

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all arrays, for a file."""
        return {
            "mean": self.shape.mean,
            "modes": self.shape.modes,
            "variances": self.shape.variances,
            "normals": self.normals,
            "template_vertices": self.template_vertices,
            "template_faces": self.template_faces,
            "template_particles": self.template_particles,
            "residual_limit": np.array(self.residual_limit),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "FrozenModel":
        """Rebuild a model from what :meth:`arrays` gave.

        Raises:
            KeyError: If one is missing.
        """
        return cls(
            ShapeModel(arrays["mean"], arrays["modes"], arrays["variances"]),
            arrays["normals"],
            arrays["template_vertices"],
            arrays["template_faces"],
            arrays["template_particles"],
            float(arrays["residual_limit"]),
        )

    def residual(self, world: Float[np.ndarray, "N M 3"]) -> Float[np.ndarray, " N"]:
        """Distance of shapes from the span of all modes, root mean square over particles, mm."""
        nearest = self.shape.project(world, len(self.shape.variances))
        return np.sqrt(np.square(world - nearest).sum(-1).mean(-1))


def freeze(
    world: Float[np.ndarray, "N M 3"],
    normals: Float[np.ndarray, "N M 3"],
    template_vertices: Float[np.ndarray, "K 3"],
    template_faces: Int[np.ndarray, "F 3"],
    template_particles: Float[np.ndarray, "M 3"],
) -> FrozenModel:
    """Make the model of the training shapes that new subjects are fitted to."""
    mean_normal = normals.mean(0)
    mean_normal /= np.maximum(np.linalg.norm(mean_normal, axis=1, keepdims=True), 1e-9)
    left_out = leave_one_out_residuals(world)
    limit = float(left_out.mean() + SPAN_DEVIATIONS * left_out.std())
    return FrozenModel(
        fit_shape_model(world),
        mean_normal,
        template_vertices,
        template_faces,
        template_particles,
        limit,
    )


class Frozen:
    """The population of one frozen model, as the optimizer sees it.

    The energy of a shape is that of the ensemble entropy with the covariance held fixed: the
    regularized Mahalanobis distance, so that a new shape feels the force that a training shape
    felt. Shapes do not feel each other.
    """

    def __init__(self, model: FrozenModel, *, scale: bool, device: torch.device) -> None:
        """Bring the model to the device."""
        shape = model.shape
        shapes = len(shape.variances) + 1
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

    def energy(
        self, world: Float[Tensor, "N M 3"], fraction: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "N M 3"]]:
        """Regularized Mahalanobis distance, averaged over shapes, and its gradient."""
        regularization = max(float(fraction * self._variances.sum()), 1e-12)
        centered = (world - self._mean).flatten(1)
        kept = self._variances / (self._variances + regularization)
        gradient = centered - (centered @ self._modes.T * kept) @ self._modes
        energy = (centered * gradient).sum() / (2 * world.shape[0] * world.shape[1])
        return energy, gradient.reshape(world.shape)

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the frozen mean shape's arrangement."""
        return self._pattern
