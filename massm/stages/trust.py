"""Say what is usual of a model's predictions, by the subjects of the validation split."""

import logging
from collections.abc import Mapping
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
from massm.inference.trust.places import Arrangement, arrangement_of
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
    model: ModelEntry,
    modes: int,
    subjects: Path,
    predictions: Path,
    particles: list[Path],
    warps: list[Path],
    calibration: str,
    trust: Path,
) -> None:
    """Write quantiles of all evidence and where it becomes strange; of too few subjects, nothing.

    Args:
        config: How many false alarms are allowed.
        model: Its entry of the configuration.
        modes: Most modes of a shape model.
        subjects: ``dataset/subjects.tsv``.
        predictions: Folder ``predict/{model}`` with ``{subject}.npz``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy, in the order of the model.
        warps: ``reconstruct/warp/{anatomy}.npz`` of the same.
        calibration: In words, whose predictions these are.
        trust: File to write.
    """
    if not isinstance(model, NetworkConfig):
        raise ValueError(f"{model.family} is a family without training and has no model folder")
    anatomies = [path.stem for path in particles]
    train = {path.stem: load_set(path).of_split("train") for path in particles}
    known = {
        name: _known(train[name], load_warp(warp), modes)
        for name, warp in zip(anatomies, warps, strict=True)
    }
    places = arrangement_of(anatomies, _centers(train))
    held_back = [
        row for row in read_subject_table(subjects) if row.is_used and row.split == "validation"
    ]
    gathered = []
    for count, row in enumerate(held_back, start=1):
        said = files.read(predictions / f"{row.subject}.npz")
        gathered.append(_evidence(row, said, known, places, model.scored_world))
        log.info("%d/%d %s: %d anatomies", count, len(held_back), row.subject, len(said.found))
    tables = usual(gathered, places, config.false_alarms, calibration)
    write_trust(tables, trust)
    log.info(
        "%d subjects, red from strangeness %.2f on, the scan from %.2f; amber from: scan %.2f, %s",
        *(len(gathered), tables.red, tables.scan_red, tables.scan_amber),
        ", ".join(f"{name} {at:.2f}" for name, at in zip(anatomies, tables.amber, strict=True)),
    )


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


def _evidence(
    row: SubjectRecord,
    said: SubjectPrediction,
    known: Mapping[str, _Known],
    places: Arrangement,
    head: str | None,
) -> Gathered:
    if row.image is None:
        raise DataError(f"{row.subject} has no image; run the dataset stage again")
    found = {name: _found(said, name, known[name], head) for name in said.found}
    return gather(found, places.anatomies, read_scan(row.image).volume, places)


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
