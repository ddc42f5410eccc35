"""Surfaces of another model, fitted into the frozen shape models: particles where it has none."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from massm.config.models.surface_fit import SurfaceFitConfig
from massm.fitting.placing import Placed
from massm.geometry.boxes import box_of
from massm.geometry.mesh import Mesh
from massm.geometry.mesh_repair import repaired
from massm.io.errors import DataError
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.known import Known, Predictions

log = logging.getLogger(__name__)

HEAD = "fit"  # name of the world particles


def fitted_surfaces(config: SurfaceFitConfig, known: Known) -> Predictions:
    """Yield the particles of each surface that a model made, placed as on subjects to test.

    What is present that model decides; where its surface cannot be fitted, the anatomy is missed,
    and the log says why. Boxes are those of the particles. No result depends on which other
    subjects there are.

    Raises:
        DataError: If there is nothing to fit to.
    """
    if not known.fitters:
        raise DataError(f"no shape models to which the surfaces of {config.surfaces_of} are fitted")
    said = {
        name: replace(known.boxes(name), labels=None, probability={})  # all are held at once
        for name in known.subjects
    }
    placed = {anatomy: _placed(anatomy, config, known, said) for anatomy in known.fitters}
    for subject, found in said.items():
        own = {anatomy: there[subject] for anatomy, there in placed.items() if subject in there}
        yield subject, fitted_prediction(found, own, _particles(known))


def fitted_prediction(
    found: SubjectPrediction, placed: Mapping[str, Placed], particles: int
) -> SubjectPrediction:
    """Lay out the placed particles of one subject like a model's prediction.

    Args:
        found: What the model said whose surfaces were fitted; its scores stay.
        placed: By anatomy; what is not among them is not present.
        particles: Number on each shape.
    """
    local, world = (np.full((len(found.anatomies), particles, 3), np.nan) for _ in range(2))
    for row, anatomy in enumerate(found.anatomies):
        if anatomy in placed:
            local[row], world[row] = placed[anatomy].local, placed[anatomy].world
    return replace(
        found,
        present=np.array([anatomy in placed for anatomy in found.anatomies]),
        boxes=PredictedBoxes(*box_of(local)),
        local=local,
        world={HEAD: world},
        labels=None,
    )


def sound_surface(mesh: Mesh) -> Mesh:
    """Take the largest piece of a surface, if particles can be spread over it.

    Triangles that cross each other are no hindrance: closest places are found all the same.

    Raises:
        DataError: If it is empty, open, no manifold, or encloses no volume.
    """
    if len(mesh.faces) == 0 or not np.isfinite(mesh.vertices).all() or mesh.area == 0:
        raise DataError("the surface is empty or not finite")
    found = repaired(mesh, hole_mm=0.0)
    if found.fault:
        raise DataError(found.fault)
    return found.main.mesh


def _placed(
    anatomy: str, config: SurfaceFitConfig, known: Known, said: Mapping[str, SubjectPrediction]
) -> dict[str, Placed]:
    """Fit the surfaces of one anatomy of all subjects that have it; say which cannot be."""
    surfaces: dict[str, Mesh] = {}
    failed: dict[str, str] = {}
    there = [subject for subject, found in said.items() if anatomy in found.found]
    for subject in there:
        mesh = known.surfaces(subject, anatomy)
        try:
            if mesh is None:
                raise DataError(f"{config.surfaces_of} found it, but made no surface of it")
            surfaces[subject] = sound_surface(mesh)
        except DataError as error:
            failed[subject] = str(error)
    placed, refused = known.fitters[anatomy].place_all(surfaces)
    for subject, reason in (failed | refused).items():
        log.warning("%s: %s is missed, its surface cannot be fitted: %s", subject, anatomy, reason)
    _tell(anatomy, known, placed, len(there))
    return placed


def _tell(anatomy: str, known: Known, placed: Mapping[str, Placed], found: int) -> None:
    """Say how many surfaces of an anatomy were fitted, and how near particles lie to them."""
    if not placed:
        log.info("%s: none of %d surfaces is fitted", anatomy, found)
        return
    limit = known.fitters[anatomy].model.frozen.residual_limit
    log.info(
        "%s: %d of %d surfaces fitted, particles %.3f mm from them, %.2f mm from the span of the "
        "training shapes, %d farther than new subjects lie",
        *(anatomy, len(placed), found),
        np.mean([one.distance_mm for one in placed.values()]),
        np.mean([one.from_span_mm for one in placed.values()]),
        sum(one.from_span_mm > limit for one in placed.values()),
    )


def _particles(known: Known) -> int:
    return next(iter(known.fitters.values())).particles
