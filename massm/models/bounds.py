"""Bounds of the comparison: the mean shape below; true particles, or some modes of them, above."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Float

from massm.config.models.mean_shape import MeanShapeConfig
from massm.config.models.pca_oracle import PcaOracleConfig
from massm.config.models.truth import TruthConfig
from massm.geometry.boxes import box_of
from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.known import Known, Predictions
from massm.pdm.shape_model import fit_shape_model


def mean_shapes(config: MeanShapeConfig, known: Known) -> Predictions:
    """Yield the mean shape of each anatomy at the centers that a model found.

    Raises:
        DataError: If that model gives no boxes, so that there is no center.
    """
    means = (known.template.mean_local, known.template.mean_world)
    mean_local, mean_world = (mean.numpy().astype(float) for mean in means)
    for subject in known.subjects:
        found = known.boxes(subject)
        if found.boxes is None:
            raise DataError(
                f"{config.boxes_of} has no boxes of {subject}, in whose centers the mean shape "
                "would stand"
            )
        yield subject, mean_shape_prediction(found, found.boxes, mean_local, mean_world)


def projections(config: PcaOracleConfig, known: Known) -> Predictions:
    """Yield the nearest shapes to the true ones that some modes of the shape model can make.

    Raises:
        ValueError: If the number of modes is still the name of a model.
    """
    modes = config.modes
    if isinstance(modes, str):
        raise ValueError(f"modes: {modes} is a model; resolve the section first")
    for subject in known.subjects:
        make = partial(oracle_of, modes=modes)
        yield subject, informed_prediction(subject, known.particles, make, "pca")


def true_particles(config: TruthConfig, known: Known) -> Predictions:
    """Yield the true particles, laid out as a model's."""
    for subject in known.subjects:
        yield subject, informed_prediction(subject, known.particles, truth_of, "truth")


def mean_shape_prediction(
    found: SubjectPrediction,
    boxes: PredictedBoxes,
    mean_local: Float[np.ndarray, "K M 3"],
    mean_world: Float[np.ndarray, "K M 3"],
) -> SubjectPrediction:
    """Put the training split's mean shape, in its average pose, at predicted centers.

    Presence and score stay the model's, and so do the centers; the radius is that of the mean
    shape. Its world particles are the mean's, whichever world head they are compared with.

    Args:
        found: What a model says.
        boxes: Its boxes.
        mean_local: The mean of each anatomy around the origin, mm, axes of the image.
        mean_world: The mean in the population's frame, mm.
    """
    local = mean_local + boxes.center[:, None]
    placed = PredictedBoxes(*box_of(local))
    return replace(found, boxes=placed, local=local, world={"mean": mean_world}).blanked()


def oracle_of(
    subject: str, particles: ParticleSet, modes: int | None
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Return the projected shape of a subject in its image and in the world frame, mm.

    The subject's true transform carries the projection back to its image.
    """
    row = particles.row(subject)
    model = fit_shape_model(particles.of_split("train").world, modes)
    world = model.project(particles.world[row], modes)
    back = np.linalg.inv(particles.transforms[row])
    return world @ back[:3, :3].T + back[:3, 3], world


def truth_of(
    subject: str, particles: ParticleSet
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Return the true particles of a subject in its image and in the world frame, mm."""
    row = particles.row(subject)
    return particles.local[row], particles.world[row]


def informed_prediction(
    subject: str,
    sets: Mapping[str, ParticleSet],
    make: Callable[[str, ParticleSet], tuple[np.ndarray, np.ndarray]],
    head: str,
) -> SubjectPrediction:
    """Lay out what a bound that knows the truth says of a subject, like a model's prediction.

    Present is what the correspondence holds: such a bound misses nothing, its score is 1 or 0.

    Args:
        subject: Its name.
        sets: Particles of each anatomy, in the order of the anatomies.
        make: Gives local and world particles of a subject that a set holds, mm.
        head: Name of the world particles.
    """
    count = next(iter(sets.values())).local.shape[1]
    present = np.array([subject in particles.subjects for particles in sets.values()])
    local, world = (np.full((len(sets), count, 3), np.nan) for _ in range(2))
    for k, particles in enumerate(sets.values()):
        if present[k]:
            local[k], world[k] = make(subject, particles)
    return SubjectPrediction(
        anatomies=tuple(sets),
        present=present,
        score=present.astype(float),
        boxes=PredictedBoxes(*box_of(local)),
        local=local,
        world={head: world},
    )
