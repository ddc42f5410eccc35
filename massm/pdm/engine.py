"""The embedded particle engine: start, optimization, frozen model, new subjects."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.pdm.diagnostics import diagnose
from massm.pdm.fit import Diagnostics, Fit, empty_fit
from massm.pdm.fixed import Frozen, FrozenModel, freeze, limit_of
from massm.pdm.optimizer import Outcome, normals_in_world, optimize, to_world
from massm.pdm.population import Ensemble, Population
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.registration import Template, choose_reference, make_template
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.start import (
    carry_particles,
    deform_template,
    densify,
    even_particles,
    first_particle,
    levels,
    split,
)
from massm.pdm.surfaces import OnSurface, SurfaceSet, usable_surfaces

log = logging.getLogger(__name__)

LEAST_SHAPES = 3

CALIBRATION = 12
"""Training subjects that are fitted anew to learn how far new subjects lie from the span."""


class EntropyEngine:
    """Backend ``entropy``: see :class:`massm.pdm.backend.Backend`."""

    def __init__(self, config: CorrespondConfig, model: FrozenModel | None = None) -> None:
        """Prepare an engine, with a model that was frozen before or without.

        Raises:
            ValueError: If the configured device is not there.
        """
        device = torch.device(config.device)
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"correspond.device is {config.device}, but torch finds no CUDA device; set it to "
                "cpu, or install the CUDA build of torch"
            )
        self._config = config
        self._device = device
        self._model = model

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Fit:
        """Place corresponding particles on the training surfaces, and freeze their model."""
        began = time.monotonic()
        usable, failed = usable_surfaces(surfaces, names)
        if len(usable) < LEAST_SHAPES:
            reasons = "; ".join(failed.values()) or "no others were given"
            raise ValueError(
                f"{len(usable)} usable surfaces, at least {LEAST_SHAPES} are needed ({reasons})"
            )
        by_name = sorted(usable, key=lambda row: names[row])
        ready = SurfaceSet([surfaces[row] for row in by_name], [names[row] for row in by_name])
        reference = choose_reference(ready)
        log.info("%d surfaces, reference %s", len(ready), ready.names[reference])
        template = make_template(
            ready.meshes[reference], self._config.entropy.start.template_vertices
        )
        settings = self._config.entropy.start
        deformed = deform_template(template, ready, settings, self._config.seed)
        if settings.method == "template":
            levels = self._from_template(ready, reference, template, deformed)
        else:
            levels = self._by_splitting(ready)
        first, outcome = levels[0], levels[-1]
        model = self._frozen(first, reference, template, np.inf)
        coarse, _ = _in_world(first.particles, first.transforms)
        limit = self.span_limit(model, ready, coarse.cpu().numpy(), deformed)
        self._model = self._frozen(outcome, reference, template, limit)
        world, _ = _in_world(outcome.particles, outcome.transforms)
        residual = leave_one_out_residuals(world.cpu().numpy())
        return self._fit_of(ready, names, failed, outcome, self._population(), residual, began)

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Fit:
        """Place the same particles on new surfaces, each on its own."""
        model = self.model
        began = time.monotonic()
        usable, failed = usable_surfaces(surfaces, names)
        if not usable:
            return empty_fit(failed, len(model.shape.mean))
        ready = SurfaceSet([surfaces[row] for row in usable], [names[row] for row in usable])
        frozen = Frozen(model, scale=self._config.entropy.scale, device=self._device)
        settings = self._config.entropy.start
        deformed = deform_template(_template_of(model), ready, settings, self._config.seed)
        outcome = self._join(ready, deformed, model, frozen, "new subjects")
        world, _ = _in_world(outcome.particles, outcome.transforms)
        residual = model.residual(world.cpu().numpy())
        return self._fit_of(ready, names, failed, outcome, frozen, residual, began)

    @property
    def model(self) -> FrozenModel:
        """The frozen model.

        Raises:
            ValueError: Before :meth:`optimize`, if none was given.
        """
        if self._model is None:
            raise ValueError("there is no shape model yet: optimize training surfaces first")
        return self._model

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the frozen model as named arrays."""
        return self.model.arrays()

    def _join(
        self,
        surfaces: SurfaceSet,
        deformed: Float[Tensor, "N K 3"],
        model: FrozenModel,
        frozen: Frozen,
        level: str | None,
    ) -> Outcome:
        particles = model.template_particles
        start = carry_particles(_template_of(model), particles, deformed, surfaces)
        return self._level(surfaces, start, frozen, self._config.entropy.fixed_iterations, level)

    def _frozen(
        self, outcome: Outcome, reference: int, template: Template, limit: float
    ) -> FrozenModel:
        world, normals = _in_world(outcome.particles, outcome.transforms)
        return freeze(
            world.cpu().numpy(),
            normals.cpu().numpy(),
            template.vertices.numpy(),
            template.faces.numpy(),
            outcome.particles.points[reference].cpu().numpy(),
            limit,
        )

    def span_limit(
        self,
        model: FrozenModel,
        surfaces: SurfaceSet,
        world: Float[np.ndarray, "N M 3"],
        deformed: Float[Tensor, "N K 3"] | None = None,
    ) -> float:
        """Learn how far new subjects of the population lie from the span of the others, mm.

        Some training subjects are fitted anew to the model of all others. Their particles in the
        trained model would look nearer: they took part in making it compact. The coarse level
        serves where there is one: a root mean square hardly depends on the number of particles.

        Args:
            model: Of the training subjects.
            surfaces: Theirs, aligned frame.
            world: Their particles.
            deformed: The model's template on their surfaces; made anew if it is not at hand.
        """
        if deformed is None:
            settings, seed = self._config.entropy.start, self._config.seed
            deformed = deform_template(_template_of(model), surfaces, settings, seed)
        count = min(CALIBRATION, len(world))
        residuals = []
        for row in np.unique(np.linspace(0, len(world) - 1, count).round().astype(int)):
            others = replace(model, shape=fit_shape_model(np.delete(world, row, 0)))
            frozen = Frozen(others, scale=self._config.entropy.scale, device=self._device)
            alone = surfaces.take([int(row)])
            outcome = self._join(alone, deformed[row : row + 1], others, frozen, None)
            moved, _ = _in_world(outcome.particles, outcome.transforms)
            residuals.append(others.residual(moved.cpu().numpy())[0])
        limit = limit_of(np.array(residuals))
        log.info(
            "%d training subjects fitted as new ones: %.2f mm from the others' span, limit %.2f mm",
            *(len(residuals), float(np.mean(residuals)), limit),
        )
        return limit

    def _population(self) -> Ensemble:
        return Ensemble(scale=self._config.entropy.scale)

    def _level(
        self,
        surfaces: SurfaceSet,
        start: OnSurface,
        population: Population,
        iterations: int,
        level: str | None,
    ) -> Outcome:
        there = OnSurface(*(value.to(self._device) for value in start))
        return optimize(
            surfaces, there, population, self._config.entropy, iterations=iterations, level=level
        )

    def _from_template(
        self,
        surfaces: SurfaceSet,
        reference: int,
        template: Template,
        deformed: Float[Tensor, "N K 3"],
    ) -> list[Outcome]:
        settings, seed = self._config.entropy, self._config.seed
        many, few = self._config.particles, settings.coarse_particles
        count = few if 2 * few <= many else many
        alone = surfaces.take([reference])
        own = even_particles(alone, count, seed)
        start = carry_particles(template, own, deformed, surfaces)
        outcome = self._level(
            surfaces, start, self._population(), settings.iterations, f"{count} particles"
        )
        if count == many:
            return [outcome]
        coarse = OnSurface(*(value.cpu() for value in outcome.particles))
        there = coarse.points[reference].numpy()
        dense = densify(template, even_particles(alone, many, seed), there, coarse, surfaces)
        iterations = settings.fine_iterations
        fine = self._level(surfaces, dense, self._population(), iterations, f"{many} particles")
        return [outcome, fine]

    def _by_splitting(self, surfaces: SurfaceSet) -> list[Outcome]:
        generator = np.random.default_rng(self._config.seed)
        particles = first_particle(surfaces)
        for count, iterations in levels(self._config.particles, self._config.entropy):
            particles = split(surfaces, particles, count, generator)
            outcome = self._level(
                surfaces, particles, self._population(), iterations, f"{count} particles"
            )
            particles = outcome.particles
        return [outcome]

    def _fit_of(
        self,
        surfaces: SurfaceSet,
        names: Sequence[str],
        failed: dict[str, str],
        outcome: Outcome,
        population: Population,
        residual: Float[np.ndarray, " N"],
        began: float,
    ) -> Fit:
        world, normals = _in_world(outcome.particles, outcome.transforms)
        spacing = surfaces.spacing(world.shape[1]).to(world)
        findings = diagnose(world, normals, spacing, population.pattern(world, normals))
        distance = surfaces.project(outcome.particles.points).distance.cpu().numpy()
        diagnostics = Diagnostics(
            distance_mean=distance.mean(1),
            distance_max=distance.max(1),
            swapped=findings.pairs("swapped").cpu().numpy(),
            collapsed=findings.pairs("collapsed").cpu().numpy(),
            residual=residual,
            outside_span=residual > self.model.residual_limit,
            seconds=np.full(len(surfaces), (time.monotonic() - began) / len(surfaces)),
        )
        fit = Fit(
            tuple(surfaces.names),
            failed,
            outcome.particles.points.cpu().numpy(),
            world.cpu().numpy(),
            outcome.transforms.cpu().numpy(),
            diagnostics,
        )
        return fit.ordered([name for name in names if name not in failed])


def _in_world(particles: OnSurface, transforms: Tensor) -> tuple[Tensor, Tensor]:
    normals = normals_in_world(particles.normals, transforms)
    return to_world(particles.points, transforms), normals


def _template_of(model: FrozenModel) -> Template:
    vertices, faces = model.template_vertices, model.template_faces
    return Template(torch.from_numpy(vertices), torch.from_numpy(faces))
