import numpy as np
import pandas as pd
import pytest

from massm.evaluate.comparison import compare
from massm.evaluate.rows import COLUMNS
from massm.evaluate.statistics import Resampling, holm

HOW = Resampling(500, 0.95, 0)


def rows(model, head, anatomy, measure, values):
    return [
        (model, head, f"s{i}", anatomy, "test", measure, value) for i, value in enumerate(values)
    ]


@pytest.fixture
def table():
    base = np.array([2.0, 3, 4, 5, 6, 7, 8])
    steps = np.arange(1, 8) / 10
    values = (
        rows("massm", "local", "liver", "surface_mean", base - steps)
        + rows("mean_shape", "local", "liver", "surface_mean", base)
        + rows("pca_oracle", "local", "liver", "surface_mean", base[:5] / 2)
        + rows("massm", "local", "heart", "surface_mean", base)
        + rows("mean_shape", "local", "heart", "surface_mean", base)
        + rows("massm", "local", "liver", "dice", base / 10)
        + rows("mean_shape", "local", "liver", "dice", base / 20)
        + rows("massm", "detection", "liver", "missed", base * 0)
        + rows("mean_shape", "detection", "liver", "missed", base * 0)
    )
    return compare(pd.DataFrame(values, columns=COLUMNS), "massm", HOW)


def pick(table, **key):
    for name, value in key.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_difference_and_percent_are_those_of_the_pairs(table):
    row = pick(table, measure="surface_mean", anatomy="liver", model_b="mean_shape")
    assert row["n"] == 7
    assert row["difference"] == pytest.approx(-0.4)
    assert row["difference_percent"] == pytest.approx(-100 * 0.4 / 5)
    assert row["ci_low"] < -0.4 < row["ci_high"] < 0
    assert row["p"] == pytest.approx(2 / 2**7)
    assert row["better"] == "a"


def test_only_organs_that_both_have_are_compared(table):
    row = pick(table, measure="surface_mean", anatomy="liver", model_b="pca_oracle")
    assert (row["n"], row["better"]) == (5, "b")


def test_higher_is_better_for_dice(table):
    assert pick(table, measure="dice", anatomy="liver", model_b="mean_shape")["better"] == "a"


def test_equal_models_do_not_differ(table):
    row = pick(table, measure="surface_mean", anatomy="heart", model_b="mean_shape")
    assert (row["difference"], row["p"], row["better"]) == (0, 1, "same")


def test_holm_runs_over_anatomies_and_rivals_of_a_measure(table):
    family = table[(table["measure"] == "surface_mean") & (table["anatomy"] != "all")]
    assert len(family) == 3
    np.testing.assert_allclose(family["p_holm"], holm(family["p"].to_numpy()))


def test_all_averages_within_a_subject_first(table):
    row = pick(table, measure="surface_mean", anatomy="all", model_b="mean_shape")
    assert row["n"] == 14
    assert row["difference"] == pytest.approx(-0.2)
    assert row["p"] == pytest.approx(2 / 2**7)


def test_yes_or_no_measures_are_not_ranked(table):
    assert "missed" not in set(table["measure"])


def test_heads_of_the_reference_model_are_compared_once():
    values = rows("massm", "cvae", "liver", "particle_rmse", [1.0, 2, 3]) + rows(
        "massm", "procrustes", "liver", "particle_rmse", [2.0, 3, 5]
    )
    table = compare(pd.DataFrame(values, columns=COLUMNS), "massm", HOW)
    assert len(table) == 1
    assert (table["head_a"][0], table["head_b"][0]) == ("cvae", "procrustes")
