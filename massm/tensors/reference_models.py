"""Floor and ceiling of the comparison: the mean shape, and the best the shape model could do."""

import numpy as np
from jaxtyping import Float

from massm.geometry.particles import ParticleSet
from massm.pdm.shape_model import fit_shape_model


def mean_shape_at(
    mean_local: Float[np.ndarray, "K M 3"], center: Float[np.ndarray, "K 3"]
) -> Float[np.ndarray, "K M 3"]:
    """Put the training split's mean shape, in its average pose, at predicted centers (mm)."""
    return np.asarray(mean_local + center[:, None])


def oracle_of(
    subject: str, particles: ParticleSet, modes: int
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Return the projected shape of a subject in its image and in the world frame, mm.

    The subject's true transform carries the projection back to its image.
    """
    row = particles.row(subject)
    model = fit_shape_model(particles.of_split("train").world, modes)
    world = model.project(particles.world[row], modes)
    back = np.linalg.inv(particles.transforms[row])
    return world @ back[:3, :3].T + back[:3, 3], world
