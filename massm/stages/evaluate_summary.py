"""Summarize the measures of all models, compare the models, and try claims about them."""

import logging
from pathlib import Path

import pandas as pd

from massm.config.evaluate import ComparisonConfig
from massm.evaluate.attrition import count_anatomies
from massm.evaluate.claims import try_claims
from massm.evaluate.comparison import compare
from massm.evaluate.statistics import Resampling
from massm.evaluate.summary import summarize
from massm.io.cohort import read_cohort, read_groomed
from massm.io.errors import DataError
from massm.io.tables import read_table, write_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: ComparisonConfig,
    *,
    measured: list[Path],
    missed: Path,
    cohort: Path,
    groomed: list[Path],
    summary: Path,
    tests: Path,
    claims: Path,
    anatomies: Path,
    bounds: list[str],
) -> None:
    """Read the long tables of all models; write one row per measure, paired tests and claims.

    Args:
        config: How intervals are made and which model is compared.
        measured: ``evaluate/{model}/{local,world,detection}.csv`` of every model.
        missed: ``evaluate/missed.csv``: what missed anatomies cost.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        summary: CSV to write: n, missed, mean, median, sd and interval.
        tests: CSV to write: differences with interval and p-values.
        claims: CSV to write: each claim of the configuration, held or not.
        anatomies: CSV to write: of how many subjects each was excluded, missed and measured.
        bounds: Models that are bounds of the comparison, no rivals.
    """
    tables = [table for table in map(read_table, measured) if not table.empty]
    if not tables:
        raise DataError("nothing was measured: no model found any anatomy of the evaluated splits")
    values = pd.concat(tables, ignore_index=True)
    costs = read_table(missed)
    how = Resampling(config.bootstrap_samples, config.confidence, config.seed)
    summarized = summarize(values, costs, how)
    compared = compare(values, costs, config.reference_model, how, bounds=bounds)
    tried = try_claims(values, costs, config.claims, how, bounds=bounds)
    fates = count_anatomies(read_cohort(cohort), read_groomed(groomed), values)
    write_table(summarized, summary)
    write_table(compared, tests)
    write_table(tried, claims)
    write_table(fates, anatomies)
    log.info(
        "%d models, %d summary rows, %d paired tests",
        values["model"].nunique(),
        len(summarized),
        len(compared),
    )


if __name__ == "__main__":
    stage_main(run)
