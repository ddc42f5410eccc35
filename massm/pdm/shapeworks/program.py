"""The program ``shapeworks``: finding it, its parameters, a run, what a run leaves behind."""

import logging
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.config.shapeworks import ShapeWorksConfig
from massm.io.errors import DataError
from massm.io.particles import read_text
from massm.io.shapeworks import DOMAIN, read_project, subject_file

log = logging.getLogger(__name__)

OLDEST = (6, 1)
OLDEST_SWPROJ = (6, 4)
HOW_TO_GET = (
    "install a release of ShapeWorks (github.com/SCIInstitute/ShapeWorks/releases) and put its "
    "`shapeworks` on PATH or its path into correspond.shapeworks.program, or set "
    "correspond.backend to entropy"
)


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
