"""Measure how radii keep their promise, on subjects that chose none of them."""

import logging
from pathlib import Path

import pandas as pd

from massm.config.evaluate import ComparisonConfig
from massm.evaluate.coverage import coverage_table
from massm.evaluate.statistics import Resampling
from massm.io.intervals import read_intervals
from massm.io.residuals import read_residuals
from massm.io.tables import write_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: ComparisonConfig,
    *,
    split: str,
    models: list[str],
    intervals: list[Path],
    calibration: list[Path],
    measured: list[Path],
    table: Path,
) -> None:
    """Write one row for each model, anatomy, statement and level.

    Args:
        config: How intervals are made.
        split: Of the subjects that are measured.
        models: Names of the models.
        intervals: ``intervals/{model}/intervals.npz`` of each.
        calibration: Residuals that radii are chosen from, of each.
        measured: Residuals of the split, of each.
        table: CSV to write.
    """
    how = Resampling(config.bootstrap_samples, config.confidence, config.seed)
    tables = [
        coverage_table(
            *(name, split, read_residuals(chosen), read_residuals(others)),
            *(read_intervals(stated), how),
        )
        for name, stated, chosen, others in zip(
            models, intervals, calibration, measured, strict=True
        )
    ]
    found = pd.concat(tables, ignore_index=True)
    write_table(found, table)
    for row in found[found["stated"] & (found["scope"] == "all")].itertuples():
        log.info(
            "%s, %s: %.3f of %d structures, promised %.3g",
            *(row.model, row.measure, row.covered, row.n, row.level),
        )


if __name__ == "__main__":
    stage_main(run)
