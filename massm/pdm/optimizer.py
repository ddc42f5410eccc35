"""The particle optimizer: all particles of all shapes move at once, along their surfaces.

What is minimized, for particles x of N shapes with spacings h (h0 their root mean square)::

    Q = 1/N sum_i (h_i / h0)^2 E_i(x_i)  +  w (r / h0^2) H(z; r)

E is the sampling energy with that of holes, H the ensemble entropy of the aligned particles z, r
its regularization (a fraction of the population's variance that decays during a level) and w the
correspondence weight of M particles, ``correspondence_weight * 256 / M``: then w / h0^2, and with
it the balance of even and compact, does not depend on M (with fewer than 256, w is more: see
:func:`scarcity`). All of it is dimensionless. Moves follow the gradient with momentum, in the
tangent plane; the exact closest point brings each particle back to its surface before it is a
twentieth to a quarter of a spacing away from where it was on it: the less, the more the surface
bends there. At the end swapped pairs are untangled and pairs that are too near moved apart.
"""

import logging
import time
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massm.config.correspond import EntropyConfig
from massm.geometry.warp import warp_weights
from massm.pdm.checkpoint import Checkpoint
from massm.pdm.coverage import REACH, Holes, Witnesses, hole_energy
from massm.pdm.density import bending, density_of
from massm.pdm.diagnostics import Pattern, diagnose, expected_places, grown
from massm.pdm.entropy import find_neighbors, sampling_energy
from massm.pdm.gaps import part_pairs
from massm.pdm.population import Population, Pull
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)

WEIGHED_AT = 256
NEIGHBORS = 16
REBUILD = 10
REPAIR = 25
LONGEST_MOVE = 0.3
DRIFT = (0.05, 0.25)
"""Least and most distance, in spacings, that a particle moves unprojected."""

TURN = 0.05
"""Most its surface's normal may turn before, radians."""

ANNEALED = 0.8
COLDEST = 0.03
WARM = 0.5
"""Share of the annealing that particles do without whose start corresponds."""

CARRIED = 0.6
"""Their share of the correspondence weight: what is left for them is to become even (measured)."""

LAST_REPAIRS = 20
LEAST_CARRIERS = 8
RELAX = 5
UNTANGLE = 20
CARRIED_RINGS = (2, 3, 4, 6, 3)


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


class Terms(NamedTuple):
    """The objective, its two parts, and the force (the gradient times ``N M h0^2``, mm).

    ``pull`` is what the ensemble term came from.
    """

    energy: float
    sampling: float
    ensemble: float
    force: Float[Tensor, "N M 3"]
    pull: Pull


def to_world(
    points: Float[Tensor, "N M 3"], transforms: Float[Tensor, "N 4 4"]
) -> Float[Tensor, "N M 3"]:
    """Move each shape by its matrix."""
    return points @ transforms[:, :3, :3].mT + transforms[:, None, :3, 3]


def normals_in_world(
    normals: Float[Tensor, "N M 3"], transforms: Float[Tensor, "N 4 4"]
) -> Float[Tensor, "N M 3"]:
    """Turn unit normals with each shape's similarity."""
    scale = torch.linalg.det(transforms[:, :3, :3]).abs() ** (1 / 3)
    return normals @ transforms[:, :3, :3].mT / scale[:, None, None]


