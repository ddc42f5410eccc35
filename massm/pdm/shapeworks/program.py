"""The program ``shapeworks``: finding it, its parameters, a run, what a run leaves behind.

Versions differ. Until 6.3 projects are spreadsheets alone, and 6.1 runs silently and cannot fix
subjects in a project; it can in a parameter file, which all versions read.
"""

import logging
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

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
FOLLOW_SECONDS = 2.0
HOW_TO_GET = (
    "install a release of ShapeWorks (github.com/SCIInstitute/ShapeWorks/releases) and put its "
    "`shapeworks` on PATH or its path into correspond.shapeworks.program, or set "
    "correspond.backend to entropy"
)


class Program(NamedTuple):
    """The program that was found.

    Attributes:
        path: Where it lies.
        tells_progress: Whether this version has ``optimize --progress``.
    """

    path: str
    tells_progress: bool


def find_program(settings: ShapeWorksConfig) -> Program:
    """Find the program, check its version, and ask what it can do.

    Raises:
        DataError: If it is missing, does not run, is too old for the project format, or cannot do
            what the config asks for.
    """
    if settings.project == "xlsx" and settings.use_normals:
        raise DataError(
            "ShapeWorks: beside fixed subjects of a parameter file, which go with project: xlsx, "
            "it cannot use normals; set correspond.shapeworks.use_normals to false, or project to "
            "swproj with version 6.4 or newer"
        )
    path = shutil.which(settings.program)
    if path is None:
        raise DataError(f"ShapeWorks: no command {settings.program!r} was found; {HOW_TO_GET}")
    path = str(Path(path).absolute())  # it is run in another folder
    found = re.search(r"(\d+)\.(\d+)", _answer(path, "--version"))
    if found is None:
        log.warning("ShapeWorks: %s does not tell its version; going on", path)
    else:
        _check_version(path, (int(found[1]), int(found[2])), settings)
    return Program(path, "--progress" in _answer(path, "optimize", "--help"))


def _answer(path: str, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            [path, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"ShapeWorks: {path} does not run ({error}); {HOW_TO_GET}") from error
    return answer.stdout + answer.stderr


def _check_version(path: str, version: tuple[int, int], settings: ShapeWorksConfig) -> None:
    oldest = OLDEST_SWPROJ if settings.project == "swproj" else OLDEST
    if version < oldest:
        advice = HOW_TO_GET
        if version >= OLDEST:
            advice = f"set correspond.shapeworks.project to xlsx, or {HOW_TO_GET}"
        raise DataError(
            f"ShapeWorks: {path} is version {version[0]}.{version[1]}, project files "
            f".{settings.project} need {oldest[0]}.{oldest[1]} or newer; {advice}"
        )
    log.info("ShapeWorks %d.%d: %s", *version, path)
    if version == OLDEST and settings.use_geodesic_distance:
        log.warning("ShapeWorks 6.1 may not know use_geodesic_distance, and then ignores it")


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
        # With more particles than asked for here, the program would make that many.
        "multiscale": 0 < settings.multiscale_particles < config.particles,
        "multiscale_particles": settings.multiscale_particles or 32,
        "checkpointing_interval": 0,
        "keep_checkpoints": 0,
    }
    return {name: str(int(v) if isinstance(v, bool) else v) for name, v in values.items()}


def run_program(program: Program, file: Path) -> None:
    """Run ``shapeworks optimize`` on a project or parameter file, in the folder it lies in.

    Its progress goes to the log at each tenth; versions that tell none are followed by the
    particles that they write down now and then.

    Raises:
        DataError: If it fails; quotes its last lines.
    """
    command = [program.path, "optimize", "--name", file.name]
    command += ["--progress"] if program.tells_progress else []
    last: deque[str] = deque(maxlen=15)
    tenth = -1
    with (
        _followed(None if program.tells_progress else file.parent),
        subprocess.Popen(
            command,
            cwd=file.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
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
            f"ShapeWorks ended with code {process.returncode} on {file.name}; it said:\n  {said}"
        )


@contextmanager
def _followed(folder: Path | None) -> Iterator[None]:
    """Log how many particles there are, meanwhile, below a folder."""
    if folder is None:
        yield
        return
    ended = threading.Event()

    def follow() -> None:
        told = before = 0
        while not ended.wait(FOLLOW_SECONDS):
            paths = sorted(folder.rglob("*_local.particles"))
            count = paths[0].read_bytes().count(b"\n") if paths else 0
            if told < count == before:  # twice the same: not in the midst of writing
                log.info("ShapeWorks: %d particles", count)
                told = count
            before = count

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
            target.append(read_file(path, name, particles))
    return np.stack(local), np.stack(world)


def read_file(path: Path, name: str, particles: int) -> Float[np.ndarray, "M 3"]:
    """Read one file of particles that the program wrote.

    Raises:
        DataError: If it is missing or holds another number of particles.
    """
    if not path.is_file():
        raise DataError(f"ShapeWorks wrote no particles of {name} ({path.name})")
    points = read_text(path)
    if len(points) != particles:
        raise DataError(
            f"ShapeWorks: {name} has {len(points)} particles, asked for {particles}; it "
            "makes powers of two alone: set correspond.particles to one"
        )
    return points
