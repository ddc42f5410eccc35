"""Particles: ShapeWorks' text files, and one ``.npz`` for a population."""

import math
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from massm.geometry.particles import ParticleSet
from massm.io.atomic import replacing
from massm.io.errors import DataError


def write_text(points: Float[np.ndarray, "M 3"], path: Path) -> None:
    """Write particles as ShapeWorks does: one ``x y z`` a line, no header."""
    with replacing(Path(path)) as temporary:
        np.savetxt(temporary, points, fmt="%.9g")


def read_text(path: Path) -> Float[np.ndarray, "M 3"]:
    """Read a ``.particles`` file.

    Raises:
        DataError: If a line is not three finite numbers.
    """
    try:
        points = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: not a particle file, three numbers a line ({error})") from error
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
        DataError: If the file is damaged or not a particle set.
    """
    arrays = load_arrays(path)
    try:
        return ParticleSet(
            tuple(str(name) for name in arrays["subjects"]),
            tuple(str(name) for name in arrays["splits"]),
            arrays["local"],
            arrays["world"],
            arrays["transforms"],
        )
    except KeyError as error:
        raise DataError(f"{path} has no array {error}: not a particle set") from error


def load_subjects(path: Path, subjects: Collection[str]) -> ParticleSet:
    """Read the rows of some subjects; those of the others pass by without staying in memory.

    Raises:
        DataError: If the file is damaged or not a particle set.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [str(name) for name in _rows(archive, "subjects")]
            rows = [row for row, name in enumerate(names) if name in subjects]
            splits = _rows(archive, "splits", rows)
            return ParticleSet(
                tuple(names[row] for row in rows),
                tuple(str(split) for split in splits),
                *(_rows(archive, name, rows) for name in ("local", "world", "transforms")),
            )
    except KeyError as error:
        raise DataError(f"{path} lacks an array ({error}): not a particle set") from error
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}); run its stage again") from error


def _rows(archive: zipfile.ZipFile, name: str, rows: Collection[int] | None = None) -> np.ndarray:
    """Read some rows of an array, or all, one after the other."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
        if is_fortran or dtype.hasobject:
            raise ValueError(f"array {name} is not stored row by row")
        wanted = set(range(shape[0]) if rows is None else rows)
        size = dtype.itemsize * math.prod(shape[1:])
        kept = np.empty((len(wanted), *shape[1:]), dtype)
        place = 0
        for row in range(shape[0]):
            block = file.read(size)
            if len(block) < size:
                raise EOFError(f"array {name} ends early")
            if row in wanted:
                kept[place] = np.frombuffer(block, dtype).reshape(shape[1:])
                place += 1
        return kept


def save_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write named arrays as ``.npz``, whole or not at all."""
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz``; never unpickles.

    Raises:
        DataError: If the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}); run its stage again") from error
