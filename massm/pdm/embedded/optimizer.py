"""The particle optimizer: one level, all particles of all shapes at once.

It anneals the regularization of the objective (:mod:`massm.pdm.embedded.objective`), lets the
particles move (:mod:`massm.pdm.embedded.crowd`) until they rest, untangles swapped ones, and moves
pairs apart that are too near.
"""

import logging
import time
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import EntropyConfig
from massm.pdm.embedded.checkpoint import Checkpoint
from massm.pdm.embedded.crowd import Crowd
from massm.pdm.embedded.objective import Terms
from massm.pdm.embedded.population import Population
from massm.pdm.embedded.schedule import ALONE, ANNEALED, COLDEST, Part, annealed, cooling, end_of
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)

REPAIR = 25
LAST_REPAIRS = 20
RELAX = 5
CARRIED_RINGS = (2, 3, 4, 6, 3)
"""Rings around bad particles that the others carry back, one try after the other."""


class Outcome(NamedTuple):
    """Where a level ended.

    Attributes:
        particles: On their surfaces.
        transforms: From the surfaces' frame to world.
        iterations: How many ran.
        energy: The objective at the end.
        settled: Whether the convergence test ended it, not the limit.
    """

    particles: OnSurface
    transforms: Float[Tensor, "N 4 4"]
    iterations: int
    energy: float
    settled: bool


def optimize(
    surfaces: SurfaceSet,
    start: OnSurface,
    population: Population,
    config: EntropyConfig,
    *,
    iterations: int,
    level: str | None,
    part: Part = ALONE,
    checkpoint: Checkpoint | None = None,
) -> Outcome:
    """Run one level: anneal the regularization, move until the particles rest.

    Where the particles rest before the annealing is over, it is hurried on.

    Args:
        surfaces: One for each shape.
        start: Particles on them.
        population: What holds the shapes in correspondence.
        config: Weights, steps, tolerance.
        iterations: Most iterations.
        level: Name in the log; None: no progress is told, nothing is kept.
        part: Which part this level has among others.
        checkpoint: Keeps the level's state from time to time, and its end.
    """
    crowd = Crowd(surfaces, start, population, config, corresponding=part.corresponding)
    key, store = level or "", checkpoint if level else None
    saved = store.recall(key) if store else None
    if saved is not None and "energy" in saved:
        return _outcome_of(saved, start)
    clock, done, settled = (0.0, 0, False) if saved is None else crowd.restore(saved)
    first, began, count = done, time.monotonic(), start.points.shape[1]
    while done < iterations:
        done += 1
        progress = clock / iterations
        fraction = annealed(config, progress, count, corresponding=part.corresponding)
        terms, movement = crowd.advance(fraction, cooling(progress))
        if done % REPAIR == 0 or done == iterations:
            crowd.mend()
            _report(level, done, iterations, first, terms, movement, began)
        resting = movement < config.tolerance
        settled = resting and clock >= ANNEALED * iterations
        if settled:
            _report(level, done, iterations, first, terms, movement, began)
            break
        clock = min(float(iterations), clock + (max(1.0, iterations / 20) if resting else 1.0))
        if store and store.due and crowd.complete and done < iterations:
            store.keep(key, crowd.state(clock, done))
    crowd.put(_mended(crowd, config, level))
    if part.final:
        crowd.part()
    particles = crowd.particles
    transforms = population.align(particles.points)
    outcome = Outcome(particles, transforms, done, terms.energy, settled)
    if store:
        store.keep(key, _state_of(outcome))
    return outcome


def _state_of(outcome: Outcome) -> dict[str, np.ndarray]:
    named = zip(OnSurface._fields, outcome.particles, strict=True)
    return {
        **{name: value.cpu().numpy() for name, value in named},
        "transforms": outcome.transforms.cpu().numpy(),
        "iterations": np.array(outcome.iterations),
        "energy": np.array(outcome.energy),
        "settled": np.array(outcome.settled),
    }


def _outcome_of(state: dict[str, np.ndarray], like: OnSurface) -> Outcome:
    return Outcome(
        OnSurface(*(torch.from_numpy(state[name]).to(like.points) for name in OnSurface._fields)),
        torch.from_numpy(state["transforms"]).to(like.points),
        int(state["iterations"]),
        float(state["energy"]),
        bool(state["settled"]),
    )


def _mended(crowd: Crowd, config: EntropyConfig, level: str | None) -> OnSurface:
    """Untangle and relax in turn, then let others carry; keep the least bad state."""
    fewest = crowd.count_bad()
    best = crowd.particles
    if fewest and level is not None:
        log.info("%s: untangling %d particles of swapped or collapsed pairs", level, fewest)
    for _ in range(LAST_REPAIRS):
        if fewest == 0:
            break
        crowd.mend()
        bad = crowd.count_bad()
        if bad < fewest:
            best, fewest = crowd.particles, bad
        for _ in range(RELAX):
            crowd.advance(end_of(config, best.points.shape[1]), COLDEST)
        bad = crowd.count_bad()
        if bad <= fewest:
            best, fewest = crowd.particles, bad
    for rings in CARRIED_RINGS:
        if fewest == 0:
            break
        crowd.put(best)
        crowd.carry(rings)
        for _ in range(2):
            bad = crowd.count_bad()
            if bad < fewest:
                best, fewest = crowd.particles, bad
            crowd.mend()
    return best


def _report(
    level: str | None,
    done: int,
    iterations: int,
    first: int,
    terms: Terms,
    movement: float,
    began: float,
) -> None:
    if level is None:
        return
    left = (time.monotonic() - began) / (done - first) * (iterations - done)
    log.info(
        "%s: iteration %d/%d, energy %.4f (sampling %.4f, ensemble %.4f), "
        "movement %.4f spacings, at most %.0f s left",
        *(level, done, iterations, terms.energy, terms.sampling, terms.ensemble, movement, left),
    )
