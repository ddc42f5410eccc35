"""Backend ``shapeworks``: the real program, driven by files and its command line.

Training: a project of the aligned surfaces, ``shapeworks optimize``, its local and world particles.
New subjects: one project each, in which the training subjects are fixed ("fixed domains"): their
landmarks are their world particles, those of the new subject the mean shape's.
"""

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.config.shapeworks import ShapeWorksConfig
from massm.geometry.alignment import apply_transform, fit_similarity
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.particles import write_text
from massm.io.shapeworks import DOMAIN, ShapeWorksProject, transform_text, write_project
from massm.pdm.fit import Fit, empty_fit
from massm.pdm.fixed import limit_of
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.pdm.shapeworks.outcome import Placed, fit_of
from massm.pdm.shapeworks.program import (
    find_program,
    optimize_parameters,
    read_particles,
    run_program,
)
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
        self._training: _Trained | None = None

    def optimize(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Fit:
        """Run the program on the training surfaces."""
        began = time.monotonic()
        usable, failed = usable_surfaces(surfaces, names)
        if len(usable) < 3:
            raise ValueError(f"{len(usable)} usable surfaces, at least 3 are needed")
        usable.sort(key=lambda row: names[row])
        ready = SurfaceSet([surfaces[row] for row in usable], [names[row] for row in usable])
        with _work_folder(self._settings, "training") as folder:
            subjects = [
                _groomed(mesh, name, folder)
                for mesh, name in zip(ready.meshes, ready.names, strict=True)
            ]
            project = folder / f"training.{self._settings.project}"
            write_project(ShapeWorksProject(tuple(subjects), self._parameters({})), project)
            run_program(self._program, project)
            local, world = read_particles(project, ready.names, self._config.particles)
        placed = _placed(local, world)
        moved = [
            mesh.transformed(matrix)
            for mesh, matrix in zip(ready.meshes, placed.procrustes, strict=True)
        ]
        self._training = _Trained.of(ready.names, moved, world)
        residual, limit = leave_one_out_residuals(world), self._trained.residual_limit
        fit = fit_of(ready, failed, placed, residual, limit, time.monotonic() - began)
        return fit.ordered([name for name in names if name not in failed])

    def fit(self, surfaces: Sequence[Mesh], names: Sequence[str]) -> Fit:
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
            return empty_fit(failed, self._config.particles)
        ready = SurfaceSet([surfaces[row] for row in kept], [names[row] for row in kept])
        local = np.stack(locals_)
        target = torch.from_numpy(trained.shape.mean).expand(len(local), -1, -1)
        world = fit_similarity(torch.from_numpy(local), target, allow_scale=False)
        moved = world.apply(torch.from_numpy(local)).numpy()
        nearest = trained.shape.project(moved, len(trained.shape.variances))
        residual = np.sqrt(np.square(moved - nearest).sum(-1).mean(-1))
        placed, seconds = _placed(local, moved), time.monotonic() - began
        return fit_of(ready, failed, placed, residual, trained.residual_limit, seconds)

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
    def _trained(self) -> "_Trained":
        if self._training is None:
            raise ValueError("there is no shape model yet: optimize training surfaces first")
        return self._training

    def _fit_one(self, surface: Mesh, name: str) -> Float[np.ndarray, "M 3"]:
        trained = self._trained
        with _work_folder(self._settings, f"fixed_{name}") as folder:
            subjects = []
            for row, other in enumerate(trained.names):
                landmarks = folder / "landmarks" / f"{other}.particles"
                write_text(trained.world[row], landmarks)
                groomed = _groomed(trained.surfaces[row], other, folder)
                subjects.append(groomed | _fixed(other, landmarks, folder, is_fixed=True))
            mean = folder / "landmarks" / f"{name}.particles"
            write_text(trained.shape.mean, mean)
            new = _groomed(surface, name, folder) | _fixed(name, mean, folder, is_fixed=False)
            project = folder / f"fixed.{self._settings.project}"
            changes = {
                "use_landmarks": "1",
                "use_fixed_subjects": "1",
                "fixed_subjects_column": "fixed",
                "fixed_subjects_choice": "yes",
                "narrow_band": "1e10",
                "procrustes": "0",
                "multiscale": "0",
                "optimization_iterations": str(self._settings.fixed_iterations),
            }
            parameters = self._parameters(changes)
            write_project(ShapeWorksProject((*subjects, new), parameters), project)
            run_program(self._program, project)
            return read_particles(project, [name], self._config.particles)[0][0]

    def _parameters(self, changes: dict[str, str]) -> dict[str, dict[str, str]]:
        return {"optimize": optimize_parameters(self._config) | changes}


class _Trained(NamedTuple):
    """What new subjects are fitted to."""

    names: list[str]
    surfaces: list[Mesh]  # world frame, where their particles are fixed
    world: Float[np.ndarray, "N M 3"]
    shape: ShapeModel
    residual_limit: float

    @classmethod
    def of(
        cls, names: list[str], surfaces: list[Mesh], world: Float[np.ndarray, "N M 3"]
    ) -> "_Trained":
        """Make the model of aligned training particles, mm."""
        limit = limit_of(leave_one_out_residuals(world))
        return cls(names, surfaces, world, fit_shape_model(world), limit)


@contextmanager
def _work_folder(settings: ShapeWorksConfig, name: str) -> Iterator[Path]:
    if settings.keep is not None:
        folder = settings.keep / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="massm-shapeworks-") as folder_name:
        yield Path(folder_name)


def _placed(local: Float[np.ndarray, "N M 3"], world: Float[np.ndarray, "N M 3"]) -> Placed:
    procrustes = fit_similarity(torch.from_numpy(local), torch.from_numpy(world)).matrix().numpy()
    rest = max(
        float(np.abs(apply_transform(matrix, points) - moved).max())
        for matrix, points, moved in zip(procrustes, local, world, strict=True)
    )
    if rest > 1e-2 * float(np.ptp(world)):
        raise ValueError(
            f"ShapeWorks: world particles differ by up to {rest:.1f} mm from the best similarity "
            "of the local ones; its Procrustes alignment made a reflection. Set "
            "correspond.shapeworks.procrustes_interval to 0"
        )
    return Placed(local, world, procrustes)


def _groomed(mesh: Mesh, name: str, folder: Path) -> dict[str, str]:
    path = folder / "groomed" / f"{name}.vtp"
    meshes.write(mesh, path)
    relative = path.relative_to(folder).as_posix()
    identity = transform_text(np.eye(4))
    return {
        "name": name,
        f"shape_{DOMAIN}": relative,
        f"groomed_{DOMAIN}": relative,
        f"alignment_{DOMAIN}": identity,
    }


def _fixed(name: str, landmarks: Path, folder: Path, *, is_fixed: bool) -> dict[str, str]:
    relative = landmarks.relative_to(folder).as_posix()
    return {
        "name": name,
        f"landmarks_file_{DOMAIN}": relative,
        "fixed": "yes" if is_fixed else "no",
    }
