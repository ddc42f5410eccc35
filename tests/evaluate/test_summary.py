import numpy as np
import pandas as pd
import pytest

from massm.evaluate.rows import COLUMNS
from massm.evaluate.statistics import Resampling
from massm.evaluate.summary import summarize

HOW = Resampling(500, 0.95, 0)
NONE = pd.DataFrame(columns=COLUMNS)  # no organ was missed, or its cost is not known


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
    row = pick(
        summarize(values, NONE, HOW), anatomy="liver", measure="surface_mean", counting="found"
    )
    assert (row["n"], row["missed"]) == (3, 1)
    assert (row["mean"], row["median"]) == (3, 2)
    assert row["sd"] == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert row["ci_low"] < 3 < row["ci_high"]
    assert row["unit"] == "mm"


def test_all_anatomies_are_averaged_within_a_subject_first(values):
    chosen = (values["subject"] != "s2") | (values["anatomy"] != "heart")
    table = summarize(values[chosen], NONE, HOW)
    row = pick(table, scope="all", measure="surface_mean", counting="found")
    means = [1, 1.5, 6]  # the last subject's single organ counts as much as two of another
    assert (row["anatomy"], row["n"], row["subjects"], row["missed"]) == ("", 5, 3, 1)
    assert (row["mean"], row["median"]) == pytest.approx((np.mean(means), np.median(means)))
    assert row["sd"] == pytest.approx(np.std(means, ddof=1))


def test_an_anatomy_called_all_stays_one_of_several(values):
    renamed = values.replace({"anatomy": {"liver": "all"}})
    table = summarize(renamed, NONE, HOW)
    measured = table[(table["measure"] == "surface_mean") & (table["counting"] == "found")]
    means = {(row.scope, row.anatomy): row.mean for row in measured.itertuples()}
    assert means == {("anatomy", "all"): 3, ("anatomy", "heart"): 1, ("all", ""): 2}
    expected = summarize(values, NONE, HOW)
    assert len(table) == len(expected)
    assert pick(table, anatomy="all", measure="presence_auroc")["mean"] == 0.75


def test_missed_organs_are_counted_at_their_cost_in_rows_of_their_own(values):
    cost = long([("massm", "local", "s3", "liver", "test", "surface_mean", 91.0)])
    table = summarize(values, cost, HOW)
    liver = {"anatomy": "liver", "measure": "surface_mean"}
    found, counted = (pick(table, **liver, counting=how) for how in ("found", "with_missed"))
    assert (found["n"], found["missed"], found["mean"]) == (3, 1, 3)
    assert (counted["n"], counted["missed"], counted["mean"]) == (4, 1, 25)
    assert counted["ci_low"] == 0  # Student's t would reach below, which no distance can
    heart = {"anatomy": "heart", "measure": "surface_mean"}
    assert pick(table, **heart, counting="with_missed")["n"] == 3


def test_what_a_missed_organ_costs_nothing_in_is_counted_once(values):
    rows = [
        ("massm", "local", name, "liver", "test", measure, 2.0)
        for name in ("s0", "s1")
        for measure in ("surface_mean_raw", "surface_mean", "span_distance")
    ]
    cost = long([("massm", "local", "s3", "liver", "test", "surface_mean", 91.0)])
    table = summarize(long(rows), cost, HOW)
    counted = table[table["counting"] == "with_missed"]
    assert set(counted["measure"]) == {"surface_mean"}


def test_a_rate_has_an_exact_interval_and_counts_organs_of_known_presence(values):
    row = pick(summarize(values, NONE, HOW), anatomy="liver", measure="missed")
    assert (row["n"], row["mean"], row["counting"], row["interval"]) == (4, 0.25, "known", "exact")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.0063, 0.8059), abs=1e-4)


def test_few_subjects_are_said(values):
    row = pick(
        summarize(values, NONE, HOW), anatomy="heart", measure="surface_mean", counting="found"
    )
    assert (row["interval"], row["note"]) == ("t", "fewer than 15 subjects: Student's t")


def test_auroc_is_per_anatomy_and_says_when_there_is_one_class(values):
    table = summarize(values, NONE, HOW)
    row = pick(table, anatomy="liver", measure="presence_auroc")
    assert (row["mean"], row["note"], row["interval"]) == (0.75, "2 present, 2 absent", "newcombe")
    assert 0 < row["ci_low"] < 0.75 < row["ci_high"] < 1
    alone = pick(table, anatomy="heart", measure="presence_auroc")
    assert np.isnan(alone["mean"])
    assert alone["note"] == "anatomy present in every subject: no AUROC"


def test_scores_and_presence_are_no_results_of_their_own(values):
    assert not {"score", "presence"} & set(summarize(values, NONE, HOW)["measure"])
