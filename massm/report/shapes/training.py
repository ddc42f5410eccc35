"""Training shapes of one anatomy in the population's frame, as surfaces that particles carry."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.io.particles import load_set
from massm.reconstruct.from_particles import Warp, load_warp
from massm.report.shapes.decimation import carried


@dataclass(frozen=True)
class TrainingSurfaces:
    """The shapes that a shape model was made from.

    Attributes:
        subjects: Their names.
        world: Their particles in the population's frame, mm.
        transforms: From each subject's image to that frame.
        warp: From particles to surface.
    """

    subjects: tuple[str, ...]
    world: Float[np.ndarray, "N M 3"]
    transforms: Float[np.ndarray, "N 4 4"]
    warp: Warp

    @cached_property
    def mean(self) -> Float[np.ndarray, "M 3"]:
        """Particles of the mean shape."""
        return np.asarray(self.world.mean(0))

    @cached_property
    def from_mean_mm(self) -> Float[np.ndarray, " N"]:
        """Distance of each shape from the mean shape: mean over its particles, mm."""
        return np.asarray(np.linalg.norm(self.world - self.mean, axis=2).mean(1))

    def surface(self, particles: Float[np.ndarray, "M 3"]) -> Mesh:
        """Make the surface that some particles carry."""
        return self.warp.surface(particles)

    def painted(
        self,
        values: Float[np.ndarray, " M"],
        particles: Float[np.ndarray, "M 3"],
        points: Float[np.ndarray, "n 3"],
    ) -> Float[np.ndarray, " n"]:
        """Spread values of particles over the surface that they lie on.

        The warp that carries the surface carries the values too; between particles they stay
        within the values' range.

        Args:
            values: One for each particle.
            particles: Where they lie.
            points: On that surface or beside it.
        """
        surface = self.surface(particles)
        spread = np.clip(self.warp.weights @ values, values.min(), values.max())
        return carried(spread[:, None], surface, points)[:, 0]


def read_training_shapes(results: Path, anatomy: str) -> TrainingSurfaces:
    """Read an anatomy's training particles and the warp that its surfaces follow."""
    training = load_set(results / "correspond" / f"{anatomy}.npz").of_split("train")
    warp = load_warp(results / "reconstruct" / "warp" / f"{anatomy}.npz")
    return TrainingSurfaces(training.subjects, training.world, training.transforms, warp)
