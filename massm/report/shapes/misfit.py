"""Where a shape model is worst: shapes rebuilt from all others, particle by particle."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.pdm.quality import leave_one_out_errors
from massm.pdm.summary import CURVE_MODES

MODES = 10  # at most
LEAST_SHAPES = 3  # with fewer the others have no mode


@dataclass(frozen=True)
class Misfit:
    """Errors of shapes that the first modes of all others rebuild.

    Attributes:
        modes: How many.
        errors: Of each particle of each shape, mm.
    """

    modes: int
    errors: Float[np.ndarray, "N M"]

    @property
    def by_shape(self) -> Float[np.ndarray, " N"]:
        """Mean error of each shape, mm."""
        return np.asarray(self.errors.mean(1))

    @property
    def by_particle(self) -> Float[np.ndarray, " M"]:
        """Mean error of each particle, mm."""
        return np.asarray(self.errors.mean(0))

    def worst(self, count: int) -> list[int]:
        """Return the rows of the shapes with the largest error, largest first."""
        return [int(row) for row in np.argsort(-self.by_shape, kind="stable")[:count]]


@dataclass(frozen=True)
class PaintedShape:
    """A surface with the error of each of its vertices, mm."""

    title: str
    surface: Mesh
    error: Float[np.ndarray, " V"]


def find_misfit(world: Float[np.ndarray, "N M 3"]) -> Misfit | None:
    """Rebuild each training shape from the others; None with fewer than three.

    Ten modes, or with few shapes the largest number of the curves of generalization.
    """
    if len(world) < LEAST_SHAPES:
        return None
    modes = max(count for count in CURVE_MODES if count <= min(MODES, len(world) - 2))
    return Misfit(modes, leave_one_out_errors(world, modes))
