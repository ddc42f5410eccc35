import numpy as np
import pandas as pd
import pytest

from massm.evaluate.rows import COLUMNS
from massm.evaluate.statistics import Resampling
from massm.evaluate.summary import summarize

HOW = Resampling(500, 0.95, 0)


def long(rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def pick(table, **key):
    for name, value in key.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.fixture
def values():
    rows = []
    for i, distance in enumerate([1.0, 2.0, 6.0]):
        rows.append(("massm", "local", f"s{i}", "liver", "test", "surface_mean", distance))
        rows.append(("massm", "local", f"s{i}", "heart", "test", "surface_mean", 1.0))
    for i, missed in enumerate([0, 0, 0, 1]):
        rows.append(("massm", "detection", f"s{i}", "liver", "test", "missed", missed))
    for i, (present, score) in enumerate([(1, 0.9), (1, 0.4), (0, 0.5), (0, 0.1)]):
        rows.append(("massm", "detection", f"s{i}", "liver", "test", "presence", present))
        rows.append(("massm", "detection", f"s{i}", "liver", "test", "score", score))
        rows.append(("massm", "detection", f"s{i}", "heart", "test", "presence", 1))
        rows.append(("massm", "detection", f"s{i}", "heart", "test", "score", score))
    return long(rows)


def test_means_medians_and_misses(values):
    row = pick(summarize(values, HOW), anatomy="liver", measure="surface_mean")
    assert (row["n"], row["missed"]) == (3, 1)
    assert (row["mean"], row["median"]) == (3, 2)
    assert row["sd"] == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert row["ci_low"] < 3 < row["ci_high"]
    assert row["unit"] == "mm"


def test_all_anatomies_are_taken_together(values):
    row = pick(summarize(values, HOW), anatomy="all", measure="surface_mean")
    assert (row["n"], row["mean"], row["missed"]) == (6, 2, 1)


def test_auroc_is_per_anatomy_and_says_when_there_is_one_class(values):
    table = summarize(values, HOW)
    assert pick(table, anatomy="liver", measure="presence_auroc")["mean"] == 0.75
    alone = pick(table, anatomy="heart", measure="presence_auroc")
    assert np.isnan(alone["mean"])
    assert alone["note"] == "organ present in every subject: no AUROC"


def test_scores_and_presence_are_no_results_of_their_own(values):
    assert not {"score", "presence"} & set(summarize(values, HOW)["measure"])
