"""Floor and ceiling of the comparison: the mean shape, and the best the shape model could do."""

import numpy as np
from jaxtyping import Float

from massm.geometry.particles import ParticleSet


def mean_shape_at(
    mean_local: Float[np.ndarray, "K M 3"], center: Float[np.ndarray, "K 3"]
) -> Float[np.ndarray, "K M 3"]:
    """Put the training split's mean shape, in its average pose, at predicted centers (mm)."""
    return mean_local + center[:, None]


def project(
    shape: Float[np.ndarray, "M 3"], train: Float[np.ndarray, "N M 3"], modes: int
) -> Float[np.ndarray, "M 3"]:
    """Return the nearest shape, in the least-squares sense, in the span of leading PCA modes.

    Args:
        shape: World particles of one subject, mm.
        train: World particles of the training split, mm.
        modes: How many modes; fewer where the training split has fewer.
    """
    mean = train.mean(axis=0)
    flat = (train - mean).reshape(len(train), -1)
    _, _, directions = np.linalg.svd(flat, full_matrices=False)
    kept = directions[: min(modes, len(train) - 1)]
    deviation = (shape - mean).ravel()
    return mean + (kept.T @ (kept @ deviation)).reshape(shape.shape)


def oracle_of(
    subject: str, particles: ParticleSet, modes: int
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Return the projected shape of a subject in its image and in the world frame, mm.

    The subject's true transform carries the projection back to its image.
    """
    row = particles.row(subject)
    world = project(particles.world[row], particles.of_split("train").world, modes)
    back = np.linalg.inv(particles.transforms[row])
    return world @ back[:3, :3].T + back[:3, 3], world
