"""The particle system: the particles of one level on the move.

They follow the gradient of the objective with momentum, in the tangent plane; the exact closest
point brings each particle back to its surface before it is a twentieth to a quarter of a spacing
away from where it was on it (``TUNING.drift``): the less, the more the surface bends there.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massm.config.correspond import EntropyConfig
from massm.pdm.diagnostics import Pattern, diagnose
from massm.pdm.embedded.coverage import SurfaceSamples
from massm.pdm.embedded.density import density_of, normal_variation
from massm.pdm.embedded.ensemble import Ensemble
from massm.pdm.embedded.objective import Neighborhood, Terms, measure
from massm.pdm.embedded.repair import region_of, transferred, untangled
from massm.pdm.embedded.schedule import weight_of
from massm.pdm.embedded.separation import separate_pairs
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.frames import normals_in_world, to_world
from massm.pdm.neighbors import find_neighbors
from massm.pdm.surfaces import OnSurface, SurfaceSet


class ParticleSystem:
    """The particles of one level on the move."""

    def __init__(
        self,
        surfaces: SurfaceSet,
        initial: OnSurface,
        ensemble: Ensemble,
        config: EntropyConfig,
        *,
        corresponding: bool,
    ) -> None:
        self.particles = initial
        self._surfaces = surfaces
        self._ensemble = ensemble
        self._config = config
        self._spacing = surfaces.spacing(initial.points.shape[1]).to(initial.points)
        self._weight = weight_of(config, initial.points.shape[1], corresponding=corresponding)
        self._velocity = torch.zeros_like(initial.points)
        self._samples = SurfaceSamples(surfaces.meshes, self._spacing.cpu().numpy())
        self._touched = initial.points
        self._looked = initial.points
        self._age = TUNING.rebuild[1]

    def advance(self, fraction: float, decay: float) -> tuple[Terms, float]:
        """Move once, ``decay`` times the configured step.

        Returns the objective before, and the mean movement in spacings.
        """
        if self.complete:
            self._neighborhood = self._look_around()
            self._transforms = self._ensemble.align(self.particles.points)
            self._looked, self._age = self.particles.points, 0
        self._age += 1
        terms = measure(
            self.particles,
            self._neighborhood,
            self._spacing,
            self._transforms,
            self._ensemble,
            weight=self._weight,
            fraction=fraction,
        )
        step = decay * self._config.step
        move = step * self._preconditioned(terms, step)
        self._velocity = self._along_surface(self._config.momentum * self._velocity - move)
        length = self._velocity.norm(dim=-1) / self._spacing[:, None]
        self.particles = self.particles._replace(points=self.particles.points + self._velocity)
        self._bring_back(self._away() > self._neighborhood.drift)
        return terms, float(length.mean())

    def _look_around(self) -> Neighborhood:
        points = self.particles.points
        neighbors = find_neighbors(points, TUNING.neighbors)
        variation = normal_variation(self.particles, neighbors, self._spacing)
        density = density_of(variation, self._config.adaptivity)
        covered = TUNING.coverage_radius * self._spacing[:, None].expand(points.shape[:2])
        covered = covered if density is None else covered / density
        return Neighborhood(
            neighbors,
            self._samples.uncovered(points, covered),
            density,
            (TUNING.drift_turn / variation.amax(-1).clamp(min=1e-9)).clamp(*TUNING.drift),
        )

    def separate(self) -> None:
        """Move pairs apart that are too near; not at the price of swapped ones.

        Where these would come of it, the shapes concerned try again with less, or stay.
        """
        _, bad, _ = self._judge()
        before, rows = self.particles, torch.arange(len(bad), device=bad.device)
        for share in TUNING.separation_shares:
            alone = OnSurface(*(value[rows] for value in before))
            density, surfaces = self._neighborhood.density, self._surfaces.take(rows.tolist())
            self._put(rows, separate_pairs(surfaces, alone, density, share=share))
            _, found, _ = self._judge()
            rows = rows[found[rows].sum(1) > bad[rows].sum(1)]
            if len(rows) == 0:
                return
        self._put(rows, OnSurface(*(value[rows] for value in before)))

    def _away(self) -> Float[Tensor, "N M"]:
        """Distance of the particles from where they were on their surface, in spacings."""
        return self._travelled(self._touched)

    def _travelled(self, since: Float[Tensor, "N M 3"]) -> Float[Tensor, "N M"]:
        moved: Tensor = (self.particles.points - since).norm(dim=-1)
        return moved / self._spacing[:, None]

    def _bring_back(self, chosen: Bool[Tensor, "N M"]) -> None:
        """Project particles, each by its own need."""
        if chosen.any():
            self.particles = self._surfaces.project_some(self.particles, chosen)
            moved = chosen[..., None]
            self._touched = torch.where(moved, self.particles.points, self._touched)

    def _take(self, rows: Int[Tensor, " R"]) -> OnSurface:
        return OnSurface(*(value[rows] for value in self.particles))

    def _put(self, rows: Int[Tensor, " R"], found: OnSurface) -> None:
        merged = [value.clone() for value in self.particles]
        for whole, part in zip(merged, found, strict=True):
            whole[rows] = part
        self.particles = OnSurface(*merged)
        self._touched = self._touched.index_copy(0, rows, found.points)
        self._velocity[rows] = 0

    def _preconditioned(self, terms: Terms, step: float) -> Float[Tensor, "N M 3"]:
        """Take the ensemble's curvature out: a step that is implicit in this stiff term.

        It reaches from nothing (what all shapes share) to the correspondence weight (what few
        vary in). A step short enough for the second would take thousands of iterations for the
        first.
        """
        rotation = self._transforms[:, :3, :3]
        rotation = rotation / torch.linalg.det(rotation).abs()[:, None, None] ** (1 / 3)
        preconditioned = terms.ensemble_term.precondition(
            terms.force @ rotation.mT, step * self._weight
        )
        turned: Tensor = preconditioned @ rotation
        return turned

    @property
    def complete(self) -> bool:
        """Whether the state is all there is: lists and transforms are made anew next."""
        fewest, most = TUNING.rebuild
        return self._age >= most or (
            self._age >= fewest
            and bool(self._travelled(self._looked).max() > TUNING.rebuild_travel)
        )

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
        _, bad, _ = self._judge()
        return int(bad.sum())

    def repair(self) -> None:
        """Untangle collapsed and swapped particles, with the rings around them."""
        _, suspected, _ = self._judge(exact=False)
        if not suspected.any():
            return
        pattern, bad, _ = self._judge()
        rows = bad.any(1).nonzero()[:, 0]
        if len(rows) == 0:
            return
        surfaces, spacing = self._surfaces.take(rows.tolist()), self._spacing[rows]
        region = region_of(bad, pattern, TUNING.repair_rings)[rows]
        self._put(rows, untangled(surfaces, self._take(rows), spacing, pattern, region))
        self._age = TUNING.rebuild[1]

    def transfer(self, rings: int) -> None:
        """Let all others transfer collapsed and swapped particles back, with rings around them."""
        pattern, bad, transforms = self._judge()
        rows = bad.any(1).nonzero()[:, 0]
        if len(rows) == 0:
            return
        surfaces = self._surfaces.take(rows.tolist())
        region = region_of(bad, pattern, rings)[rows]
        self._put(rows, transferred(surfaces, self._take(rows), transforms[rows], pattern, region))
        self._age = TUNING.rebuild[1]

    def put(self, particles: OnSurface) -> None:
        """Take particles that are on their surfaces, at rest."""
        self.particles, self._touched = particles, particles.points
        self._velocity = torch.zeros_like(particles.points)

    def _judge(
        self, *, exact: bool = True
    ) -> tuple[Pattern, Bool[Tensor, "N M"], Float[Tensor, "N 4 4"]]:
        """Give the pattern, who is bad, and the transforms to world.

        Particles are brought back before, or (not exact) taken where they are.
        """
        if exact:
            self._bring_back(self._away() > 0)
        transforms = self._ensemble.align(self.particles.points)
        world = to_world(self.particles.points, transforms)
        normals = normals_in_world(self.particles.normals, transforms)
        pattern = self._ensemble.pattern(world, normals)
        findings = diagnose(world, normals, self._spacing, pattern)
        return pattern, findings.particles(pattern.neighbors), transforms

    def _along_surface(self, velocity: Float[Tensor, "N M 3"]) -> Float[Tensor, "N M 3"]:
        normals = self.particles.normals
        tangent = velocity - normals * (velocity * normals).sum(-1, keepdim=True)
        longest = TUNING.longest_move * self._spacing[:, None, None]
        length = tangent.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        shorter: Tensor = tangent * (longest / length).clamp(max=1)
        return shorter
