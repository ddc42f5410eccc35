"""The particle optimizer: all particles of all shapes move at once, along their surfaces.

What is minimized, for particles x of N shapes with spacings h (h0 their root mean square)::

    Q = 1/N sum_i (h_i / h0)^2 E_i(x_i)  +  w (r / h0^2) H(z; r)

E is the sampling energy, H the ensemble entropy of the aligned particles z, r its regularization
(a fraction of the population's variance that decays during a level) and w the correspondence
weight. All of it is dimensionless. Moves follow the gradient with momentum, in the tangent plane;
the exact closest point brings particles back to their surface.
"""

import logging
import time
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import EntropyConfig
from massm.geometry.alignment import generalized_procrustes
from massm.pdm.diagnostics import Pattern, conditional_mean, diagnose, grown, mean_pattern
from massm.pdm.entropy import ensemble_energy, find_neighbors, sampling_energy
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)

NEIGHBORS = 16
REBUILD = 10
REPAIR = 25
LONGEST_MOVE = 0.3
ANNEALED = 0.8
LEAST_FOR_ALIGNMENT = 8


@runtime_checkable
class Population(Protocol):
    """What holds shapes in correspondence: each other, or a frozen model."""

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Find the transforms from image (or groomed) to world frame."""
        ...

    def energy(
        self, world: Float[Tensor, "N M 3"], fraction: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "N M 3"]]:
        """Give ``r H`` (mm^2) and its gradient times ``N M`` (mm), for r = fraction x variance."""
        ...

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Give the arrangement that swapped particles are judged by."""
        ...


