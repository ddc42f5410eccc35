"""What a missed anatomy costs: the error of the mean shape, at the image's center in the image.

Means over what was found favor a model that finds only the easy ones. So measures are summed up
twice, the second time with this in place of every anatomy that a model missed: what one would
have without looking at the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.detection import box_measures
from massm.evaluate.measures import has_cost, is_of_particles
from massm.evaluate.outcomes import WorldTruth, local_measures, world_measures
from massm.evaluate.rows import DETECTION, LOCAL, WORLD
from massm.evaluate.scopes import FOUND, WITH_MISSED
from massm.evaluate.truth import TrueAnatomy
from massm.geometry.boxes import Box, box_of
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume

_PLACES = ("center_error", "box_iou")  # measures of a found box


@dataclass(frozen=True)
class MeanShape:
    """The training split's mean of one anatomy: in its average pose around the origin, or in world.

    Attributes:
        particles: mm.
        surface: Through them, mm.
    """

    particles: Float[np.ndarray, "M 3"]
    surface: Mesh

    def at(self, center: Float[np.ndarray, "3"]) -> "MeanShape":
        """Move it to a place, LPS mm."""
        moved = Mesh(self.surface.vertices + center, self.surface.faces)
        return MeanShape(self.particles + center, moved)


def image_center(image: Volume) -> Float[np.ndarray, "3"]:
    """Find the middle of an image, LPS mm."""
    return image.index_to_point((np.array(image.size, float) - 1) / 2)


def missed_measures(
    anatomy: TrueAnatomy,
    mean: MeanShape,
    world: MeanShape,
    reference: Mesh | None,
    config: SurfaceMeasuresConfig,
) -> dict[str, dict[str, float]]:
    """Measure what an anatomy costs that is in the image and was not found.

    Args:
        anatomy: What is known of it.
        mean: The mean shape at the center of the subject's image.
        world: The mean shape in the population's frame.
        reference: Surface from the true particles, image frame; None without true particles.
        config: Sampling and tolerances.

    Returns:
        Measures by frame: of surface and particles in the image and in the population's frame, and
        of the box.
    """
    measures = {LOCAL: local_measures(anatomy, mean.particles, mean.surface, reference, config)}
    if anatomy.particles is not None:
        box = Box(*box_of(mean.particles))
        measures[DETECTION] = box_measures(box, anatomy.particles.box, within_mm=())
    if anatomy.particles is not None and reference is not None:
        truth = WorldTruth.of(anatomy, reference, config)
        measures[WORLD] = world_measures(truth, world.particles, world.surface, config)
    return measures


def costs_of(
    costs: Mapping[str, Mapping[str, float]], frame: str, *, has_particles: bool
) -> dict[str, float]:
    """Choose what an anatomy costs a model that missed it.

    Args:
        costs: As of :func:`missed_measures`.
        frame: ``local``, ``world`` or ``detection``.
        has_particles: Whether the model predicts any; one of labels owes no errors of particles.
    """
    return {
        name: value
        for name, value in costs.get(frame, {}).items()
        if has_particles or not is_of_particles(name)
    }


def with_countings(values: pd.DataFrame, missed: pd.DataFrame) -> pd.DataFrame:
    """Repeat the measures of found anatomies, the second time together with the missed ones.

    Args:
        values: Long table of all models.
        missed: Long table of the anatomies that each model missed, at their cost.

    Returns:
        ``values`` with the column ``counting`` (``found``); below it, for the measures of surfaces,
        particles and boxes, the same rows and those of ``missed`` as ``with_missed``.
    """
    once = values.assign(counting=FOUND)
    measure = values["measure"]
    costly = (values["head"] != DETECTION) & measure.map(has_cost) | measure.isin(_PLACES)
    again = pd.concat([values[costly], missed], ignore_index=True)
    return pd.concat([once, again.assign(counting=WITH_MISSED)], ignore_index=True)
