"""What a ShapeWorks project says of its subjects: names, particles, transforms.

How subjects are found again by name: a row of the project stands for the subject that is called as
its ``name`` column says, or else as the stem of its shape, groomed or local particle file does.
Endings that ShapeWorks or a file system added are taken off one by one (``_local``, ``_world``,
``_DT``, ``_groomed``, file endings, and ``_{anatomy}``); the first of all these names that a
subject has wins. ``s0001_spleen_groomed_DT.nrrd`` is subject ``s0001`` of anatomy ``spleen``.
Upper and lower case differ.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.io.errors import DataError
from massm.io.meshes import SUFFIXES as MESHES
from massm.io.particles import read_text
from massm.io.paths import exists
from massm.io.shapeworks import (
    DOMAIN,
    read_project,
    subject_file,
    transform_matrix,
)
from massm.io.suffixes import IMAGES

_PARTICLES = "local_particles"
_NAMED_BY = ("shape", "segmentation", "mesh", "groomed", _PARTICLES)
_ENDINGS = ("_local", "_world", "_DT", "_groomed", ".particles")
_FILES = (*MESHES, ".gz", *IMAGES)  # packed or not
_YES = ("yes", "true", "1")


@dataclass(frozen=True, eq=False)
class ProjectSubject:
    """One subject of a project of one domain.

    Attributes:
        names: What it may be called, the most literal first.
        local: File of its local particles, None without.
        world: File of its world particles, None without.
        transform: Matrix that the project gives from the frame of its groomed shape to world:
            alignment, then Procrustes. None if it gives no alignment.
        fault: Why its particles cannot be taken; empty if nothing is known yet.
    """

    names: tuple[str, ...]
    local: Path | None
    world: Path | None
    transform: Float[np.ndarray, "4 4"] | None
    fault: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Its particle files."""
        return tuple(path for path in (self.local, self.world) if path is not None)

    def read(self) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
        """Read local and world particles.

        Raises:
            DataError: If they cannot be taken, or if a file is missing or damaged.
        """
        if self.fault:
            raise DataError(self.fault)
        found = []
        for kind, path in (("local", self.local), ("world", self.world)):
            if path is None or not exists(path):
                where = "names no file for them" if path is None else f"{path} does not exist"
                raise DataError(f"no {kind} particles: the project {where}")
            found.append(read_text(path))
        local, world = found
        if len(local) != len(world):
            raise DataError(f"{len(local)} local and {len(world)} world particles; optimize again")
        return local, world


def read_subjects(project: Path, anatomy: str) -> list[ProjectSubject]:
    """Read the subjects of a project, ``.swproj`` or ``.xlsx``; excluded ones are left out.

    Particles are not read yet.

    Args:
        project: The project file.
        anatomy: Its name is an ending that file names may have.

    Returns:
        Those that can be used, and those that cannot with their fault: one without a readable
        transform, or several with one particle file.

    Raises:
        DataError: If the project cannot be read, holds no particles, or those of several domains.
    """
    rows = [row for row in read_project(project).subjects if _is_included(row)]
    domain = _domain_of(project, rows)
    return _with_own_files([_subject(project, row, domain, anatomy) for row in rows])


def match_subjects(
    found: Sequence[ProjectSubject], wanted: Collection[str]
) -> dict[str, ProjectSubject]:
    """Find the subjects of a project that are wanted, by the rule at the top of this module.

    A subject that two rows of the project stand for is found with that as its fault.
    """
    matched: dict[str, ProjectSubject] = {}
    for subject in found:
        name = next((name for name in subject.names if name in wanted), None)
        if name is None:
            continue
        if name in matched:
            rows = f"{matched[name].names[0]} and {subject.names[0]}"
            fault = f"two subjects of the project are {name}: {rows}; rename one"
            matched[name] = replace(matched[name], fault=matched[name].fault or fault)
        else:
            matched[name] = subject
    return matched


def _is_included(row: dict[str, str]) -> bool:
    return row.get("excluded", "").lower() not in _YES


def _domain_of(project: Path, rows: Sequence[dict[str, str]]) -> str:
    columns = {column for row in rows for column, value in row.items() if value}
    domains = sorted(
        column.removeprefix(_PARTICLES).removeprefix("_") or DOMAIN
        for column in columns
        if column.startswith(_PARTICLES)
    )
    if not domains:
        raise DataError(f"{project} names no local particles; optimize it in ShapeWorks first")
    if len(domains) > 1:
        raise DataError(
            f"{project} holds particles of {len(domains)} domains ({', '.join(domains)}), expected "
            "one; save a project of a single domain for each anatomy"
        )
    return domains[0]


def _with_own_files(subjects: Sequence[ProjectSubject]) -> list[ProjectSubject]:
    """Mark subjects that share a particle file: it is that of one of them at most."""
    owners: dict[Path, list[str]] = {}
    for subject in subjects:
        for path in subject.files:
            owners.setdefault(path, []).append(subject.names[0])
    shared = {path: names for path, names in owners.items() if len(names) > 1}
    return [_marked(subject, shared) for subject in subjects]


def _marked(subject: ProjectSubject, shared: dict[Path, list[str]]) -> ProjectSubject:
    path = next((path for path in subject.files if path in shared), None)
    if path is None or subject.fault:
        return subject
    names = shared[path]
    shown = " and ".join([*names[:2], *(["others"] if len(names) > 2 else [])])
    fault = (
        f"{shown} have one particle file, {path.name}; ShapeWorks names it by the mesh: give each "
        "subject's mesh a file name of its own and optimize again"
    )
    return replace(subject, fault=fault)


def _subject(project: Path, row: dict[str, str], domain: str, anatomy: str) -> ProjectSubject:
    texts = [row.get("name", "")]
    for prefix in _NAMED_BY:
        path = subject_file(project, row, f"{prefix}_{domain}")
        texts.append(path.name if path else "")
    endings = (*_ENDINGS, *_FILES, f"_{anatomy}")
    names = dict.fromkeys(name for text in texts if text for name in _shortened(text, endings))
    try:
        transform, fault = _transform(row, domain), ""
    except DataError as error:
        transform, fault = None, str(error)
    return ProjectSubject(
        tuple(names) or ("a subject without name",),
        subject_file(project, row, f"{_PARTICLES}_{domain}"),
        subject_file(project, row, f"world_particles_{domain}"),
        transform,
        fault,
    )


def _transform(row: dict[str, str], domain: str) -> Float[np.ndarray, "4 4"] | None:
    alignment, procrustes = row.get(f"alignment_{domain}"), row.get(f"procrustes_{domain}")
    if not alignment:
        return None
    transform = transform_matrix(alignment)
    return transform_matrix(procrustes) @ transform if procrustes else transform


def _shortened(text: str, endings: Sequence[str]) -> Iterator[str]:
    """Give a name, then what is left of it as endings are taken off its end."""
    while text:
        yield text
        ending = next((ending for ending in endings if text.endswith(ending)), None)
        if ending is None:
            return
        text = text.removesuffix(ending)
