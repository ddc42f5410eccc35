"""All measures of one predicted organ."""

from pathlib import Path

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.overlap import mask_dice
from massm.evaluate.particles import particle_measures
from massm.evaluate.prediction import Prediction
from massm.evaluate.surface import surface_measures
from massm.evaluate.truth import Organ
from massm.geometry.mesh import Mesh
from massm.io import images, meshes
from massm.io.errors import DataError

TO_PARTICLES = "_particles"  # ending of measures against the surface from true particles


def local_measures(
    organ: Organ,
    prediction: Prediction,
    predicted: Path,
    reference: Path,
    config: SurfaceMeasuresConfig,
) -> dict[str, float]:
    """Measure a found organ in its image.

    Args:
        organ: What is known of it.
        prediction: The model's prediction for the subject; says that the organ is there.
        predicted: File of the predicted surface, image frame.
        reference: File of the surface from the true particles, image frame.
        config: Sampling and tolerances.

    Returns:
        Particle errors (mm), surface distances to the groomed segmentation, the same to the
        surface from true particles (ending ``_particles``), and Dice with the mask as it was
        drawn. What has no truth (no particles, no groomed surface, a mesh in place of a mask) is
        left out.
    """
    surface = _read_closed(predicted)
    measures: dict[str, float] = {}
    if organ.particles is not None:
        if prediction.local is not None:
            found = prediction.local[prediction.row(organ.anatomy)]
            measures |= particle_measures(found, organ.particles.local)
        measures |= _to_particles(surface, meshes.read(reference), config)
    if organ.surface is not None:
        measures |= _surface(surface, meshes.read(organ.surface), config)
    if not meshes.is_mesh(organ.mask):
        measures["dice"] = mask_dice(surface, images.read_mask(organ.mask, organ.label))
    return measures


def world_measures(
    organ: Organ,
    prediction: Prediction,
    head: str,
    predicted: Path,
    reference: Path,
    config: SurfaceMeasuresConfig,
) -> dict[str, float]:
    """Measure a found organ in the population's aligned frame.

    Args:
        organ: What is known of it; has true particles.
        prediction: The model's prediction for the subject; says that the organ is there.
        head: Which of the model's world heads.
        predicted: File of that head's surface, world frame.
        reference: File of the surface from the true particles, image frame: the true transform
            carries it to the world frame.
        config: Sampling and tolerances.

    Returns:
        As :func:`local_measures`, without Dice.

    Raises:
        DataError: If the organ has no true particles, so that its world frame is unknown.
    """
    truth = organ.particles
    if truth is None:
        raise DataError(f"{organ.anatomy}: no true particles, so no world frame to measure in")
    surface = _read_closed(predicted)
    found = prediction.world[head][prediction.row(organ.anatomy)]
    carried = meshes.read(reference).transformed(truth.transform)
    measures = particle_measures(found, truth.world) | _to_particles(surface, carried, config)
    if organ.surface is not None:
        segmentation = meshes.read(organ.surface).transformed(truth.transform)
        measures |= _surface(surface, segmentation, config)
    return measures


def _read_closed(path: Path) -> Mesh:
    mesh = meshes.read(path)
    if not mesh.is_closed:
        raise DataError(f"{path}: the surface is not closed; run reconstruct again")
    return mesh


def _surface(predicted: Mesh, true: Mesh, config: SurfaceMeasuresConfig) -> dict[str, float]:
    return surface_measures(
        predicted, true, samples=config.surface_samples, tolerances_mm=config.surface_dice_mm
    )


def _to_particles(predicted: Mesh, true: Mesh, config: SurfaceMeasuresConfig) -> dict[str, float]:
    measures = _surface(predicted, true, config)
    return {f"{name}{TO_PARTICLES}": value for name, value in measures.items()}
