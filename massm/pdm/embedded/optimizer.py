"""The particle optimizer: one level, all particles of all shapes at once.

It decays the regularization of the objective (:mod:`massm.pdm.embedded.objective`), lets the
particles move (:mod:`massm.pdm.embedded.particle_system`) until they rest, untangles swapped
ones, and moves pairs apart that are too near.
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
from massm.pdm.embedded.ensemble import Ensemble
from massm.pdm.embedded.objective import Terms
from massm.pdm.embedded.particle_system import ParticleSystem
from massm.pdm.embedded.schedule import SINGLE, LevelRole, end_of, regularization_at, step_decay
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)


class LevelResult(NamedTuple):
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
    initial: OnSurface,
    ensemble: Ensemble,
    config: EntropyConfig,
    *,
    iterations: int,
    level: str | None,
    role: LevelRole = SINGLE,
    checkpoint: Checkpoint | None = None,
) -> LevelResult:
    """Run one level: decay the regularization, move until the particles rest.

    Where the particles rest before it is at its end, it is hurried on.

    Args:
        surfaces: One for each shape.
        initial: Particles on them.
        ensemble: What holds the shapes in correspondence.
        config: Weights, steps, tolerance.
        iterations: Most iterations.
        level: Name in the log; None: no progress is told, nothing is kept.
        role: What this level is among others.
        checkpoint: Keeps the level's state from time to time, and its end.
    """
    system = ParticleSystem(surfaces, initial, ensemble, config, corresponding=role.corresponding)
    key, store = level or "", checkpoint if level else None
    saved = store.recall(key) if store else None
    if saved is not None and "energy" in saved:
        return _result_of(saved, initial)
    clock, done, settled = (0.0, 0, False) if saved is None else system.restore(saved)
    first, began, count = done, time.monotonic(), initial.points.shape[1]
    while done < iterations:
        done += 1
        progress = clock / iterations
        fraction = regularization_at(config, progress, count, corresponding=role.corresponding)
        terms, movement = system.advance(fraction, step_decay(progress))
        if done % TUNING.repair_interval == 0 or done == iterations:
            system.repair()
            _report(level, done, iterations, first, terms, movement, began)
        resting = movement < config.tolerance
        settled = resting and clock >= TUNING.annealed * iterations
        if settled:
            _report(level, done, iterations, first, terms, movement, began)
            break
        tick = max(1.0, iterations / TUNING.resting_hurry) if resting else 1.0
        clock = min(float(iterations), clock + tick)
        if store and store.due and system.complete and done < iterations:
            store.keep(key, system.state(clock, done))
    system.put(_repaired(system, config, level))
    if role.final:
        system.separate()
    particles = system.particles
    transforms = ensemble.align(particles.points)
    result = LevelResult(particles, transforms, done, terms.energy, settled)
    if store:
        store.keep(key, _state_of(result))
    return result


def _state_of(result: LevelResult) -> dict[str, np.ndarray]:
    named = zip(OnSurface._fields, result.particles, strict=True)
    return {
        **{name: value.cpu().numpy() for name, value in named},
        "transforms": result.transforms.cpu().numpy(),
        "iterations": np.array(result.iterations),
        "energy": np.array(result.energy),
        "settled": np.array(result.settled),
    }


def _result_of(state: dict[str, np.ndarray], like: OnSurface) -> LevelResult:
    return LevelResult(
        OnSurface(*(torch.from_numpy(state[name]).to(like.points) for name in OnSurface._fields)),
        torch.from_numpy(state["transforms"]).to(like.points),
        int(state["iterations"]),
        float(state["energy"]),
        bool(state["settled"]),
    )


def _repaired(system: ParticleSystem, config: EntropyConfig, level: str | None) -> OnSurface:
    """Untangle and relax in turn, then let others transfer; keep the least bad state."""
    fewest = system.count_bad()
    best = system.particles
    if fewest and level is not None:
        log.info("%s: untangling %d particles of swapped or collapsed pairs", level, fewest)
    for _ in range(TUNING.last_repairs):
        if fewest == 0:
            break
        system.repair()
        bad = system.count_bad()
        if bad < fewest:
            best, fewest = system.particles, bad
        for _ in range(TUNING.last_iterations):
            system.advance(end_of(config, best.points.shape[1]), TUNING.least_step)
        bad = system.count_bad()
        if bad <= fewest:
            best, fewest = system.particles, bad
    for rings in TUNING.transfer_rings:
        if fewest == 0:
            break
        system.put(best)
        system.transfer(rings)
        for _ in range(TUNING.transfer_repairs):
            bad = system.count_bad()
            if bad < fewest:
                best, fewest = system.particles, bad
            system.repair()
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
