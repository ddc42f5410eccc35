"""Backend ``project``: particles that are there already, in a ShapeWorks project.

Subjects are matched by name (:mod:`massm.io.shapeworks_subjects`). Particles of the project stay
as they are, whatever the split; validation and test subjects that it lacks are fitted by the
embedded engine to the frozen model of the training subjects.
"""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.io.errors import DataError
from massm.io.shapeworks_subjects import ProjectSubject, match_subjects, read_subjects
from massm.pdm.context import PopulationContext
from massm.pdm.correspondence import Correspondence, empty_correspondence, joined
from massm.pdm.diagnostics import Pattern, mean_pattern
from massm.pdm.embedded.engine import LEAST_SHAPES, EntropyEngine, reference_template
from massm.pdm.fixed import FrozenModel, freeze, limit_of
from massm.pdm.frames import normals_in_world
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shapeworks.frames import Shape, to_shape
from massm.pdm.shapeworks.outcome import FoundParticles, correspondence_of
from massm.pdm.surfaces import SurfaceSet, usable_surfaces

log = logging.getLogger(__name__)

SCALED = 1e-3  # difference of a scale from 1 that is no rounding


class ProjectEngine:
    """Backend ``project``: see :class:`massm.pdm.backend.Backend`."""

    def __init__(self, config: CorrespondConfig, context: PopulationContext) -> None:
        """Read the project and find its subjects among the groomed ones.

        Raises:
            DataError: If the project cannot be read.
            ValueError: If no project is given.
        """
        if context.project is None:
            raise ValueError(f"{context.anatomy}: backend project was given no ShapeWorks project")
        self._config = config
        self._context = context
        self._path = context.project
        found = read_subjects(self._path, context.anatomy)
        self._subjects = match_subjects(found, context.alignments)
        self._called = [subject.names[0] for subject in found]
        unknown = [
            subject.names[0]
            for subject in found
            if not any(name in self._subjects for name in subject.names)
        ]
        if unknown:
            log.warning(
                "%s: %d of %d subjects are none of %s's and are ignored: %s",
                *(self._path, len(unknown), len(found), context.anatomy, _some(unknown)),
            )
        self._model: _Model | None = None

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Take the particles of the training subjects, and freeze their model."""
        began = time.monotonic()
        if not any(name in self._subjects for name in names):
            raise ValueError(
                f"none of {len(names)} training subjects is in {self._path}, whose subjects are "
                f"called {_some(self._called)}; call them as the groomed ones: {_some(names)}"
            )
        taken = self._take(surfaces, names)
        failed = taken.failed | {
            name: f"{name}: {self._context.anatomy} has no particles in {self._path}"
            for name in taken.absent
        }
        for name in taken.absent:
            log.warning("left out: %s", failed[name])
        if len(taken.names) < LEAST_SHAPES:
            raise ValueError(
                f"{len(taken.names)} training subjects can be used, at least {LEAST_SHAPES} are "
                f"needed; {_some(list(failed.values()), '; ')}"
            )
        ready, placed = taken.surfaces(), taken.placed()
        residual = leave_one_out_residuals(placed.world)
        limit = limit_of(residual)
        self._model = self._freeze(ready, placed, limit)
        seconds = time.monotonic() - began
        return correspondence_of(ready, failed, placed, residual, limit, seconds)

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Take the particles of other subjects, or fit them where the project has none."""
        model = self._trained
        began = time.monotonic()
        taken = self._take(surfaces, names)
        parts = [empty_correspondence(taken.failed, self._config.particles)]
        if taken.names:
            ready, placed = taken.surfaces(), taken.placed()
            residual = model.frozen.residual(placed.world)
            limit, seconds = model.frozen.residual_limit, time.monotonic() - began
            parts.append(
                correspondence_of(ready, {}, placed, residual, limit, seconds, model.pattern())
            )
        if taken.absent:
            log.info(
                "%d subjects are not in the project and are fitted to its model: %s",
                *(len(taken.absent), _some(taken.absent)),
            )
            meshes = [surfaces[list(names).index(name)] for name in taken.absent]
            parts.append(self._engine(model).fit(meshes, taken.absent))
        fit = joined(parts)
        return fit.ordered([name for name in names if name in fit.names])

    def arrays(self) -> dict[str, np.ndarray]:
        """Give the frozen model as named arrays, those of the embedded engine."""
        return self._trained.frozen.arrays()

    @property
    def _trained(self) -> "_Model":
        if self._model is None:
            raise ValueError("there is no shape model yet: take the training subjects first")
        return self._model

    def _engine(self, model: "_Model") -> EntropyEngine:
        """Prepare the embedded engine to fit subjects that the project lacks.

        They are judged by how far training subjects lie from the others' span if they are fitted
        as new ones, those of the project by how far training subjects of the project lie.
        """
        entropy = self._config.entropy.model_copy(update={"scale": model.scaled})
        config = self._config.model_copy(update={"entropy": entropy})
        return EntropyEngine.of_given_particles(config, model.frozen, model.surfaces, model.world)

    def _take(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> "_Taken":
        usable, failed = usable_surfaces(surfaces, names)
        taken = _Taken([], [], [], failed, [])
        for row in usable:
            name = names[row]
            subject = self._subjects.get(name)
            if subject is None or subject.local is None:
                taken.absent.append(name)
                continue
            try:
                taken.shapes.append(self._shape(subject, surfaces[row], name))
            except DataError as error:
                failed[name] = f"{name}: {self._context.anatomy} in {self._path}: {error}"
                log.warning("left out: %s", failed[name])
                continue
            taken.names.append(name)
            taken.meshes.append(surfaces[row])
        return taken

    def _shape(self, subject: ProjectSubject, surface: Mesh, name: str) -> Shape:
        local, world = subject.read()
        wanted = self._config.particles
        if len(local) != wanted:
            raise DataError(
                f"it holds {len(local)} particles, expected {wanted}; set correspond.particles to "
                "what the project holds"
            )
        alignment, config = self._context.alignments[name], self._config.project
        return to_shape(local, world, subject.transform, surface, alignment, config)

    def _freeze(self, surfaces: SurfaceSet, placed: FoundParticles, limit: float) -> "_Model":
        vertices = self._config.entropy.initialization.template_vertices
        reference, template = reference_template(surfaces, vertices)
        transforms = torch.from_numpy(placed.procrustes)
        normals = surfaces.project(torch.from_numpy(placed.local)).normals
        frozen = freeze(
            placed.world,
            normals_in_world(normals, transforms).numpy(),
            template.vertices.numpy(),
            template.faces.numpy(),
            placed.local[reference],
            limit,
        )
        scale = np.cbrt(np.linalg.det(placed.procrustes[:, :3, :3]))
        is_scaled = bool((np.abs(scale - 1) > SCALED).any())
        return _Model(frozen, is_scaled, surfaces, placed.world)


class _Taken(NamedTuple):
    """Subjects whose particles could be taken, and what became of the others."""

    names: list[str]
    meshes: list[Mesh]
    shapes: list[Shape]
    failed: dict[str, str]
    absent: list[str]

    def surfaces(self) -> SurfaceSet:
        """Give their surfaces, aligned frame."""
        return SurfaceSet(self.meshes, self.names)

    def placed(self) -> FoundParticles:
        """Give their particles."""
        return FoundParticles(*(np.stack(part) for part in zip(*self.shapes, strict=True)))


class _Model(NamedTuple):
    """The frozen model, whether the project's alignment scales shapes, and what it was made of."""

    frozen: FrozenModel
    scaled: bool
    surfaces: SurfaceSet
    world: Float[np.ndarray, "N M 3"]

    def pattern(self) -> Pattern:
        """Give the arrangement that swapped particles of other subjects are judged by."""
        mean, normals = self.frozen.shape.mean, self.frozen.normals
        return mean_pattern(torch.from_numpy(mean)[None], torch.from_numpy(normals)[None])


def _some(texts: Sequence[str], separator: str = ", ") -> str:
    """Name a few of many."""
    more = [f"and {len(texts) - 5} more"] if len(texts) > 5 else []
    return separator.join([*texts[:5], *more])
