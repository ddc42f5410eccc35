"""What a particle engine hands back for a set of shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Diagnostics:
    """What is to be known of each shape.

    Attributes:
        distance_mean: Mean distance of its particles to its surface, mm.
        distance_max: The largest one, mm.
        swapped: Pairs of neighbors that lie on the opposite side of each other.
        collapsed: Pairs at one place.
        residual: Distance from the span of the model (of all *other* training shapes for a
            training shape), root mean square over particles, mm.
        outside_span: Whether that is more than the training shapes give reason to expect.
        seconds: Time spent on it.
    """

    distance_mean: Float[np.ndarray, " N"]
    distance_max: Float[np.ndarray, " N"]
    swapped: Int[np.ndarray, " N"]
    collapsed: Int[np.ndarray, " N"]
    residual: Float[np.ndarray, " N"]
    outside_span: Bool[np.ndarray, " N"]
    seconds: Float[np.ndarray, " N"]


@dataclass(frozen=True)
class Correspondence:
    """Particles in correspondence.

    Attributes:
        names: Subjects that could be fitted, in the order they were given.
        failed: Reason for each subject that could not.
        particles: On the surfaces, in their aligned frame, mm.
        world: The same after Procrustes alignment, mm.
        procrustes: Matrices from the aligned frame to world.
        diagnostics: One value for each subject.
    """

    names: tuple[str, ...]
    failed: dict[str, str]
    particles: Float[np.ndarray, "N M 3"]
    world: Float[np.ndarray, "N M 3"]
    procrustes: Float[np.ndarray, "N 4 4"]
    diagnostics: Diagnostics

    def ordered(self, names: Sequence[str]) -> "Correspondence":
        """Bring the subjects into the order of ``names``."""
        rows = [self.names.index(name) for name in names]
        diagnostics = Diagnostics(
            **{
                part.name: getattr(self.diagnostics, part.name)[rows]
                for part in fields(Diagnostics)
            }
        )
        return Correspondence(
            tuple(names),
            self.failed,
            self.particles[rows],
            self.world[rows],
            self.procrustes[rows],
            diagnostics,
        )


def joined(fits: Sequence[Correspondence]) -> Correspondence:
    """Put fits of different subjects together, in their order."""
    diagnostics = Diagnostics(
        **{
            part.name: np.concatenate([getattr(fit.diagnostics, part.name) for fit in fits])
            for part in fields(Diagnostics)
        }
    )
    return Correspondence(
        tuple(name for fit in fits for name in fit.names),
        {name: reason for fit in fits for name, reason in fit.failed.items()},
        np.concatenate([fit.particles for fit in fits]),
        np.concatenate([fit.world for fit in fits]),
        np.concatenate([fit.procrustes for fit in fits]),
        diagnostics,
    )


def empty_correspondence(failed: dict[str, str], particles: int) -> Correspondence:
    """Hand back that no subject could be fitted, with the reason for each."""
    none = np.zeros(0)
    counts = np.zeros(0, np.int64)
    diagnostics = Diagnostics(none, none, counts, counts, none, np.zeros(0, bool), none)
    points = np.zeros((0, particles, 3))
    return Correspondence((), failed, points, points, np.zeros((0, 4, 4)), diagnostics)
