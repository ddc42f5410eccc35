"""What of a run is in the middle of attention: one split, one model."""

from dataclasses import dataclass

import pandas as pd

from massm.config.evaluate import EvaluateConfig
from massm.evaluate.attrition import NO_SPLIT
from massm.report.naming import Names
from massm.report.run.sources import RunTables


@dataclass(frozen=True)
class Shown:
    """What of the run is on the page: one split, and the model that is compared with all others.

    Attributes:
        split: Its name.
        model: The model that cases and detection are shown of.
        values: The split's measures of single structures.
        summary: The split's summary.
        tests: The split's paired tests.
        attrition: What became of the split's structures, and of those in no split.
        confidence: Level of the intervals in percent, as text.
        names: What models are called, and their order.
    """

    split: str
    model: str
    values: pd.DataFrame
    summary: pd.DataFrame
    tests: pd.DataFrame
    attrition: pd.DataFrame
    confidence: str
    names: Names


def choose_shown(run: RunTables, config: EvaluateConfig, names: Names) -> Shown:
    """Choose what is shown: the test split if it was measured, and the reference model if it was.

    Otherwise the last split measured and the first model.
    """
    split = choose_split(run.values)
    models = sorted(set(run.values["model"]))
    model = config.reference_model if config.reference_model in models else models[0]
    return Shown(
        split=split,
        model=model,
        values=_of_split(run.values, split),
        summary=_of_split(run.summary, split),
        tests=_of_split(run.tests, split),
        attrition=run.attrition[run.attrition["split"].isin([split, NO_SPLIT])],
        confidence=f"{100 * config.confidence:g}",
        names=names,
    )


def choose_split(values: pd.DataFrame) -> str:
    """Choose the split to show of long tables: test if it was measured, else the last one."""
    splits = [str(split) for split in dict.fromkeys(values["split"])]
    return "test" if "test" in splits else splits[-1]


def _of_split(table: pd.DataFrame, split: str) -> pd.DataFrame:
    return table[table["split"] == split]
