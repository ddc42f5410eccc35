"""The embedded particle engine: initialization, optimization, frozen model, new subjects."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.geometry.mesh import Mesh
from massm.pdm.correspondence import Correspondence, Diagnostics, empty_correspondence
from massm.pdm.diagnostics import diagnose
from massm.pdm.embedded.calibration import held_out_limit, refitted_limit
from massm.pdm.embedded.checkpoint import Checkpoint, fingerprint
from massm.pdm.embedded.ensemble import Ensemble
from massm.pdm.embedded.optimizer import LevelResult
from massm.pdm.embedded.placement import Placement, frozen_model, in_world
from massm.pdm.embedded.registration import TemplateMesh, choose_reference, make_template
from massm.pdm.fixed import FrozenModel
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.surfaces import SurfaceSet, usable_surfaces

log = logging.getLogger(__name__)

LEAST_SHAPES = 3


class EntropyEngine:
    """Backend ``entropy``: see :class:`massm.pdm.backend.Backend`."""

    def __init__(
        self,
        config: CorrespondConfig,
        model: FrozenModel | None = None,
        checkpoint: Path | None = None,
    ) -> None:
        """Prepare an engine.

        Args:
            config: Settings.
            model: One that was frozen before.
            checkpoint: Folder for the state of a run that may be cut off; a run with the same
                surfaces and settings goes on from there. Removed when the particles are there.

        Raises:
            ValueError: If the configured device is not there.
        """
        self._config = config
        self._placement = Placement(config)
        self._model = model
        self._folder = checkpoint

    @classmethod
    def of_given_particles(
        cls,
        config: CorrespondConfig,
        model: FrozenModel,
        surfaces: SurfaceSet,
        world: Float[np.ndarray, "N M 3"],
    ) -> "EntropyEngine":
        """Prepare an engine that fits new subjects to particles that came from elsewhere.

        New subjects are judged by how far training subjects lie from the others' span if they are
        fitted as new ones.

        Args:
            config: Settings.
            model: Of the training subjects; its limit is replaced.
            surfaces: Training surfaces, aligned frame.
            world: Their particles, world frame, mm.

        Raises:
            ValueError: If the configured device is not there.
        """
        limit = refitted_limit(Placement(config), surfaces, model, world)
        return cls(config, replace(model, residual_limit=limit))

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
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
        checkpoint = self._checkpoint(ready)
        result = self._train(ready, checkpoint)
        world, _ = in_world(result)
        residual = leave_one_out_residuals(world.cpu().numpy())
        ensemble = self._placement.ensemble()
        fit = self._fit_of(ready, names, failed, result, ensemble, residual, began)
        if checkpoint is not None:
            checkpoint.clear()
        return fit

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Place the same particles on new surfaces, each on its own."""
        model = self.model
        began = time.monotonic()
        usable, failed = usable_surfaces(surfaces, names)
        if not usable:
            return empty_correspondence(failed, len(model.shape.mean))
        ready = SurfaceSet([surfaces[row] for row in usable], [names[row] for row in usable])
        result = self._placement.join_alone(ready, model)
        residual = model.residual(in_world(result)[0].cpu().numpy())
        frozen = self._placement.frozen(model)
        return self._fit_of(ready, names, failed, result, frozen, residual, began)

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

    def _checkpoint(self, surfaces: SurfaceSet) -> Checkpoint | None:
        if self._folder is None:
            return None
        mark = fingerprint(self._config, surfaces.meshes, surfaces.names)
        return Checkpoint(self._folder, mark)

    def _train(self, surfaces: SurfaceSet, checkpoint: Checkpoint | None) -> LevelResult:
        """Place the particles on all training surfaces, and freeze the model."""
        placement, settings = self._placement, self._config.entropy.initialization
        reference, template = reference_template(surfaces, settings.template_vertices)
        log.info("%d surfaces, reference %s", len(surfaces), surfaces.names[reference])
        deformed = placement.deformed(template, surfaces)
        own = placement.even(surfaces, reference, placement.coarse)
        if settings.method == "template":
            result = placement.from_template(surfaces, own, template, deformed, checkpoint)
            if placement.coarse < self._config.particles:
                result = placement.refined(
                    surfaces, reference, template, result.particles, checkpoint
                )
        else:
            result = placement.by_splitting(surfaces, checkpoint)
        limit = held_out_limit(placement, surfaces, reference, own, template, deformed, checkpoint)
        there = result.particles.points[reference].cpu().numpy()
        self._model = frozen_model(result, template, there, limit)
        return result

    def _fit_of(
        self,
        surfaces: SurfaceSet,
        names: Sequence[str],
        failed: dict[str, str],
        result: LevelResult,
        ensemble: Ensemble,
        residual: Float[np.ndarray, " N"],
        began: float,
    ) -> Correspondence:
        world, normals = in_world(result)
        spacing = surfaces.spacing(world.shape[1]).to(world)
        findings = diagnose(world, normals, spacing, ensemble.pattern(world, normals))
        distance = surfaces.project(result.particles.points).distance.cpu().numpy()
        diagnostics = Diagnostics(
            distance_mean=distance.mean(1),
            distance_max=distance.max(1),
            swapped=findings.pairs("swapped").cpu().numpy(),
            collapsed=findings.pairs("collapsed").cpu().numpy(),
            residual=residual,
            outside_span=residual > self.model.residual_limit,
            seconds=np.full(len(surfaces), (time.monotonic() - began) / len(surfaces)),
        )
        fit = Correspondence(
            tuple(surfaces.names),
            failed,
            result.particles.points.cpu().numpy(),
            world.cpu().numpy(),
            result.transforms.cpu().numpy(),
            diagnostics,
        )
        return fit.ordered([name for name in names if name not in failed])


def reference_template(surfaces: SurfaceSet, vertices: int) -> tuple[int, TemplateMesh]:
    """Find the surface nearest to all others, and coarsen it to about ``vertices`` vertices.

    Returns:
        Its row, and the mesh that is registered to other surfaces.
    """
    reference = choose_reference(surfaces)
    return reference, make_template(surfaces.meshes[reference], vertices)
