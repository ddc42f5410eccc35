"""Particles of one anatomy: groomed, aligned surfaces in, particles in correspondence out."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from massm.config.correspond import CorrespondConfig
from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays, save_set, write_texts
from massm.io.shapes import refuse_other_shapes
from massm.io.tables import read_table, write_table
from massm.pdm.backend import BACKENDS, Backend
from massm.pdm.fit import Fit
from massm.pdm.origin import Origin
from massm.pdm.quality import material_error
from massm.pdm.shapeworks.studio import write_studio_project
from massm.pdm.summary import fixed_quality, subject_rows, training_quality
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


class Subjects(NamedTuple):
    """Subjects of the training split, or of all others."""

    names: list[str]
    splits: dict[str, str]
    files: dict[str, Path]
    surfaces: list[Mesh]
    alignments: dict[str, np.ndarray]

    def surfaces_of(self, fit: Fit) -> list[Mesh]:
        """Take the surfaces of those that could be fitted."""
        return [self.surfaces[self.names.index(name)] for name in fit.names]


Parts = tuple[Subjects, Subjects]
"""Subjects of the training split, and all others."""


class Measured(NamedTuple):
    """A frozen model, and how good it is."""

    model: dict[str, np.ndarray]
    values: dict[str, float | int]
    curves: pd.DataFrame


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: CorrespondConfig,
    *,
    anatomy: str,
    index: list[Path],
    alignment: Path,
    results: Path,
    particles: Path,
    folder: Path,
    project: Path | None = None,
    truth: Path | None = None,
) -> None:
    """Optimize the training subjects, then fit all others to the frozen model.

    Args:
        config: Engine and its settings.
        anatomy: Which organ.
        index: Tables of the groomed batches.
        alignment: ``groom/alignment/{anatomy}.json``.
        results: Folder that the tables' paths start from.
        particles: The particle set to write.
        folder: For text particles, the model, the tables of quality, and ``{anatomy}.swproj``, a
            project of ShapeWorks Studio that shows them all.
        project: ShapeWorks project whose particles are taken, of backend ``project``.
        truth: Folder ``{subject}/{anatomy}.npz`` of known material points, of a phantom.
    """
    parts = read_subjects(anatomy, index, alignment, results)
    if not parts[0].names:
        raise DataError(f"{anatomy}: no training subject has a groomed and aligned surface")
    alignments = parts[0].alignments | parts[1].alignments
    origin = Origin(anatomy, alignments, project, folder / "checkpoint")
    fits, measured = place(config, origin, parts)
    write_results(anatomy, fits, parts, measured, particles, folder, truth)


def place(
    config: CorrespondConfig,
    origin: Origin,
    parts: Parts,
    groups: Mapping[str, str] | None = None,
) -> tuple[tuple[Fit, Fit], Measured]:
    """Place particles on the training subjects, then on all others, and measure the model.

    Args:
        config: Engine and its settings.
        origin: Where the surfaces come from.
        parts: The surfaces.
        groups: Group of each training subject, of shapes that are left out together.
    """
    torch.set_num_threads(config.threads)
    with threadpool_limits(config.threads):
        backend = BACKENDS[config.backend](config, origin)
        fits = _fitted(backend, origin.anatomy, parts)
        together = None if groups is None else [groups[name] for name in fits[0].names]
        values, curves = training_quality(fits[0], parts[0].surfaces_of(fits[0]), together)
        values |= fixed_quality(*fits, parts[1].surfaces_of(fits[1]))
    return fits, Measured(backend.arrays(), values, curves)


def write_results(
    anatomy: str,
    fits: tuple[Fit, Fit],
    parts: Parts,
    measured: Measured,
    particles: Path,
    folder: Path,
    truth: Path | None,
) -> None:
    """Write all files of one anatomy: see :func:`run`."""
    population = _together(fits, parts)
    values = measured.values
    if truth is not None:
        values = values | _error_against_truth(population, anatomy, truth)
    log.info("%s: %s", anatomy, ", ".join(f"{k} {v:.4g}" for k, v in values.items()))
    files, alignments = parts[0].files | parts[1].files, parts[0].alignments | parts[1].alignments
    write_texts(population, folder / "particles")
    write_studio_project(
        folder / f"{anatomy}.swproj", population, files, alignments, folder / "particles"
    )
    save_arrays(measured.model, folder / "model.npz")
    write_table(_table(fits, parts), folder / "particles.csv")
    write_table(measured.curves, folder / "curves.csv")
    write_json({"anatomy": anatomy, **values}, folder / "quality.json")
    save_set(population, particles)


def _fitted(backend: Backend, anatomy: str, parts: Parts) -> tuple[Fit, Fit]:
    training, others = parts
    try:
        trained = backend.optimize(training.surfaces, training.names)
    except ValueError as error:
        raise DataError(f"{anatomy}: {error}") from error
    return trained, backend.fit(others.surfaces, others.names)


def read_subjects(anatomy: str, index: list[Path], alignment: Path, results: Path) -> Parts:
    """Read the groomed surfaces of one anatomy, in its aligned frame."""
    table = pd.concat([read_table(path) for path in index], ignore_index=True)
    rows = table[(table.anatomy == anatomy) & (table.status == "groomed")].sort_values("subject")
    transforms = read_json(alignment, "transforms")["transforms"]
    parts = (Subjects([], {}, {}, [], {}), Subjects([], {}, {}, [], {}))
    for row in rows.to_dict("records"):
        name = row["subject"]
        if name not in transforms:
            log.warning("%s: %s was not aligned and is left out", anatomy, name)
            continue
        part = parts[0] if row["split"] == "train" else parts[1]
        matrix = np.array(transforms[name], float).reshape(4, 4)
        part.names.append(name)
        part.splits[name] = row["split"]
        part.alignments[name] = matrix
        part.files[name] = results / row["surface"]
        part.surfaces.append(meshes.read(part.files[name]).transformed(matrix))
    return parts


def _together(fits: tuple[Fit, ...], parts: Parts) -> ParticleSet:
    subjects, splits, local, transforms = [], [], [], []
    for fit, part in zip(fits, parts, strict=True):
        for row, name in enumerate(fit.names):
            subjects.append(name)
            splits.append(part.splits[name])
            local.append(
                apply_transform(invert_transform(part.alignments[name]), fit.particles[row])
            )
            transforms.append(fit.procrustes[row] @ part.alignments[name])
    world = np.concatenate([fit.world for fit in fits])
    return ParticleSet(tuple(subjects), tuple(splits), np.stack(local), world, np.stack(transforms))


def _error_against_truth(population: ParticleSet, anatomy: str, truth: Path) -> dict[str, float]:
    files = {name: truth / name / f"{anatomy}.npz" for name in population.subjects}
    known = [row for row, name in enumerate(population.subjects) if files[name].is_file()]
    if len(known) < len(files):
        log.warning("%s: no truth for %d subjects", anatomy, len(files) - len(known))
    if not known:
        return {}
    part = population.take(known)
    points = np.stack([_material_points(files[name]) for name in part.subjects])
    error = material_error(part.local, points)
    is_training = np.array([split == "train" for split in part.splits])
    values = {}
    for prefix, rows in (("", is_training), ("fixed_", ~is_training)):
        if rows.any():
            values[f"{prefix}truth_error_mean"] = float(error[rows].mean())
            values[f"{prefix}truth_error_95"] = float(np.percentile(error[rows], 95))
    return values


def _table(fits: tuple[Fit, ...], parts: Parts) -> pd.DataFrame:
    tables = []
    for fit, part in zip(fits, parts, strict=True):
        log.info("%d subjects placed in %.1f s", len(fit.names), fit.diagnostics.seconds.sum())
        table = subject_rows(fit, [part.splits[name] for name in fit.names])
        tables.append(table.assign(split=table.subject.map(part.splits)))
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def _material_points(path: Path) -> Float[np.ndarray, "P 3"]:
    arrays = load_arrays(path)
    refuse_other_shapes(arrays, {"points": "P 3"}, path, "make the phantom cohort anew")
    return arrays["points"]


if __name__ == "__main__":
    stage_main(run)
