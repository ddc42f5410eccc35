"""The frozen model that new subjects are fitted to, and how far from it they may lie."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

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
            subject lies outside.
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

    def residual(self, world: Float[np.ndarray, "N M 3"]) -> Float[np.ndarray, " N"]:
        """Distance of shapes from the span of all modes, root mean square over particles, mm."""
        nearest = self.shape.project(world, len(self.shape.variances))
        return np.asarray(np.sqrt(np.square(world - nearest).sum(-1).mean(-1)))


def freeze(
    world: Float[np.ndarray, "N M 3"],
    normals: Float[np.ndarray, "N M 3"],
    template_vertices: Float[np.ndarray, "K 3"],
    template_faces: Int[np.ndarray, "F 3"],
    template_particles: Float[np.ndarray, "M 3"],
    residual_limit: float,
) -> FrozenModel:
    """Make the model of the training shapes that new subjects are fitted to.

    Args:
        world: Training shapes, world frame, mm.
        normals: Their unit normals, world frame.
        template_vertices: See :class:`FrozenModel`, as for the others.
        template_faces: Triangles.
        template_particles: Particles on that mesh, aligned frame, mm.
        residual_limit: Distance from the span above which a subject lies outside, mm.
    """
    mean_normal = normals.mean(0)
    mean_normal /= np.maximum(np.linalg.norm(mean_normal, axis=1, keepdims=True), 1e-9)
    return FrozenModel(
        fit_shape_model(world),
        mean_normal,
        template_vertices,
        template_faces,
        template_particles,
        residual_limit,
    )


def limit_of(residuals: Float[np.ndarray, " N"]) -> float:
    """Say which distance from the span is more than subjects of the population have: 4 sd.

    The deviation of a few subjects says little; it counts as a quarter of the mean at least.
    """
    deviation = max(residuals.std(), residuals.mean() / 4)
    return float(residuals.mean() + SPAN_DEVIATIONS * deviation)
