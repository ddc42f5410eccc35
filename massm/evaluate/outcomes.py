"""All measures of one predicted anatomy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.measures import OF_RAW, TO_MASK, TO_PARTICLES
from massm.evaluate.overlap import mask_dice
from massm.evaluate.particles import particle_measures
from massm.evaluate.surface import MeasuredSurface, mask_surface, measures_of
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
    raw: Mesh | None = None,
) -> dict[str, float]:
    """Measure a found anatomy in its image.

    Args:
        anatomy: What is known of it.
        found: Its predicted particles, LPS mm; None for a model without particles.
        surface: The predicted surface, image frame, closed.
        reference: Surface from the true particles, image frame; None without true particles.
        config: Sampling and tolerances.
        raw: All pieces of what was segmented, not smoothed; None where nothing else was than
            ``surface``.

    Returns:
        Particle errors (mm); surface distances to the groomed segmentation, which is smoother than
        the mask; the same to the mask's own isosurface, not smoothed (ending ``_mask``), and to the
        surface from true particles (ending ``_particles``); of the raw surface the distances to the
        groomed segmentation (ending ``_raw``); Dice with the mask as it was drawn.
        What has no truth (no particles, no groomed surface, a mesh in place of a mask) is left
        out.
    """
    measures: dict[str, float] = {}
    predicted = MeasuredSurface(surface, config.surface_samples)
    if anatomy.particles is not None:
        if found is not None:
            measures |= particle_measures(found, anatomy.particles.local)
        if reference is not None:
            measures |= _surface(predicted, reference, config, TO_PARTICLES)
    if anatomy.surface is not None:
        groomed = MeasuredSurface(meshes.read(anatomy.surface), config.surface_samples)
        measures |= _surface(predicted, groomed, config)
        measures |= _surface(raw, groomed, config, OF_RAW) if raw is not None else {}
    if anatomy.source is not None and not isinstance(anatomy.source, SurfaceFile):
        mask = read_voxels(anatomy.source).inside
        measures["dice"] = mask_dice(surface, mask)
        measures |= _surface(predicted, mask_surface(mask), config, TO_MASK)
    return measures


@dataclass(frozen=True)
class WorldTruth:
    """What predictions of one anatomy are measured against in the population's frame.

    Attributes:
        particles: The true ones, mm.
        reference: Surface from them.
        segmentation: The groomed one; None if grooming failed.
    """

    particles: Float[np.ndarray, "M 3"]
    reference: MeasuredSurface
    segmentation: MeasuredSurface | None

    @classmethod
    def of(
        cls, anatomy: TrueAnatomy, reference: Mesh, config: SurfaceMeasuresConfig
    ) -> "WorldTruth":
        """Move the true surfaces to the world frame by the true transform, once for all heads.

        Args:
            anatomy: What is known of it; has true particles.
            reference: Surface from the true particles, image frame.
            config: Sampling.

        Raises:
            DataError: If the anatomy has no true particles, so that its world frame is unknown.
        """
        truth = anatomy.particles
        if truth is None:
            raise DataError(f"{anatomy.name}: no true particles, so no world frame to measure in")

        def moved(mesh: Mesh) -> MeasuredSurface:
            return MeasuredSurface(mesh.transformed(truth.transform), config.surface_samples)

        segmentation = None if anatomy.surface is None else moved(meshes.read(anatomy.surface))
        return cls(truth.world, moved(reference), segmentation)


def world_measures(
    truth: WorldTruth,
    found: Float[np.ndarray, "M 3"],
    surface: Mesh,
    config: SurfaceMeasuresConfig,
) -> dict[str, float]:
    """Measure a found anatomy in the population's aligned frame.

    Args:
        truth: In the same frame.
        found: The particles of one of the model's world heads, mm.
        surface: That head's surface, world frame, closed.
        config: Sampling and tolerances.

    Returns:
        As :func:`local_measures`, without what is measured to the mask itself.
    """
    predicted = MeasuredSurface(surface, config.surface_samples)
    measures = particle_measures(found, truth.particles)
    measures |= _surface(predicted, truth.reference, config, TO_PARTICLES)
    if truth.segmentation is not None:
        measures |= _surface(predicted, truth.segmentation, config)
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
    predicted: Mesh | MeasuredSurface,
    true: Mesh | MeasuredSurface,
    config: SurfaceMeasuresConfig,
    ending: str = "",
) -> dict[str, float]:
    pair = [
        MeasuredSurface(one, config.surface_samples) if isinstance(one, Mesh) else one
        for one in (predicted, true)
    ]
    measures = measures_of(*pair, tolerances_mm=config.surface_dice_mm)
    return {f"{name}{ending}": value for name, value in measures.items()}
