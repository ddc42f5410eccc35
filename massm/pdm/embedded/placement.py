"""Particles on a set of surfaces: the levels that lead there, from nothing or to a frozen model."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import CorrespondConfig
from massm.pdm.embedded.checkpoint import Checkpoint
from massm.pdm.embedded.ensemble import Ensemble, TrainingEnsemble
from massm.pdm.embedded.frozen import FrozenEnsemble
from massm.pdm.embedded.initialization import (
    deform_template,
    densify,
    even_particles,
    first_particle,
    levels,
    split,
    transfer_particles,
)
from massm.pdm.embedded.optimizer import LevelResult, optimize
from massm.pdm.embedded.registration import TemplateMesh
from massm.pdm.embedded.schedule import SINGLE, LevelRole, length_of
from massm.pdm.embedded.tuning import TUNING
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
        """How many particles find the correspondence, and transfer the others if fewer."""
        few = self.settings.coarse_particles
        return few if 2 * few <= self.config.particles else self.config.particles

    def ensemble(self) -> TrainingEnsemble:
        """Give what training shapes hold each other by."""
        return TrainingEnsemble(scale=self.settings.scale)

    def frozen(self, model: FrozenModel) -> FrozenEnsemble:
        """Give what new shapes are held by."""
        return FrozenEnsemble(model, scale=self.settings.scale, device=self.device)

    def deformed(self, template: TemplateMesh, surfaces: SurfaceSet) -> Float[Tensor, "N K 3"]:
        """Register the template to every surface."""
        return deform_template(template, surfaces, self.settings.initialization, self.config.seed)

    def level(
        self,
        surfaces: SurfaceSet,
        initial: OnSurface,
        ensemble: Ensemble,
        iterations: int,
        *,
        name: str | None,
        role: LevelRole = SINGLE,
        checkpoint: Checkpoint | None = None,
    ) -> LevelResult:
        """Run one level; ``name`` stands in the log, None keeps it quiet."""
        there = OnSurface(*(value.to(self.device) for value in initial))
        return optimize(
            surfaces,
            there,
            ensemble,
            self.settings,
            iterations=iterations,
            level=name,
            role=role,
            checkpoint=checkpoint,
        )

    def from_template(
        self,
        surfaces: SurfaceSet,
        own: Float[np.ndarray, "M 3"],
        template: TemplateMesh,
        deformed: Float[Tensor, "N K 3"],
        checkpoint: Checkpoint | None,
        *,
        hold_out: bool = False,
    ) -> LevelResult:
        """Place the first particles: those of the template's surface, transferred to all.

        Fewer iterations do where they transfer others, and where some subjects are held out.
        """
        initial = transfer_particles(template, own, deformed, surfaces)
        transferring = len(own) < self.config.particles
        iterations = length_of(self.settings, len(own), transferring=transferring)
        return self.level(
            surfaces,
            initial,
            self.ensemble(),
            -(-iterations // TUNING.held_out_hurry) if hold_out else iterations,
            name=f"{len(own)} particles" + (", some subjects held out" if hold_out else ""),
            role=LevelRole(final=not (transferring or hold_out)),
            checkpoint=checkpoint,
        )

    def refined(
        self,
        surfaces: SurfaceSet,
        reference: int,
        template: TemplateMesh,
        coarse: OnSurface,
        checkpoint: Checkpoint | None,
    ) -> LevelResult:
        """Let few particles transfer all the others."""
        few, count = OnSurface(*(value.cpu() for value in coarse)), self.config.particles
        own = self.even(surfaces, reference, count)
        initial = densify(template, own, few.points[reference].numpy(), few, surfaces)
        return self.level(
            surfaces,
            initial,
            self.ensemble(),
            self.settings.fine_iterations,
            name=f"{count} particles",
            role=LevelRole(corresponding=True),
            checkpoint=checkpoint,
        )

    def even(self, surfaces: SurfaceSet, row: int, count: int) -> Float[np.ndarray, "M 3"]:
        """Spread particles over one of the surfaces."""
        alone = surfaces.take([row])
        return even_particles(alone, count, self.config.seed, self.settings.adaptivity)

    def by_splitting(self, surfaces: SurfaceSet, checkpoint: Checkpoint | None) -> LevelResult:
        """Place particles from one that all shapes share, doubled level by level."""
        generator = np.random.default_rng(self.config.seed)
        particles = first_particle(surfaces)
        for count, iterations in levels(self.config.particles, self.settings):
            initial = split(surfaces, particles, count, generator)
            result = self.level(
                surfaces,
                initial,
                self.ensemble(),
                iterations,
                name=f"{count} particles",
                checkpoint=checkpoint,
            )
            particles = result.particles
        return result

    def join(
        self,
        surfaces: SurfaceSet,
        deformed: Float[Tensor, "N K 3"],
        model: FrozenModel,
    ) -> LevelResult:
        """Place a model's particles on new surfaces that its template was registered to.

        All in one level: what comes out for a surface depends a little on its company, see
        :meth:`join_alone`.
        """
        initial = transfer_particles(
            template_of(model), model.template_particles, deformed, surfaces
        )
        return self.level(
            surfaces, initial, self.frozen(model), self.settings.fixed_iterations, name=None
        )

    def join_alone(self, surfaces: SurfaceSet, model: FrozenModel) -> LevelResult:
        """Register and place each new surface on its own, the same in whatever company.

        In one batch the rounding of array products, and when lists are made anew, would differ
        with the others: measured on spleens, particles lie 0.1 mm elsewhere, some 1 mm. As many
        at a time as there are threads.
        ``iterations``, ``energy`` and ``settled`` are the most, the mean, and whether all did.
        """
        template = template_of(model)

        def place(row: int) -> LevelResult:
            alone = surfaces.take([row])
            result = self.join(alone, self.deformed(template, alone), model)
            if len(surfaces) > 1:  # one alone is told by who asked for it
                log.info("new subjects: %s of %d is placed", surfaces.names[row], len(surfaces))
            return result

        with ThreadPoolExecutor(self.config.threads) as pool:
            results = list(pool.map(place, range(len(surfaces))))
        parts = zip(*(result.particles for result in results), strict=True)
        return LevelResult(
            OnSurface(*(torch.cat(part) for part in parts)),
            torch.cat([result.transforms for result in results]),
            max(result.iterations for result in results),
            float(np.mean([result.energy for result in results])),
            all(result.settled for result in results),
        )


def template_of(model: FrozenModel) -> TemplateMesh:
    """Take the mesh that is registered to new surfaces."""
    vertices, faces = model.template_vertices, model.template_faces
    return TemplateMesh(torch.from_numpy(vertices), torch.from_numpy(faces))


def in_world(result: LevelResult) -> tuple[Float[Tensor, "N M 3"], Float[Tensor, "N M 3"]]:
    """Move particles and normals of a result to the world frame."""
    particles, transforms = result.particles, result.transforms
    return to_world(particles.points, transforms), normals_in_world(particles.normals, transforms)


def frozen_model(
    result: LevelResult,
    template: TemplateMesh,
    own: Float[np.ndarray, "M 3"],
    limit: float = np.inf,
) -> FrozenModel:
    """Freeze what a level made of the training shapes.

    Args:
        result: Of the training shapes.
        template: Mesh that is registered to new surfaces.
        own: The particles on that mesh's surface, mm.
        limit: Distance from the span above which a subject lies outside, mm.
    """
    world, normals = in_world(result)
    return freeze(
        world.cpu().numpy(),
        normals.cpu().numpy(),
        template.vertices.numpy(),
        template.faces.numpy(),
        own,
        limit,
    )
