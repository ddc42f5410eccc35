"""Backend ``shapeworks``: the real program, driven by files and its command line.

Training: a project of the aligned surfaces, ``shapeworks optimize``, its local and world particles.
New subjects: one project each, in which the training subjects are fixed ("fixed domains"): their
landmarks are their world particles, those of the new subject the mean shape's.
"""

import logging
import re
import shutil
import subprocess
import tempfile
import time
from collections import deque
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
from massm.io.particles import read_text, write_text
from massm.io.shapeworks import (
    DOMAIN,
    ShapeWorksProject,
    read_project,
    relative_to_project,
    subject_file,
    transform_text,
    write_project,
)
from massm.pdm.diagnostics import diagnose, mean_pattern
from massm.pdm.fit import Diagnostics, Fit, empty_fit
from massm.pdm.quality import leave_one_out_residuals
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.pdm.surfaces import SurfaceSet, usable_surfaces

log = logging.getLogger(__name__)

OLDEST = (6, 1)
OLDEST_SWPROJ = (6, 4)
HOW_TO_GET = (
    "install a release of ShapeWorks (github.com/SCIInstitute/ShapeWorks/releases) and put its "
    "`shapeworks` on PATH or its path into correspond.shapeworks.program, or set "
    "correspond.backend to entropy"
)
SPAN_DEVIATIONS = 4.0


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
        moved = [
            mesh.transformed(_similarity(a, b))
            for mesh, a, b in zip(ready.meshes, local, world, strict=True)
        ]
        self._training = _Trained.of(ready.names, moved, world)
        fit = _fit(
            ready, failed, local, world, leave_one_out_residuals(world), self._trained, began
        )
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
        return _fit(ready, failed, local, moved, residual, trained, began)

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
        left_out = leave_one_out_residuals(world)
        limit = float(left_out.mean() + SPAN_DEVIATIONS * left_out.std())
        return cls(names, surfaces, world, fit_shape_model(world), limit)


def optimize_parameters(config: CorrespondConfig) -> dict[str, str]:
    """Map the config to the program's parameters, all text."""
    settings = config.shapeworks
    copied = (
        "iterations_per_split",
        "optimization_iterations",
        "initial_relative_weighting",
        "relative_weighting",
        "starting_regularization",
        "ending_regularization",
        "use_normals",
        "normals_strength",
        "use_geodesic_distance",
        "procrustes_interval",
        "narrow_band",
    )
    values = {name: getattr(settings, name) for name in copied}
    values |= {
        "number_of_particles": config.particles,
        # Without this switch the program ignores the interval.
        "procrustes": settings.procrustes_interval > 0,
        "procrustes_scaling": config.entropy.scale and settings.procrustes_interval > 0,
        "multiscale": settings.multiscale_particles > 0,
        "multiscale_particles": settings.multiscale_particles or 32,
        "checkpointing_interval": 0,
        "keep_checkpoints": 0,
    }
    return {name: str(int(v) if isinstance(v, bool) else v) for name, v in values.items()}


def find_program(settings: ShapeWorksConfig) -> str:
    """Find the program and check its version.

    Raises:
        DataError: If it is missing, does not run, or is too old for the project format.
    """
    path = shutil.which(settings.program)
    if path is None:
        raise DataError(f"ShapeWorks: no command {settings.program!r} was found; {HOW_TO_GET}")
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"ShapeWorks: {path} does not run ({error}); {HOW_TO_GET}") from error
    found = re.search(r"(\d+)\.(\d+)", answer.stdout + answer.stderr)
    if found is None:
        log.warning("ShapeWorks: %s does not tell its version; going on", path)
        return path
    version = (int(found[1]), int(found[2]))
    oldest = OLDEST_SWPROJ if settings.project == "swproj" else OLDEST
    if version < oldest:
        raise DataError(
            f"ShapeWorks: {path} is version {version[0]}.{version[1]}, project files "
            f".{settings.project} need {oldest[0]}.{oldest[1]} or newer; {HOW_TO_GET}"
        )
    log.info("ShapeWorks %d.%d: %s", *version, path)
    return path