def optimize(
    surfaces: SurfaceSet,
    start: OnSurface,
    population: Population,
    config: EntropyConfig,
    *,
    iterations: int,
    level: str | None,
    corresponding: bool = False,
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
        corresponding: The start corresponds well, fewer particles carried it along: the
            regularization goes the second half of its way alone, so that nothing of that is lost,
            and the weight is less.
        checkpoint: Keeps the level's state from time to time, and its end.
    """
    crowd = _Crowd(surfaces, start, population, config, corresponding=corresponding)
    key, store = level or "", checkpoint if level else None
    saved = store.recall(key) if store else None
    if saved is not None and "energy" in saved:
        return _outcome_of(saved, start)
    clock, done, settled = (0.0, 0, False) if saved is None else crowd.restore(saved)
    first, began = done, time.monotonic()
    while done < iterations:
        done += 1
        progress = clock / iterations
        terms, movement = crowd.advance(
            annealed(config, progress, WARM if corresponding else 0.0), cooling(progress)
        )
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
    crowd.put(_mended(crowd, config))
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


def _mended(crowd: "_Crowd", config: EntropyConfig) -> OnSurface:
    """Untangle and relax in turn; keep the state with the fewest bad particles."""
    fewest = crowd.count_bad()
    best = crowd.particles
    for _ in range(LAST_REPAIRS):
        if fewest == 0:
            break
        crowd.mend()
        bad = crowd.count_bad()
        if bad < fewest:
            best, fewest = crowd.particles, bad
        for _ in range(RELAX):
            crowd.advance(config.regularization_end, COLDEST)
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


def scarcity(count: int) -> float:
    """Say by which factor particles are fewer than 256, two at most.

    Few particles rest on a coarse lattice that corresponding ones have to leave: they need more
    weight, and more iterations, to find each other.
    """
    return min(2.0, max(1.0, WEIGHED_AT / count))


def annealed(config: EntropyConfig, progress: float, begun: float = 0.0) -> float:
    """Give the regularization at a fraction of a level, as a fraction of the variance.

    ``begun`` is how much of its way it has behind it when the level starts.
    """
    ratio = config.regularization_end / config.regularization_start
    way = begun + (1 - begun) * min(1.0, progress / ANNEALED)
    return float(config.regularization_start * ratio**way)


def cooling(progress: float) -> float:
    """Give the factor on the step at a fraction of a level: less and less once annealed."""
    return float(COLDEST ** max(0.0, (progress - ANNEALED) / (1 - ANNEALED)))


class Around(NamedTuple):
    """What is around the particles; made anew every ``REBUILD`` moves.

    Attributes:
        neighbors: The nearest particles.
        holes: Places that no particle is near.
        density: See :func:`massm.pdm.density.density_of`.
        reach: Distance that a particle may move unprojected, in spacings.
    """

    neighbors: Int[Tensor, "N M k"]
    holes: Holes
    density: Float[Tensor, " M"] | None
    reach: Float[Tensor, "N M"]


def measure(
    particles: OnSurface,
    around: Around,
    spacing: Float[Tensor, " N"],
    transforms: Float[Tensor, "N 4 4"],
    population: Population,
    *,
    weight: float,
    fraction: float,
) -> Terms:
    """Evaluate the objective and its gradient, in space (not yet along the surface)."""
    unit = spacing.square().mean()
    points = particles.points
    even, even_gradient = sampling_energy(points, around.neighbors, spacing, around.density)
    bare, bare_gradient = hole_energy(points, around.holes, spacing)
    even, even_gradient = even + bare, even_gradient + bare_gradient
    world = to_world(particles.points, transforms)
    pull = population.pull(world, fraction)
    sampling = float((spacing.square() * even).mean() / unit)
    ensemble = float(weight * pull.energy / unit)
    force = spacing[:, None, None].square() * even_gradient
    force = force + weight * pull.gradient @ transforms[:, :3, :3]
    return Terms(sampling + ensemble, sampling, ensemble, force, pull)


class _Crowd:
    """The particles of one level on the move."""

    def __init__(
        self,
        surfaces: SurfaceSet,
        start: OnSurface,
        population: Population,
        config: EntropyConfig,
        *,
        corresponding: bool,
    ) -> None:
        self.particles = start
        self._surfaces = surfaces
        self._population = population
        self._config = config
        self._spacing = surfaces.spacing(start.points.shape[1]).to(start.points)
        count = start.points.shape[1]
        scarce = scarcity(count) ** 2 * (CARRIED if corresponding else 1.0)
        self._weight = config.correspondence_weight * WEIGHED_AT / count * scarce
        self._velocity = torch.zeros_like(start.points)
        self._witnesses = Witnesses(surfaces.meshes, self._spacing.cpu().numpy())
        self._touched = start.points
        self._age = 0

    def advance(self, fraction: float, cooling: float) -> tuple[Terms, float]:
        """Move once, ``cooling`` times the configured step.

        Returns the objective before, and the mean movement in spacings.
        """
        if self._age % REBUILD == 0:
            self._around = self._look_around()
            self._transforms = self._population.align(self.particles.points)
        self._age += 1
        terms = measure(
            self.particles,
            self._around,
            self._spacing,
            self._transforms,
            self._population,
            weight=self._weight,
            fraction=fraction,
        )
        step = cooling * self._config.step
        move = step * self._softened(terms, step)
        self._velocity = self._along_surface(self._config.momentum * self._velocity - move)
        length = self._velocity.norm(dim=-1) / self._spacing[:, None]
        self.particles = self.particles._replace(points=self.particles.points + self._velocity)
        self._bring_back(self._away() > self._around.reach)
        return terms, float(length.mean())

    def _look_around(self) -> Around:
        points = self.particles.points
        neighbors = find_neighbors(points, NEIGHBORS)
        bend = bending(self.particles, neighbors, self._spacing)
        density = density_of(bend, self._config.adaptivity)
        covered = REACH * self._spacing[:, None].expand(points.shape[:2])
        covered = covered if density is None else covered / density
        return Around(
            neighbors,
            self._witnesses.holes(points, covered),
            density,
            (TURN / bend.amax(-1).clamp(min=1e-9)).clamp(*DRIFT),
        )

    def part(self) -> None:
        """Move pairs apart that are too near; not at the price of swapped ones."""
        before, bad = self.particles, self.count_bad()
        self.particles = part_pairs(self._surfaces, before, self._around.density)
        self._touched = self.particles.points
        if self.count_bad() > bad:
            self.particles, self._touched = before, before.points

    def _away(self) -> Float[Tensor, "N M"]:
        """Distance of the particles from where they were on their surface, in spacings."""
        return (self.particles.points - self._touched).norm(dim=-1) / self._spacing[:, None]

    def _bring_back(self, chosen: Bool[Tensor, "N M"]) -> None:
        """Project particles, each by its own need."""
        if chosen.any():
            self.particles = self._surfaces.project_some(self.particles, chosen)
            moved = chosen[..., None]
            self._touched = torch.where(moved, self.particles.points, self._touched)

    def _put(self, rows: Int[Tensor, " R"], found: OnSurface) -> None:
        merged = [value.clone() for value in self.particles]
        for whole, part in zip(merged, found, strict=True):
            whole[rows] = part
        self.particles = OnSurface(*merged)
        self._touched = self._touched.index_copy(0, rows, found.points)

    def _softened(self, terms: Terms, step: float) -> Float[Tensor, "N M 3"]:
        """Take the ensemble's curvature out: a step that is implicit in this stiff term.

        It reaches from nothing (what all shapes share) to the correspondence weight (what few
        vary in). A step short enough for the second would take thousands of iterations for the
        first.
        """
        rotation = self._transforms[:, :3, :3]
        rotation = rotation / torch.linalg.det(rotation).abs()[:, None, None] ** (1 / 3)
        softened = terms.pull.soften(terms.force @ rotation.mT, step * self._weight)
        return softened @ rotation

    @property
    def complete(self) -> bool:
        """Whether the state is all there is: lists and transforms are made anew next."""
        return self._age % REBUILD == 0

    def state(self, clock: float, done: int) -> dict[str, np.ndarray]:
        """Give all that the next move depends on, where it is complete."""
        parts = {
            **self.particles._asdict(),
            "touched": self._touched,
            "velocity": self._velocity,
        }
        arrays = {name: value.cpu().numpy() for name, value in parts.items()}
        return {**arrays, "clock": np.array(clock), "done": np.array(done)}

    def restore(self, state: dict[str, np.ndarray]) -> tuple[float, int, bool]:
        """Take back what :meth:`state` gave; return clock, iterations, and that it moves still."""
        like = self.particles.points
        parts = {
            name: torch.from_numpy(value).to(like)
            for name, value in state.items()
            if name not in ("clock", "done")
        }
        self._touched, self._velocity = parts.pop("touched"), parts.pop("velocity")
        self.particles = OnSurface(**parts)
        return float(state["clock"]), int(state["done"]), False

    def count_bad(self) -> int:
        """Bring particles back to their surfaces, count those of collapsed or swapped pairs."""
        _, bad = self._judge()
        return int(bad.sum())

    def mend(self) -> None:
        """Untangle collapsed and swapped particles, with the two rings around them.

        On the shapes concerned, these particles go where their neighbors expect them, again and
        again, while all others stay: as rigid as possible, like the mean shape.
        """
        pattern, bad = self._judge()
        rows = bad.any(1).nonzero()[:, 0]
        if len(rows) == 0:
            return
        region = grown(grown(bad, pattern), pattern)[rows][..., None]
        surfaces, spacing = self._surfaces.take(rows.tolist()), self._spacing[rows]
        found = OnSurface(*(value[rows] for value in self.particles))
        for _ in range(UNTANGLE):
            findings = diagnose(found.points, found.normals, spacing, pattern)
            place, normal = expected_places(found.points, findings, pattern)
            place = torch.where(region, (place + found.points) / 2, found.points)
            found = surfaces.project(place, torch.where(region, normal, found.normals))
        self._put(rows, found)
        self._velocity[rows] = 0
        self._age = 0

    def carry(self, rings: int) -> None:
        """Let all other particles of a shape carry its collapsed and swapped ones along.

        With ``rings`` rings around them these go where the thin-plate spline from the mean shape
        through the others brings them: no fold is left to untangle.
        """
        pattern, bad = self._judge()
        transforms = self._population.align(self.particles.points)
        mean = pattern.place.cpu().numpy()
        for row in bad.any(1).nonzero()[:, 0].tolist():
            region = bad[row : row + 1]
            for _ in range(rings):
                region = grown(region, pattern)
            inside = region[0].cpu().numpy()
            if (~inside).sum() < LEAST_CARRIERS:
                continue
            weights = torch.from_numpy(warp_weights(mean[inside], mean[~inside]))
            points = self.particles.points[row].clone()
            points[inside] = weights.to(points) @ points[~inside]
            turned = pattern.normal @ transforms[row, :3, :3]
            normals = torch.where(region[0][:, None], turned, self.particles.normals[row])
            there = OnSurface(points[None], normals[None], self.particles.distance[row : row + 1])
            index = torch.tensor([row], device=points.device)
            self._put(index, self._surfaces.take([row]).project_some(there, region))
            self._velocity[row] = 0

    def put(self, particles: OnSurface) -> None:
        """Take particles that are on their surfaces, at rest."""
        self.particles, self._touched = particles, particles.points
        self._velocity = torch.zeros_like(particles.points)

    def _judge(self) -> tuple[Pattern, Bool[Tensor, "N M"]]:
        self._bring_back(self._away() > 0)
        transforms = self._population.align(self.particles.points)
        world = to_world(self.particles.points, transforms)
        normals = normals_in_world(self.particles.normals, transforms)
        pattern = self._population.pattern(world, normals)
        findings = diagnose(world, normals, self._spacing, pattern)
        return pattern, findings.particles(pattern.neighbors)

    def _along_surface(self, velocity: Float[Tensor, "N M 3"]) -> Float[Tensor, "N M 3"]:
        normals = self.particles.normals
        tangent = velocity - normals * (velocity * normals).sum(-1, keepdim=True)
        longest = LONGEST_MOVE * self._spacing[:, None, None]
        length = tangent.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        return tangent * (longest / length).clamp(max=1)


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
