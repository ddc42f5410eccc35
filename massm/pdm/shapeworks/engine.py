"""Backend ``shapeworks``: the real program, driven by files and its command line.

Training: a project of the aligned surfaces, ``shapeworks optimize``, its local and world particles.
New subjects: one run each, beside the training subjects (:mod:`massm.pdm.shapeworks.fixed`).
"""

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.config.shapeworks import ShapeWorksConfig
from massm.geometry.alignment import apply_transform, fit_similarity
from massm.geometry.mesh import Mesh
from massm.io.errors import DataError
from massm.io.shapeworks import ShapeWorksProject, write_project
from massm.pdm.correspondence import Correspondence, empty_correspondence
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shapeworks.fixed import Trained, fit_by_parameter_file, fit_by_project
from massm.pdm.shapeworks.outcome import FoundParticles, correspondence_of
from massm.pdm.shapeworks.program import (
    find_program,
    optimize_parameters,
    read_particles,
    run_program,
)
from massm.pdm.shapeworks.subjects import groomed_row
from massm.pdm.surfaces import SurfaceSet, usable_surfaces

log = logging.getLogger(__name__)


class ShapeWorksEngine:
    """Backend ``shapeworks``: see :class:`massm.pdm.backend.Backend`."""

    def __init__(self, config: CorrespondConfig) -> None:
        """Look for the program.

        Raises:
            DataError: If it is missing or too old; says how to get it.
        """
        self._config = config
        self._settings = config.shapeworks
        self._program = find_program(self._settings)
        self._training: Trained | None = None

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Run the program on the training surfaces."""
        began = time.monotonic()
        usable, failed = usable_surfaces(surfaces, names)
        if len(usable) < 3:
            raise ValueError(f"{len(usable)} usable surfaces, at least 3 are needed")
        usable.sort(key=lambda row: names[row])
        ready = SurfaceSet([surfaces[row] for row in usable], [names[row] for row in usable])
        with _work_folder(self._settings, "training") as folder:
            subjects = [
                groomed_row(mesh, name, folder)
                for mesh, name in zip(ready.meshes, ready.names, strict=True)
            ]
            project = folder / f"training.{self._settings.project}"
            parameters = {"optimize": optimize_parameters(self._config)}
            write_project(ShapeWorksProject(tuple(subjects), parameters), project)
            run_program(self._program, project)
            local, world = read_particles(project, ready.names, self._config.particles)
        placed = _placed(local, world)
        moved = [
            mesh.transformed(matrix)
            for mesh, matrix in zip(ready.meshes, placed.procrustes, strict=True)
        ]
        self._training = Trained.of(ready.names, moved, world, self._config)
        residual, limit = leave_one_out_residuals(world), self._trained.residual_limit
        fit = correspondence_of(ready, failed, placed, residual, limit, time.monotonic() - began)
        return fit.ordered([name for name in names if name not in failed])

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Correspondence:
        """Run the program once for each new subject, with the training subjects fixed."""
        trained = self._trained
        usable, failed = usable_surfaces(surfaces, names)
        began = time.monotonic()
        kept, locals_ = [], []
        for done, row in enumerate(usable, start=1):
            try:
                locals_.append(self._fit_one(surfaces[row], names[row]))
                kept.append(row)
            except DataError as error:
                failed[names[row]] = str(error)
                log.warning("left out: %s", error)
            log.info("%d/%d %s, %.0f s", done, len(usable), names[row], time.monotonic() - began)
        if not kept:
            return empty_correspondence(failed, self._config.particles)
        ready = SurfaceSet([surfaces[row] for row in kept], [names[row] for row in kept])
        local = np.stack(locals_)
        moved = trained.align(local)
        nearest = trained.shape.project(moved, len(trained.shape.variances))
        residual = np.sqrt(np.square(moved - nearest).sum(-1).mean(-1))
        placed, seconds = _placed(local, moved), time.monotonic() - began
        return correspondence_of(ready, failed, placed, residual, trained.residual_limit, seconds)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give mean, modes and training shapes as named arrays."""
        shape = self._trained.shape
        return {
            "mean": shape.mean,
            "modes": shape.modes,
            "variances": shape.variances,
            "world": self._trained.world,
            "residual_limit": np.array(self._trained.residual_limit),
        }

    @property
    def _trained(self) -> Trained:
        if self._training is None:
            raise ValueError("there is no shape model yet: optimize training surfaces first")
        return self._training

    def _fit_one(self, surface: Mesh, name: str) -> Float[np.ndarray, "M 3"]:
        fit = fit_by_project if self._settings.project == "swproj" else fit_by_parameter_file
        with _work_folder(self._settings, f"fixed_{name}") as folder:
            return fit(self._program, self._config, self._trained, surface, name, folder)


@contextmanager
def _work_folder(settings: ShapeWorksConfig, name: str) -> Iterator[Path]:
    if settings.keep is not None:
        folder = settings.keep / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="massm-shapeworks-") as folder_name:
        yield Path(folder_name)


def _placed(local: Float[np.ndarray, "N M 3"], world: Float[np.ndarray, "N M 3"]) -> FoundParticles:
    procrustes = fit_similarity(torch.from_numpy(local), torch.from_numpy(world)).matrix().numpy()
    rest = max(
        float(np.abs(apply_transform(matrix, points) - moved).max())
        for matrix, points, moved in zip(procrustes, local, world, strict=True)
    )
    if rest > 1e-3 * float(np.ptp(world)):
        raise ValueError(
            f"ShapeWorks: world particles differ by up to {rest:.1f} mm from the best similarity "
            "of the local ones; its Procrustes alignment made a reflection. Set "
            "correspond.shapeworks.procrustes_interval to 0"
        )
    return FoundParticles(local, world, procrustes)
