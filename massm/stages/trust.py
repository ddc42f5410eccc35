"""Say what is usual of a model's predictions, by subjects that it did not learn from."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.config.models import ModelEntry
from massm.config.models.family import NetworkConfig
from massm.config.trust import AlarmConfig
from massm.geometry.boxes import box_of
from massm.geometry.particles import ParticleSet
from massm.inference.statistics import distance_modes, mahalanobis_of, standard_scores
from massm.inference.trust.evidence import Gathered, SeenAnatomy, gather
from massm.inference.trust.places import arrangement_of
from massm.inference.trust.usual import usual
from massm.io import predictions as files
from massm.io.cohort import SubjectRecord, read_subject_table
from massm.io.errors import DataError
from massm.io.images import read_scan
from massm.io.particles import load_set
from massm.io.predictions import SubjectPrediction
from massm.io.trust import write_trust
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.reconstruct.from_particles import Warp, load_warp
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


class _Known(NamedTuple):
    """What makes surface and distance of a predicted anatomy."""

    warp: Warp
    model: ShapeModel
    modes: int


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: AlarmConfig,
    *,
    name: str,
    model: ModelEntry,
    modes: int,
    results: Path,
    anatomies: list[str],
    runs: list[Path],
    split: str,
    calibration: str,
    trust: Path,
) -> None:
    """Write quantiles of all evidence and where it becomes strange; of too few subjects, nothing.

    Of each run's predictions the evidence is gathered by that run's own shape models and training
    subjects, as it will be of a new scan by those of the run itself.

    Args:
        config: How many false alarms are allowed.
        name: Name of the model.
        model: Its entry of the configuration.
        modes: Most modes of a shape model.
        results: Results folder of the run whose model it is.
        anatomies: Names, in the order of the model.
        runs: Results folders with the predictions: this run's, or those of all its folds.
        split: Which of their subjects are read; in each its model did not learn from them.
        calibration: In words, whose predictions these are.
        trust: File to write.
    """
    if not isinstance(model, NetworkConfig):
        raise ValueError(f"{model.family} is a family without training and has no model folder")
    gathered = [
        one
        for folder in runs
        for one in _gathered(_Run(folder, anatomies, modes), name, split, model.scored_world)
    ]
    places = arrangement_of(anatomies, _centers(_train(results, anatomies)))
    tables = usual(gathered, places, config.false_alarms, calibration)
    write_trust(tables, trust)
    log.info(
        "%d subjects, red from strangeness %.2f on, the scan from %.2f; amber from: scan %.2f, %s",
        *(len(gathered), tables.red, tables.scan_red, tables.scan_amber),
        ", ".join(f"{name} {at:.2f}" for name, at in zip(anatomies, tables.amber, strict=True)),
    )


class _Run:
    """A results folder, and what its training subjects say of shapes and places."""

    def __init__(self, folder: Path, anatomies: Sequence[str], modes: int) -> None:
        """Read particles and warps of its anatomies."""
        train = _train(folder, anatomies)
        self.folder = folder
        self.places = arrangement_of(anatomies, _centers(train))
        self.known = {
            name: _known(train[name], load_warp(folder / "reconstruct/warp" / f"{name}.npz"), modes)
            for name in anatomies
        }


def _gathered(run: _Run, name: str, split: str, head: str | None) -> Iterator[Gathered]:
    """Gather the evidence of a run's subjects of a split."""
    table = read_subject_table(run.folder / "dataset/subjects.tsv")
    rows = [row for row in table if row.is_used and row.split == split]
    for count, row in enumerate(rows, start=1):
        said = files.read(run.folder / "predict" / name / f"{row.subject}.npz")
        yield _evidence(row, said, run, head)
        log.info("%d/%d %s: %d anatomies", count, len(rows), row.subject, len(said.found))


def _train(folder: Path, anatomies: Sequence[str]) -> dict[str, ParticleSet]:
    """Read the particles of a run's training subjects."""
    return {
        name: load_set(folder / "correspond" / f"{name}.npz").of_split("train")
        for name in anatomies
    }


def _known(train: ParticleSet, warp: Warp, modes: int) -> _Known:
    model = fit_shape_model(train.world, modes)
    return _Known(warp, model, distance_modes(model, len(train.world)))


def _centers(train: Mapping[str, ParticleSet]) -> Float[np.ndarray, "N K 3"]:
    """Collect the centers of all training subjects; nan where an anatomy is not there."""
    names = sorted({name for own in train.values() for name in own.subjects})
    centers = np.full((len(names), len(train), 3), np.nan)
    for column, own in enumerate(train.values()):
        rows = [names.index(name) for name in own.subjects]
        centers[rows, column] = box_of(own.local)[0]
    return centers


def _evidence(row: SubjectRecord, said: SubjectPrediction, run: _Run, head: str | None) -> Gathered:
    if row.image is None:
        raise DataError(f"{row.subject} has no image; run the dataset stage again")
    found = {name: _found(said, name, run.known[name], head) for name in said.found}
    return gather(found, run.places.anatomies, read_scan(row.image).volume, run.places)


def _found(said: SubjectPrediction, anatomy: str, known: _Known, head: str | None) -> SeenAnatomy:
    local, world = said.local_of(anatomy), said.world_of(anatomy)
    scored = next(iter(world.values())) if len(world) == 1 else world.get(head or "")
    distance = None
    if scored is not None:
        distance = mahalanobis_of(standard_scores(known.model, scored, known.modes))
    return SeenAnatomy(
        score=said.score_of(anatomy),
        box=said.box(anatomy),
        local=local,
        surface=None if local is None else known.warp.surface(local),
        agreement=said.agreement_of(anatomy),
        mahalanobis=distance,
    )


if __name__ == "__main__":
    stage_main(run)
