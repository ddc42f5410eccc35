"""Summarize a cross-validation: how far models are from subjects that they never saw."""

import logging
from pathlib import Path

import pandas as pd

from massm.config.evaluate import ComparisonConfig
from massm.evaluate.comparison import compare
from massm.evaluate.statistics import Resampling
from massm.evaluate.summary import summarize
from massm.io.crossval import read_out_of_fold, write_out_of_fold
from massm.io.errors import DataError
from massm.io.tables import read_table, write_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: ComparisonConfig,
    *,
    measured: list[Path],
    missed: Path,
    folds: list[Path],
    models: list[str],
    bounds: list[str],
    summary: Path,
    tests: Path,
    predictions: Path,
) -> None:
    """Write one row for each measure, paired tests, and the table of all predictions.

    Args:
        config: How intervals are made and which model is compared.
        measured: ``crossval/{model}/{local,world,detection}.csv`` of every model.
        missed: ``crossval/missed.csv``: what missed anatomies cost.
        folds: ``crossval/fold_{fold}/out_of_fold.tsv`` of every fold.
        models: Those that were asked for; folds make others too, which they read.
        bounds: Models that are bounds of the comparison, no rivals.
        summary: CSV to write: n, missed, mean, median, sd and interval.
        tests: CSV to write: differences with interval and p-values.
        predictions: Table to write: the file of each model's prediction of each subject.

    Raises:
        DataError: If nothing was measured.
    """
    tables = [table for table in map(read_table, measured) if not table.empty]
    if not tables:
        raise DataError("nothing was measured: no model found any anatomy of the subjects left out")
    values, costs = pd.concat(tables, ignore_index=True), read_table(missed)
    costs = costs[costs["model"].isin(models)]
    how = Resampling(config.bootstrap_samples, config.confidence, config.seed)
    write_table(summarize(values, costs, how), summary)
    write_table(compare(values, costs, config.reference_model, how, bounds=bounds), tests)
    records = [record for path in folds for record in read_out_of_fold(path)]
    write_out_of_fold(records, predictions)
    log.info(
        "%d predictions of %d subjects, each out of its fold",
        len(records),
        len({record.subject for record in records}),
    )


if __name__ == "__main__":
    stage_main(run)
