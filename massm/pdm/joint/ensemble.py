"""Optimization of several anatomies in one shape space, one after the other.

The ensemble entropy sees shapes through their Gram matrix alone, and the Gram matrix of
concatenated shapes is the sum of the anatomies' own. So all that an anatomy must know of the others
is one N x N matrix: what goes along with their variation is cheaper than what does not. No stage
does this: it did not help subjects that had no part in it (docs/particles.md).
"""

import logging
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float

from massm.config.correspond import EntropyConfig
from massm.pdm.frames import to_world
from massm.pdm.joint.blocks import BlockSet
from massm.pdm.joint.model import fit_joint_model
from massm.pdm.optimizer import Outcome, optimize
from massm.pdm.population import Ensemble
from massm.pdm.schedule import end_of
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)


def gram_of_others(complete: BlockSet, anatomy: str) -> Float[np.ndarray, "N N"]:
    """Sum the Gram matrices of all other anatomies, each brought to the variance of this one.

    Args:
        complete: Subjects with all anatomies (imputed where they were missing), world frames, mm.
        anatomy: Which one is to be optimized.

    Returns:
        Inner products of deviations from the mean, over N M, mm^2.
    """
    grams = {}
    for name in complete.anatomies:
        points = complete.of(name)
        centered = (points - points.mean(0)).reshape(len(points), -1)
        grams[name] = centered @ centered.T / points[..., 0].size
    own = np.trace(grams.pop(anatomy))
    return np.sum([own / np.trace(gram) * gram for gram in grams.values()], axis=0)


def optimize_jointly(
    surfaces: Mapping[str, SurfaceSet],
    start: Mapping[str, OnSurface],
    config: EntropyConfig,
    *,
    modes: int,
    rounds: int,
) -> dict[str, Outcome]:
    """Optimize particles of several anatomies in one shape space, from ones in correspondence.

    Block-coordinate descent: in each round every anatomy is optimized once while the others'
    particles stay; anatomies that a subject lacks are imputed by the joint model before.

    Args:
        surfaces: Of each anatomy, named by subject; aligned frames, mm.
        start: Particles on them, of a first optimization of each anatomy on its own.
        config: Settings; a level has ``fine_iterations``, and its regularization starts where that
            of the first optimization ended.
        modes: Of the joint model that imputes.
        rounds: How often all anatomies are optimized.

    Raises:
        ValueError: As :func:`massm.pdm.joint.model.fit_joint_model`.
    """
    outcomes = {
        name: Outcome(points, Ensemble(scale=config.scale).align(points.points), 0, 0.0, True)
        for name, points in start.items()
    }
    for number in range(1, rounds + 1):
        for anatomy, ready in surfaces.items():
            blocks = _blocks(surfaces, outcomes)
            complete = fit_joint_model(blocks, modes).impute(blocks)
            rows = [blocks.subjects.index(name) for name in ready.names]
            others = torch.from_numpy(gram_of_others(complete.take(rows), anatomy))
            population = Ensemble(scale=config.scale, others=others)
            level = f"round {number}/{rounds}, {anatomy}"
            ended = end_of(config, outcomes[anatomy].particles.points.shape[1])
            settings = config.model_copy(update={"regularization_start": ended})
            outcomes[anatomy] = optimize(
                ready,
                outcomes[anatomy].particles,
                population,
                settings,
                iterations=config.fine_iterations,
                level=level,
            )
    return outcomes


def _blocks(surfaces: Mapping[str, SurfaceSet], outcomes: Mapping[str, Outcome]) -> BlockSet:
    subjects = tuple(sorted({name for ready in surfaces.values() for name in ready.names}))
    parts = []
    for anatomy, ready in surfaces.items():
        found = outcomes[anatomy]
        world = to_world(found.particles.points, found.transforms).cpu().numpy()
        block = np.full((len(subjects), *world.shape[1:]), np.nan)
        block[[subjects.index(name) for name in ready.names]] = world
        parts.append(block)
    counts = tuple(part.shape[1] for part in parts)
    return BlockSet(tuple(surfaces), counts, subjects, np.concatenate(parts, 1))
