"""Measure how far one model's particles lie from true surfaces, for the subjects of a split."""

import logging
from pathlib import Path

import numpy as np

from massm.evaluate.prediction import read_prediction
from massm.evaluate.residuals import as_predicted, measure_residuals
from massm.evaluate.truth import read_subjects
from massm.io.cohort import read_cohort
from massm.io.particles import load_set
from massm.io.residuals import write_residuals
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    *,
    split: str,
    cohort: Path,
    groomed: list[Path],
    particles: list[Path],
    predictions: Path,
    results: Path,
    residuals: Path,
) -> None:
    """Write the distances of all particles; a split without subjects has none.

    Args:
        split: Whose.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy.
        predictions: Folder with ``{subject}.npz``.
        results: Folder that the groomed surfaces' paths are relative to.
        residuals: File to write.
    """
    there = [split] if any(row.split == split for row in read_cohort(cohort)) else []
    subjects = read_subjects(cohort, groomed, particles, results=results, splits=there)
    found = measure_residuals(
        (
            (subject, read_prediction(predictions / f"{subject.name}.npz"), as_predicted)
            for subject in subjects
            if subject.present
        ),
        [path.stem for path in particles],
        load_set(particles[0]).local.shape[1],
    )
    write_residuals(found, residuals)
    log.info(
        "%d subjects, %d anatomies, %d of them missed",
        *(len(found.subjects), np.count_nonzero(found.known), np.count_nonzero(found.missed)),
    )


if __name__ == "__main__":
    stage_main(run)
