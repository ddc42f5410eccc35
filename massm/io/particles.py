"""Particles: ShapeWorks' text files, and one ``.npz`` for a population."""

import io
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from massm.geometry.particles import ParticleSet
from massm.io import archives, text
from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError

_NUMBERS = ("local", "world", "transforms")
_ARRAYS = ("subjects", "splits", *_NUMBERS)


def write_text(points: Float[np.ndarray, "M 3"], path: Path) -> None:
    """Write particles as ShapeWorks does: one ``x y z`` a line, no header."""
    with replacing(Path(path)) as temporary:
        np.savetxt(temporary, points, fmt="%.9g")


def read_text(path: Path) -> Float[np.ndarray, "M 3"]:
    """Read a ``.particles`` file.

    Raises:
        DataError: If a line is not three finite numbers.
    """
    with named(path, "not a particle file, three numbers a line", "make it anew"):
        points = np.loadtxt(io.StringIO(text.read_text(path)), ndmin=2)
    if points.ndim != 2 or points.shape[1:] != (3,) or not np.isfinite(points).all():
        raise DataError(f"{path}: expected three finite numbers a line, found {points.shape}")
    return points


def text_file(folder: Path, subject: str, kind: Literal["local", "world"]) -> Path:
    """Name the text file of a subject's particles as ShapeWorks does."""
    return folder / f"{subject}_{kind}.particles"


def write_texts(particles: ParticleSet, folder: Path) -> None:
    """Write local and world particles of all subjects as text."""
    for row, name in enumerate(particles.subjects):
        write_text(particles.local[row], text_file(folder, name, "local"))
        write_text(particles.world[row], text_file(folder, name, "world"))


def save_set(particles: ParticleSet, path: Path) -> None:
    """Write a particle set, whole or not at all."""
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            subjects=np.array(particles.subjects, dtype=np.str_),
            splits=np.array(particles.splits, dtype=np.str_),
            # row by row, for load_subjects
            local=np.ascontiguousarray(particles.local),
            world=np.ascontiguousarray(particles.world),
            transforms=np.ascontiguousarray(particles.transforms),
        )


def load_set(path: Path) -> ParticleSet:
    """Read a particle set.

    Raises:
        DataError: If the file is damaged, not a particle set, or its arrays do not belong together.
    """
    return _as_set(load_arrays(path), path)


def load_subjects(path: Path, subjects: Collection[str]) -> ParticleSet:
    """Read the rows of some subjects; those of the others pass by without staying in memory.

    Raises:
        DataError: If the file is damaged, not a particle set, or its arrays do not belong together.
    """
    with archives.opened(path) as archive:
        held = archives.names(archive)
        _refuse_without(held, path)
        names = [str(name) for name in archives.read(archive, "subjects")]
        rows = [row for row, name in enumerate(names) if name in subjects]
        arrays = {name: archives.read(archive, name, rows, len(names)) for name in _ARRAYS[1:]}
    arrays["subjects"] = np.array([names[row] for row in rows], dtype=np.str_)
    return _as_set(arrays, path)


def _as_set(arrays: dict[str, np.ndarray], path: Path) -> ParticleSet:
    _refuse_without(arrays, path)
    with named(path, "not a particle set", archives.ADVICE):
        found = ParticleSet(
            tuple(str(name) for name in arrays["subjects"]),
            tuple(str(name) for name in arrays["splits"]),
            *(arrays[name] for name in _NUMBERS),
        )
    for name in _NUMBERS:
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise DataError(
                f"{path}: {name} holds what is no finite number ({arrays[name].dtype}); "
                f"{archives.ADVICE}"
            )
    return found


def _refuse_without(held: Collection[str], path: Path) -> None:
    missing = [name for name in _ARRAYS if name not in held]
    if missing:
        raise DataError(
            f"{path} lacks an array ({', '.join(missing)}): not a particle set; {archives.ADVICE}"
        )


def save_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write named arrays as ``.npz``, whole or not at all."""
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz``; never unpickles.

    Raises:
        DataError: If the file is damaged.
    """
    with archives.opened(path) as archive:
        return {name: archives.read(archive, name) for name in archives.names(archive)}
