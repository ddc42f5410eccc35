"""Measure how one model finds organs: centers, boxes, misses, false positives."""

import logging
from pathlib import Path

from massm.config.evaluate import DetectionMeasuresConfig
from massm.evaluate.detection import box_measures, presence_measures
from massm.evaluate.prediction import read_prediction
from massm.evaluate.rows import DETECTION, Row, rows_of, to_table
from massm.evaluate.truth import Organ, read_subjects
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
    """Measure every organ whose presence is known, and write the long table.

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
    rows: list[Row] = []
    for subject in subjects:
        path = predictions / f"{subject.name}.npz"
        if not subject.present and not path.is_file():
            log.info("%s has none of the organs and no prediction: left out", subject.name)
            continue
        prediction = read_prediction(path)
        for organ in subject.known:
            measures = _measure(organ, prediction, config)
            rows += rows_of(model, DETECTION, subject.name, organ.anatomy, subject.split, measures)
    write_table(to_table(rows), table)
    for name in ("missed", "false_positive"):
        values = [row[-1] for row in rows if row[5] == name]
        log.info("%s: %s %d of %d organs", model, name.replace("_", " "), sum(values), len(values))


def _measure(
    organ: Organ, prediction: SubjectPrediction, config: DetectionMeasuresConfig
) -> dict[str, float]:
    found, present = prediction.is_present(organ.anatomy), bool(organ.present)
    measures = presence_measures(found=found, present=present)
    if present and organ.particles is not None and prediction.boxes is not None:
        box = prediction.box(organ.anatomy)
        measures |= box_measures(box, organ.particles.box, within_mm=config.center_within_mm)
    return measures | {"score": prediction.score_of(organ.anatomy)}


if __name__ == "__main__":
    stage_main(run)