def run_program(program: str, project: Path) -> None:
    """Run ``shapeworks optimize`` on a project; its progress goes to the log at each tenth.

    Raises:
        DataError: If it fails; quotes its last lines.
    """
    command = [program, "optimize", "--name", project.name, "--progress"]
    last: deque[str] = deque(maxlen=15)
    tenth = -1
    with subprocess.Popen(
        command,
        cwd=project.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            for part in filter(None, map(str.strip, line.split("\r"))):
                last.append(part)
                percent = re.search(r"(\d+)(?:\.\d+)?\s*%", part)
                if percent and int(percent[1]) // 10 > tenth:
                    tenth = int(percent[1]) // 10
                    log.info("ShapeWorks: %s", part)
    if process.returncode != 0:
        said = "\n  ".join(last) or "nothing"
        raise DataError(
            f"ShapeWorks ended with code {process.returncode} on {project.name}; it said:\n  {said}"
        )


def read_particles(
    project: Path, names: Sequence[str], particles: int
) -> tuple[Float[np.ndarray, "N M 3"], Float[np.ndarray, "N M 3"]]:
    """Read local and world particles that the program wrote, in the order of ``names``.

    Old versions do not enter the files into the project; then they lie where the program puts
    them, ``{project}_particles/{groomed}_local.particles``.

    Raises:
        DataError: If particles are missing, or differ in number from those asked for: the program
            doubles until it has enough, so that only powers of two can be had.
    """
    by_name = {subject["name"]: subject for subject in read_project(project).subjects}
    folder = project.parent / f"{project.stem}_particles"
    local: list[np.ndarray] = []
    world: list[np.ndarray] = []
    for name in names:
        for kind, target in (("local", local), ("world", world)):
            column = f"{kind}_particles_{DOMAIN}"
            path = subject_file(project, by_name.get(name, {}), column)
            path = path if path and path.is_file() else folder / f"{name}_{kind}.particles"
            if not path.is_file():
                raise DataError(f"ShapeWorks: {name} has no {kind} particles ({path.name})")
            points = read_text(path)
            if len(points) != particles:
                raise DataError(
                    f"ShapeWorks: {name} has {len(points)} particles, asked for {particles}; it "
                    "makes powers of two alone: set correspond.particles to one"
                )
            target.append(points)
    return np.stack(local), np.stack(world)


def write_studio_project(
    path: Path,
    names: Sequence[str],
    surfaces: Sequence[Path],
    local: Sequence[Path],
    world: Sequence[Path],
    alignments: Float[np.ndarray, "N 4 4"],
    transforms: Float[np.ndarray, "N 4 4"],
    splits: Sequence[str],
) -> None:
    """Write a project that opens a finished shape model in ShapeWorks Studio.

    Args:
        path: Ends in ``.swproj``; all files are named relative to it.
        names: Subjects.
        surfaces: Groomed surfaces, image frame.
        local: Files of their local particles, image frame.
        world: Files of their world particles.
        alignments: Image to aligned frame.
        transforms: Image to world frame.
        splits: Become the group ``split``.
    """
    subjects = []
    for row, name in enumerate(names):
        surface = relative_to_project(surfaces[row], path)
        procrustes = transforms[row] @ np.linalg.inv(alignments[row])
        subjects.append(
            {
                "name": name,
                f"shape_{DOMAIN}": surface,
                f"groomed_{DOMAIN}": surface,
                f"local_particles_{DOMAIN}": relative_to_project(local[row], path),
                f"world_particles_{DOMAIN}": relative_to_project(world[row], path),
                f"alignment_{DOMAIN}": transform_text(alignments[row]),
                f"procrustes_{DOMAIN}": transform_text(procrustes),
                "group_split": splits[row],
            }
        )
    write_project(ShapeWorksProject(tuple(subjects), {"studio": {"tool_state": "analysis"}}), path)


@contextmanager
def _work_folder(settings: ShapeWorksConfig, name: str) -> Iterator[Path]:
    if settings.keep is not None:
        folder = settings.keep / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="massm-shapeworks-") as folder_name:
        yield Path(folder_name)


def _similarity(
    local: Float[np.ndarray, "M 3"], world: Float[np.ndarray, "M 3"]
) -> Float[np.ndarray, "4 4"]:
    return fit_similarity(torch.from_numpy(local), torch.from_numpy(world)).matrix().numpy()


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


def _fit(
    surfaces: SurfaceSet,
    failed: dict[str, str],
    local: Float[np.ndarray, "N M 3"],
    world: Float[np.ndarray, "N M 3"],
    residual: Float[np.ndarray, " N"],
    trained: _Trained,
    began: float,
) -> Fit:
    procrustes = fit_similarity(torch.from_numpy(local), torch.from_numpy(world)).matrix()
    rest = max(
        float(np.abs(apply_transform(matrix, points) - moved).max())
        for matrix, points, moved in zip(procrustes.numpy(), local, world, strict=True)
    )
    if rest > 1e-2 * float(np.ptp(world)):
        raise ValueError(
            f"ShapeWorks: world particles differ by up to {rest:.1f} mm from the best similarity "
            "of the local ones; its Procrustes alignment made a reflection. Set "
            "correspond.shapeworks.procrustes_interval to 0"
        )
    on_surface = surfaces.project(torch.from_numpy(local))
    rotation = procrustes[:, :3, :3]
    normals = on_surface.normals @ rotation.mT
    spacing = surfaces.spacing(local.shape[1])
    moved = torch.from_numpy(world)
    findings = diagnose(moved, normals, spacing, mean_pattern(moved, normals))
    distance = on_surface.distance.numpy()
    diagnostics = Diagnostics(
        distance_mean=distance.mean(1),
        distance_max=distance.max(1),
        swapped=findings.pairs("swapped").numpy(),
        collapsed=findings.pairs("collapsed").numpy(),
        residual=residual,
        outside_span=residual > trained.residual_limit,
        seconds=np.full(len(local), (time.monotonic() - began) / len(local)),
    )
    return Fit(tuple(surfaces.names), failed, local, world, procrustes.numpy(), diagnostics)
