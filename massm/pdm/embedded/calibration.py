"""How far new subjects of a population lie from the span of a model of it."""

import logging
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor

from massm.pdm.embedded.checkpoint import Checkpoint
from massm.pdm.embedded.placement import Placement, frozen_model, in_world, template_of
from massm.pdm.embedded.registration import TemplateMesh
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.fixed import FrozenModel, limit_of
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet

log = logging.getLogger(__name__)


def held_out_limit(
    placement: Placement,
    surfaces: SurfaceSet,
    reference: int,
    own: Float[np.ndarray, "M 3"],
    template: TemplateMesh,
    deformed: Float[Tensor, "N K 3"],
    checkpoint: Checkpoint | None = None,
) -> float:
    """Learn the limit from subjects that a model has never seen, mm.

    Some training subjects are held out, the others' model is made without them at the coarse level
    (in fewer iterations), and they are fitted to it as new ones. That the others never
    adapted to them is what matters: refitted to a model that they had been part of, subjects lie
    about a third nearer.

    Args:
        placement: Settings.
        surfaces: Training surfaces, aligned frame.
        reference: Row of the surface that the template comes from.
        own: The coarse level's particles on it, mm.
        template: Mesh of that surface.
        deformed: It on all surfaces, mm.
        checkpoint: Where the level's state is kept.

    Returns:
        The limit; infinite with fewer than four subjects.
    """
    held = _spread(
        [row for row in range(len(surfaces)) if row != reference],
        len(surfaces) // TUNING.held_out_one_in,
    )
    if len(held) == 0:
        return np.inf
    kept = np.setdiff1d(np.arange(len(surfaces)), held)
    result = placement.from_template(
        surfaces.take(kept.tolist()), own, template, deformed[kept], checkpoint, hold_out=True
    )
    particles = result.particles.points[int(np.searchsorted(kept, reference))].cpu().numpy()
    model = frozen_model(result, template, particles)
    alone = placement.join(surfaces.take(held), deformed[held], model)
    return _limit(model.residual(in_world(alone)[0].cpu().numpy()))


def refitted_limit(
    placement: Placement,
    surfaces: SurfaceSet,
    model: FrozenModel,
    world: Float[np.ndarray, "N M 3"],
) -> float:
    """Learn the limit from subjects that are fitted anew to given particles of the others, mm.

    For particles that came from elsewhere: they cannot be made again without some subjects.

    Args:
        placement: Settings.
        surfaces: Training surfaces, aligned frame.
        model: Of the training subjects.
        world: Their particles.
    """
    chosen = _spread(list(range(len(world))), len(world))
    deformed = placement.deformed(template_of(model), surfaces.take(chosen))
    residuals = []
    for place, row in enumerate(chosen):
        others = replace(model, shape=fit_shape_model(np.delete(world, row, 0)))
        alone = placement.join(surfaces.take([row]), deformed[place : place + 1], others)
        residuals.append(others.residual(in_world(alone)[0].cpu().numpy()))
    return _limit(np.concatenate(residuals))


def _spread(rows: list[int], count: int) -> list[int]:
    count = min(count, TUNING.held_out_subjects, len(rows))
    places = np.linspace(0, len(rows) - 1, count).round().astype(int)
    return [rows[place] for place in np.unique(places)]


def _limit(residuals: Float[np.ndarray, " k"]) -> float:
    limit = limit_of(residuals)
    log.info(
        "%d training subjects fitted as new ones: %.2f mm from the others' span, limit %.2f mm",
        *(len(residuals), float(residuals.mean()), limit),
    )
    return limit
