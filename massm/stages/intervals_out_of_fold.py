"""Measure how far particles that were predicted out of fold lie from true surfaces."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from massm.config.reconstruct import ReconstructConfig
from massm.evaluate.out_of_fold import carried_to
from massm.evaluate.prediction import read_prediction
from massm.evaluate.residuals import Place, measure_residuals
from massm.evaluate.truth import TrueSubject, read_subjects
from massm.io.cohort import read_cohort
from massm.io.crossval import OutOfFoldRecord, read_out_of_fold
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.particles import load_set
from massm.io.predictions import SubjectPrediction
from massm.io.residuals import write_residuals
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_SPLITS = ("train", "validation")


def run(
    config: ReconstructConfig,
    *,
    model: str,
    folds: list[Path],
    cohort: Path,
    groomed: list[Path],
    particles: list[Path],
    results: Path,
    residuals: Path,
) -> None:
    """Write the distances of all particles of all training and validation subjects.

    Args:
        config: Smoothing of the warp that carries particles of a fold to those of the run.
        model: Name of the model.
        folds: ``crossval/fold_{fold}/out_of_fold.tsv``; beside each lies the run of its fold.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy.
        results: Folder that paths in tables are relative to.
        residuals: File to write.

    Raises:
        DataError: If no fold predicted by the model.
    """
    anatomies = [path.stem for path in particles]
    splits = {row.split for row in read_cohort(cohort)}
    subjects = {
        one.name: one
        for one in read_subjects(
            *(cohort, groomed, particles),
            results=results,
            splits=[split for split in _SPLITS if split in splits],
        )
    }

    def predicted() -> Iterator[tuple[TrueSubject, SubjectPrediction, Place]]:
        for path in folds:
            own = [one for one in read_out_of_fold(path) if one.model == model]
            place = _place(config, path.parent, particles)
            for record in _of(own, subjects):
                yield subjects[record.subject], read_prediction(results / record.prediction), place

    found = measure_residuals(predicted(), anatomies, load_set(particles[0]).local.shape[1])
    if not found.subjects:
        raise DataError(f"no fold was predicted by {model}; run snakemake crossval again")
    write_residuals(found, residuals)
    log.info(
        "%d subjects out of %d folds, %d anatomies, %d of them missed",
        *(len(found.subjects), len(folds)),
        *(np.count_nonzero(found.known), np.count_nonzero(found.missed)),
    )


def _of(
    records: list[OutOfFoldRecord], subjects: dict[str, TrueSubject]
) -> Iterator[OutOfFoldRecord]:
    """Yield those of subjects that have an anatomy."""
    return (one for one in records if subjects[one.subject].present)


def _place(config: ReconstructConfig, fold: Path, particles: list[Path]) -> Place:
    """Say how the particles of a fold's models become those of the run."""
    weights = {}
    for path in particles:
        medoid = read_json(fold / "template" / f"{path.stem}.json", "subject")["subject"]
        weights[path.stem] = carried_to(
            *(load_set(path), load_set(fold / "correspond" / path.name), str(medoid)),
            regularization_mm=config.regularization_mm,
        )
    return lambda anatomy, found: np.asarray(weights[anatomy] @ found)


if __name__ == "__main__":
    stage_main(run)