class Ensemble:
    """Training shapes: they hold each other."""

    def __init__(self, *, scale: bool) -> None:
        """Choose whether alignment may scale."""
        self._scale = scale

    def align(self, points: Float[Tensor, "N M 3"]) -> Float[Tensor, "N 4 4"]:
        """Align all shapes to their mean; with very few particles they stay as they are."""
        if points.shape[1] < LEAST_FOR_ALIGNMENT:
            return torch.eye(4).to(points).repeat(len(points), 1, 1)
        return generalized_procrustes(points, allow_scale=self._scale)[1]

    def energy(
        self, world: Float[Tensor, "N M 3"], fraction: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "N M 3"]]:
        """Regularized entropy of the population."""
        variance = (world - world.mean(0)).square().sum(-1).mean()
        regularization = max(float(fraction * variance), 1e-12)
        energy, gradient = ensemble_energy(world, regularization)
        return regularization * energy, regularization * gradient

    def pattern(self, world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
        """Take the mean shape's arrangement."""
        return mean_pattern(world, normals)


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


def to_world(
    points: Float[Tensor, "N M 3"], transforms: Float[Tensor, "N 4 4"]
) -> Float[Tensor, "N M 3"]:
    """Move each shape by its matrix."""
    return points @ transforms[:, :3, :3].mT + transforms[:, None, :3, 3]


def optimize(
    surfaces: SurfaceSet,
    start: OnSurface,
    population: Population,
    config: EntropyConfig,
    *,
    iterations: int,
    level: str,
) -> Outcome:
    """Run one level: anneal the regularization, move until the particles rest.

    Args:
        surfaces: One for each shape.
        start: Particles on them.
        population: What holds the shapes in correspondence.
        config: Weights, steps, tolerance.
        iterations: Most iterations.
        level: Name in the log.
    """
    particles = start
    spacing = surfaces.spacing(start.points.shape[1]).to(start.points)
    velocity = torch.zeros_like(start.points)
    transforms = population.align(particles.points)
    # the ensemble's curvature is at most its weight: keep the step below what that allows
    step = config.step / (1 + config.step * config.correspondence_weight)
    clock, settled, energy, began = 0.0, False, float("nan"), time.monotonic()
    done = 0
    for done in range(1, iterations + 1):
        if (done - 1) % REBUILD == 0:
            neighbors = find_neighbors(particles.points, NEIGHBORS)
            transforms = population.align(particles.points)
        fraction = _annealed(config, clock / iterations)
        terms = _forces(particles, neighbors, spacing, transforms, population, config, fraction)
        energy = terms.energy
        velocity = config.momentum * velocity - step * terms.force
        velocity = _along_surface(velocity, particles.normals, spacing)
        moved = surfaces.project(particles.points + velocity, particles.normals)
        movement = float(((moved.points - particles.points).norm(dim=-1) / spacing[:, None]).mean())
        particles = moved
        if done % REPAIR == 0 or done == iterations:
            particles = mend(surfaces, particles, transforms, population)
            _report(level, done, iterations, terms, particles, movement, began)
        resting = movement < config.tolerance
        settled = resting and clock >= ANNEALED * iterations
        if settled:
            break
        clock += max(1.0, iterations / 20) if resting else 1.0
        clock = min(clock, iterations)
    particles = mend(surfaces, particles, transforms, population, rounds=3)
    return Outcome(particles, population.align(particles.points), done, energy, settled)


def mend(
    surfaces: SurfaceSet,
    particles: OnSurface,
    transforms: Float[Tensor, "N 4 4"],
    population: Population,
    rounds: int = 1,
) -> OnSurface:
    """Find collapsed and swapped particles and put them right, as far as ``rounds`` go."""
    spacing = surfaces.spacing(particles.points.shape[1]).to(particles.points)
    for _ in range(rounds):
        world = to_world(particles.points, transforms)
        normals = particles.normals @ transforms[:, :3, :3].mT
        pattern = population.pattern(world, normals)
        findings = diagnose(world, normals, spacing, pattern)
        if not (findings.swapped | findings.collapsed).any():
            break
        turned = findings._replace(rotation=transforms[:, None, :3, :3].mT @ findings.rotation)
        particles = repair(surfaces, particles, turned, pattern)
    return particles


class _Terms(NamedTuple):
    energy: float
    sampling: float
    ensemble: float
    force: Float[Tensor, "N M 3"]


def _forces(
    particles: OnSurface,
    neighbors: Tensor,
    spacing: Float[Tensor, " N"],
    transforms: Float[Tensor, "N 4 4"],
    population: Population,
    config: EntropyConfig,
    fraction: float,
) -> _Terms:
    """Gradient of N M h0^2 Q: one unit moves a particle by about one spacing."""
    unit = spacing.square().mean()
    even, even_gradient = sampling_energy(particles.points, neighbors, spacing)
    world = to_world(particles.points, transforms)
    compact, compact_gradient = population.energy(world, fraction)
    sampling = float((spacing.square() * even).mean() / unit)
    ensemble = float(config.correspondence_weight * compact / unit)
    force = spacing[:, None, None].square() * even_gradient
    force = force + config.correspondence_weight * compact_gradient @ transforms[:, :3, :3]
    return _Terms(sampling + ensemble, sampling, ensemble, force)


def _along_surface(
    velocity: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"], spacing: Float[Tensor, " N"]
) -> Float[Tensor, "N M 3"]:
    tangent = velocity - normals * (velocity * normals).sum(-1, keepdim=True)
    longest = LONGEST_MOVE * spacing[:, None, None]
    return tangent * (longest / tangent.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1)


def _annealed(config: EntropyConfig, progress: float) -> float:
    ratio = config.regularization_end / config.regularization_start
    return float(config.regularization_start * ratio ** min(1.0, progress / ANNEALED))


def _report(
    level: str,
    done: int,
    iterations: int,
    terms: _Terms,
    particles: OnSurface,
    movement: float,
    began: float,
) -> None:
    left = (time.monotonic() - began) / done * (iterations - done)
    log.info(
        "%s: iteration %d/%d, energy %.4f (sampling %.4f, ensemble %.4f), "
        "movement %.4f spacings, step off the surface %.3f mm, at most %.0f s left",
        level,
        done,
        iterations,
        terms.energy,
        terms.sampling,
        terms.ensemble,
        movement,
        float(particles.distance.mean()),
        left,
    )
