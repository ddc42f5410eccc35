"""All measures of one predicted anatomy."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.measures import TO_MASK, TO_PARTICLES
from massm.evaluate.overlap import mask_dice
from massm.evaluate.particles import particle_measures
from massm.evaluate.surface import mask_surface, surface_measures
from massm.evaluate.truth import TrueAnatomy
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.sources import SurfaceFile, read_voxels


def local_measures(
    anatomy: TrueAnatomy,
    found: Float[np.ndarray, "M 3"] | None,
    surface: Mesh,
    reference: Mesh | None,
    config: SurfaceMeasuresConfig,
) -> dict[str, float]:
    """Measure a found anatomy in its image.

    Args:
        anatomy: What is known of it.
        found: Its predicted particles, LPS mm; None for a model without particles.
        surface: The predicted surface, image frame, closed.
        reference: Surface from the true particles, image frame; None without true particles.
        config: Sampling and tolerances.

    Returns:
        Particle errors (mm); surface distances to the groomed segmentation, which is smoother than
        the mask; the same to the mask's own isosurface, not smoothed (ending ``_mask``), and to the
        surface from true particles (ending ``_particles``); Dice with the mask as it was drawn.
        What has no truth (no particles, no groomed surface, a mesh in place of a mask) is left
        out.
    """
    measures: dict[str, float] = {}
    if anatomy.particles is not None:
        if found is not None:
            measures |= particle_measures(found, anatomy.particles.local)
        if reference is not None:
            measures |= _surface(surface, reference, config, TO_PARTICLES)
    if anatomy.surface is not None:
        measures |= _surface(surface, meshes.read(anatomy.surface), config)
    if anatomy.source is not None and not isinstance(anatomy.source, SurfaceFile):
        mask = read_voxels(anatomy.source).inside
        measures["dice"] = mask_dice(surface, mask)
        measures |= _surface(surface, mask_surface(mask), config, TO_MASK)
    return measures


def world_measures(
    anatomy: TrueAnatomy,
    found: Float[np.ndarray, "M 3"],
    surface: Mesh,
    reference: Mesh,
    config: SurfaceMeasuresConfig,
) -> dict[str, float]:
    """Measure a found anatomy in the population's aligned frame.

    Args:
        anatomy: What is known of it; has true particles.
        found: The particles of one of the model's world heads, mm.
        surface: That head's surface, world frame, closed.
        reference: Surface from the true particles, image frame: the true transform moves it to
            the world frame.
        config: Sampling and tolerances.

    Returns:
        As :func:`local_measures`, without what is measured to the mask itself.

    Raises:
        DataError: If the anatomy has no true particles, so that its world frame is unknown.
    """
    truth = anatomy.particles
    if truth is None:
        raise DataError(f"{anatomy.name}: no true particles, so no world frame to measure in")
    moved = reference.transformed(truth.transform)
    measures = particle_measures(found, truth.world)
    measures |= _surface(surface, moved, config, TO_PARTICLES)
    if anatomy.surface is not None:
        segmentation = meshes.read(anatomy.surface).transformed(truth.transform)
        measures |= _surface(surface, segmentation, config)
    return measures


def read_closed(path: Path) -> Mesh:
    """Read a predicted surface.

    Raises:
        DataError: If it is not closed.
    """
    mesh = meshes.read(path)
    if not mesh.is_closed:
        raise DataError(f"{path}: the surface is not closed; run reconstruct again")
    return mesh


def _surface(
    predicted: Mesh, true: Mesh, config: SurfaceMeasuresConfig, ending: str = ""
) -> dict[str, float]:
    measures = surface_measures(
        predicted, true, samples=config.surface_samples, tolerances_mm=config.surface_dice_mm
    )
    return {f"{name}{ending}": value for name, value in measures.items()}
