"""Measure how one model finds anatomies: centers, boxes, misses, false positives."""

import logging
from pathlib import Path

from massm.config.evaluate import DetectionMeasuresConfig
from massm.evaluate.detection import box_measures, presence_measures
from massm.evaluate.prediction import read_prediction
from massm.evaluate.rows import DETECTION, MeasureRow, rows_of, to_table
from massm.evaluate.truth import TrueAnatomy, read_subjects
from massm.io.predictions import SubjectPrediction
from massm.io.tables import write_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: DetectionMeasuresConfig,
    *,
    model: str,
    cohort: Path,
    groomed: list[Path],
    particles: list[Path],
    predictions: Path,
    results: Path,
    table: Path,
) -> None:
    """Measure every anatomy whose presence is known, and write the long table.

    Args:
        config: What to measure.
        model: Name of the model, for the table.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        particles: ``correspond/{anatomy}.npz`` of every anatomy; true boxes are their boxes.
        predictions: Folder with ``{subject}.npz``.
        results: Folder that the groomed surfaces' paths are relative to.
        table: CSV to write.
    """
    subjects = read_subjects(cohort, groomed, particles, results=results, splits=config.splits)
    rows: list[MeasureRow] = []
    for subject in subjects:
        path = predictions / f"{subject.name}.npz"
        if not subject.present and not path.is_file():
            log.info("%s has none of the anatomies and no prediction: left out", subject.name)
            continue
        prediction = read_prediction(path)
        for anatomy in subject.known:
            measures = _measure(anatomy, prediction, config)
            rows += rows_of(model, DETECTION, subject.name, anatomy.name, subject.split, measures)
    write_table(to_table(rows), table)
    for name in ("missed", "false_positive"):
        values = [row.value for row in rows if row.measure == name]
        log.info("%s: %s %d of %d", model, name.replace("_", " "), sum(values), len(values))


def _measure(
    anatomy: TrueAnatomy, prediction: SubjectPrediction, config: DetectionMeasuresConfig
) -> dict[str, float]:
    found, present = prediction.is_present(anatomy.name), bool(anatomy.present)
    measures = presence_measures(found=found, present=present)
    if present and anatomy.particles is not None and prediction.boxes is not None:
        box = prediction.box(anatomy.name)
        measures |= box_measures(box, anatomy.particles.box, within_mm=config.center_within_mm)
    return measures | {"score": prediction.score_of(anatomy.name)}


if __name__ == "__main__":
    stage_main(run)
