"""From the groomed surfaces of a population to its shape model and everyone's particles."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from massm.config.correspond import CorrespondConfig
from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.pdm.backend import BACKENDS
from massm.pdm.context import PopulationContext
from massm.pdm.correspondence import Correspondence
from massm.pdm.groomed import GroomedShapes, Member
from massm.pdm.population import Population
from massm.pdm.summary import fixed_quality, subject_rows, training_quality

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PopulationModel:
    """A frozen shape model, how good it is, and the particles that it was made of or fitted to.

    Attributes:
        population: What it was made of.
        training: Particles of the training shapes.
        others: Particles of all others.
        model: The frozen model as named arrays, for a file.
        quality: Measures by name, lengths in mm.
        curves: Table ``measure, modes, value``.
    """

    population: Population
    training: Correspondence
    others: Correspondence
    model: dict[str, np.ndarray]
    quality: dict[str, float | int]
    curves: pd.DataFrame

    def particles(self, member: Member) -> ParticleSet:
        """Give the particles of one anatomy: training subjects first, then all others."""
        sets = [_particles(found, shapes) for found, shapes in self._parts(member)]
        return ParticleSet(
            tuple(name for part in sets for name in part.subjects),
            tuple(split for part in sets for split in part.splits),
            np.concatenate([part.local for part in sets]),
            np.concatenate([part.world for part in sets]),
            np.concatenate([part.transforms for part in sets]),
        )

    def subjects(self, member: Member) -> pd.DataFrame:
        """Give a row for each subject of one anatomy: what was found, or why it was left out."""
        tables = [_rows(found, shapes) for found, shapes in self._parts(member)]
        return pd.concat([table for table in tables if len(table)], ignore_index=True)

    def _parts(self, member: Member) -> list[tuple[Correspondence, GroomedShapes]]:
        training = self.population.of(self.training, member.anatomy)
        others = self.population.of(self.others, member.anatomy)
        return [(training, member.training), (others, member.others)]


def model_population(
    config: CorrespondConfig,
    population: Population,
    *,
    project: Path | None = None,
    checkpoint: Path | None = None,
) -> PopulationModel:
    """Place particles on the training shapes, then on all others, and measure the model.

    Args:
        config: Engine and its settings.
        population: The surfaces.
        project: ShapeWorks project whose particles are taken, of backend ``project``.
        checkpoint: Folder for the state of a run that may be cut off.

    Raises:
        DataError: If too few training surfaces can be used; names the anatomies.
    """
    training, others = population.training, population.others
    context = PopulationContext(
        population.title, training.alignments | others.alignments, project, checkpoint
    )
    torch.set_num_threads(config.threads)
    with threadpool_limits(config.threads):
        backend = BACKENDS[config.backend](config, context)
        try:
            trained = backend.optimize(training.surfaces, training.names)
        except ValueError as error:
            raise DataError(f"{population.title}: {error}") from error
        fitted = backend.fit(others.surfaces, others.names)
        surfaces, groups = training.surfaces_of(trained.names), population.groups(trained.names)
        quality, curves = training_quality(trained, surfaces, groups)
        quality |= fixed_quality(trained, fitted, others.surfaces_of(fitted.names))
    return PopulationModel(population, trained, fitted, backend.arrays(), quality, curves)


def _particles(found: Correspondence, shapes: GroomedShapes) -> ParticleSet:
    local, transforms = np.empty_like(found.particles), np.empty_like(found.procrustes)
    for row, name in enumerate(found.names):
        alignment = shapes.alignments[name]
        local[row] = apply_transform(invert_transform(alignment), found.particles[row])
        transforms[row] = found.procrustes[row] @ alignment
    splits = tuple(shapes.splits[name] for name in found.names)
    return ParticleSet(found.names, splits, local, found.world, transforms)


def _rows(found: Correspondence, shapes: GroomedShapes) -> pd.DataFrame:
    log.info("%d subjects placed in %.1f s", len(found.names), found.diagnostics.seconds.sum())
    table = subject_rows(found, [shapes.splits[name] for name in found.names])
    return table.assign(split=table.subject.map(shapes.splits))
