"""Particles on a set of surfaces: the levels that lead there, from a start or to a frozen model."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import CorrespondConfig
from massm.pdm.embedded.checkpoint import Checkpoint
from massm.pdm.embedded.frozen import Frozen
from massm.pdm.embedded.optimizer import Outcome, optimize
from massm.pdm.embedded.population import Ensemble, Population
from massm.pdm.embedded.registration import Template
from massm.pdm.embedded.schedule import ALONE, Part, length_of
from massm.pdm.embedded.start import (
    carry_particles,
    deform_template,
    densify,
    even_particles,
    first_particle,
    levels,
    split,
)
from massm.pdm.fixed import FrozenModel, freeze
from massm.pdm.frames import normals_in_world, to_world
from massm.pdm.surfaces import OnSurface, SurfaceSet

log = logging.getLogger(__name__)


class Placement:
    """Runs levels with one set of settings."""

    def __init__(self, config: CorrespondConfig) -> None:
        """Choose settings and device.

        Raises:
            ValueError: If the configured device is not there.
        """
        device = torch.device(config.device)
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"correspond.device is {config.device}, but torch finds no CUDA device; set it to "
                "cpu, or install the CUDA build of torch"
            )
        self.config = config
        self.settings = config.entropy
        self.device = device

    @property
    def coarse(self) -> int:
        """How many particles find the correspondence, and carry the others where they are fewer."""
        few = self.settings.coarse_particles
        return few if 2 * few <= self.config.particles else self.config.particles

    def ensemble(self) -> Ensemble:
        """Give what training shapes hold each other by."""
        return Ensemble(scale=self.settings.scale)

    def frozen(self, model: FrozenModel) -> Frozen:
        """Give what new shapes are held by."""
        return Frozen(model, scale=self.settings.scale, device=self.device)

    def deformed(self, template: Template, surfaces: SurfaceSet) -> Float[Tensor, "N K 3"]:
        """Register the template to every surface."""
        return deform_template(template, surfaces, self.settings.start, self.config.seed)

    def level(
        self,
        surfaces: SurfaceSet,
        start: OnSurface,
        population: Population,
        iterations: int,
        *,
        name: str | None,
        part: Part = ALONE,
        checkpoint: Checkpoint | None = None,
    ) -> Outcome:
        """Run one level; ``name`` stands in the log, None keeps it quiet."""
        there = OnSurface(*(value.to(self.device) for value in start))
        return optimize(
            surfaces,
            there,
            population,
            self.settings,
            iterations=iterations,
            level=name,
            part=part,
            checkpoint=checkpoint,
        )

    def from_template(
        self,
        surfaces: SurfaceSet,
        own: Float[np.ndarray, "M 3"],
        template: Template,
        deformed: Float[Tensor, "N K 3"],
        checkpoint: Checkpoint | None,
        *,
        hold_out: bool = False,
    ) -> Outcome:
        """Place the first particles: those of the template's surface, carried over to all.

        Half the iterations do where they carry others. A quarter of these do where some subjects
        are held out: on organs the limit that comes of it is the same within two percent.
        """
        start = carry_particles(template, own, deformed, surfaces)
        carrying = len(own) < self.config.particles
        iterations = length_of(self.settings, len(own), carrying=carrying)
        return self.level(
            surfaces,
            start,
            self.ensemble(),
            (iterations + 3) // 4 if hold_out else iterations,
            name=f"{len(own)} particles" + (", some subjects held out" if hold_out else ""),
            part=Part(final=not (carrying or hold_out)),
            checkpoint=checkpoint,
        )

    def refined(
        self,
        surfaces: SurfaceSet,
        reference: int,
        template: Template,
        coarse: OnSurface,
        checkpoint: Checkpoint | None,
    ) -> Outcome:
        """Let few particles carry all the others along."""
        few, count = OnSurface(*(value.cpu() for value in coarse)), self.config.particles
        own = self.even(surfaces, reference, count)
        start = densify(template, own, few.points[reference].numpy(), few, surfaces)
        return self.level(
            surfaces,
            start,
            self.ensemble(),
            self.settings.fine_iterations,
            name=f"{count} particles",
            part=Part(corresponding=True),
            checkpoint=checkpoint,
        )

    def even(self, surfaces: SurfaceSet, row: int, count: int) -> Float[np.ndarray, "M 3"]:
        """Spread particles over one of the surfaces."""
        alone = surfaces.take([row])
        return even_particles(alone, count, self.config.seed, self.settings.adaptivity)

    def by_splitting(self, surfaces: SurfaceSet, checkpoint: Checkpoint | None) -> Outcome:
        """Place particles from one that all shapes share, doubled level by level."""
        generator = np.random.default_rng(self.config.seed)
        particles = first_particle(surfaces)
        for count, iterations in levels(self.config.particles, self.settings):
            start = split(surfaces, particles, count, generator)
            outcome = self.level(
                surfaces,
                start,
                self.ensemble(),
                iterations,
                name=f"{count} particles",
                checkpoint=checkpoint,
            )
            particles = outcome.particles
        return outcome

    def join(
        self,
        surfaces: SurfaceSet,
        deformed: Float[Tensor, "N K 3"],
        model: FrozenModel,
    ) -> Outcome:
        """Place a model's particles on new surfaces that its template was registered to.

        All in one level: what comes out for a surface depends a little on its company, see
        :meth:`join_alone`.
        """
        start = carry_particles(template_of(model), model.template_particles, deformed, surfaces)
        return self.level(
            surfaces, start, self.frozen(model), self.settings.fixed_iterations, name=None
        )

    def join_alone(self, surfaces: SurfaceSet, model: FrozenModel) -> Outcome:
        """Register and place each new surface on its own, the same in whatever company.

        In one batch the rounding of array products, and when lists are made anew, would differ
        with the others: measured on spleens, particles lie 0.1 mm elsewhere, some 1 mm. As many
        at a time as there are threads.
        ``iterations``, ``energy`` and ``settled`` are the most, the mean, and whether all did.
        """
        template = template_of(model)

        def place(row: int) -> Outcome:
            alone = surfaces.take([row])
            outcome = self.join(alone, self.deformed(template, alone), model)
            log.info("new subjects: %s of %d is placed", surfaces.names[row], len(surfaces))
            return outcome

        with ThreadPoolExecutor(self.config.threads) as pool:
            outcomes = list(pool.map(place, range(len(surfaces))))
        parts = zip(*(outcome.particles for outcome in outcomes), strict=True)
        return Outcome(
            OnSurface(*(torch.cat(part) for part in parts)),
            torch.cat([outcome.transforms for outcome in outcomes]),
            max(outcome.iterations for outcome in outcomes),
            float(np.mean([outcome.energy for outcome in outcomes])),
            all(outcome.settled for outcome in outcomes),
        )


def template_of(model: FrozenModel) -> Template:
    """Take the mesh that is registered to new surfaces."""
    vertices, faces = model.template_vertices, model.template_faces
    return Template(torch.from_numpy(vertices), torch.from_numpy(faces))


def in_world(outcome: Outcome) -> tuple[Float[Tensor, "N M 3"], Float[Tensor, "N M 3"]]:
    """Move particles and normals of an outcome to the world frame."""
    particles, transforms = outcome.particles, outcome.transforms
    return to_world(particles.points, transforms), normals_in_world(particles.normals, transforms)


def frozen_model(
    outcome: Outcome, template: Template, own: Float[np.ndarray, "M 3"], limit: float = np.inf
) -> FrozenModel:
    """Freeze what a level made of the training shapes.

    Args:
        outcome: Of the training shapes.
        template: Mesh that is registered to new surfaces.
        own: The particles on that mesh's surface, mm.
        limit: Distance from the span above which a subject lies outside, mm.
    """
    world, normals = in_world(outcome)
    return freeze(
        world.cpu().numpy(),
        normals.cpu().numpy(),
        template.vertices.numpy(),
        template.faces.numpy(),
        own,
        limit,
    )
