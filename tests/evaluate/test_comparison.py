import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, wilcoxon

from massm.evaluate.comparison import compare
from massm.evaluate.rows import COLUMNS
from massm.evaluate.statistics import Resampling, holm
from massm.evaluate.summary import summarize

BOUNDS = ("mean_shape", "pca_oracle", "truth")
HOW = Resampling(500, 0.95, 0)
NONE = pd.DataFrame(columns=COLUMNS)


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
    return compare(pd.DataFrame(values, columns=COLUMNS), NONE, "massm", HOW, bounds=BOUNDS)


def pick(table, **key):
    key = {"counting": "found", **key}
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
    family = table[
        (table["measure"] == "surface_mean")
        & (table["scope"] == "anatomy")
        & (table["counting"] == "found")
        & (table["family"] == "mean_shape")
    ]
    assert len(family) == 2
    np.testing.assert_allclose(family["p_holm"], holm(family["p"].to_numpy()))


def test_bounds_are_no_rivals():
    base = np.array([2.0, 3, 4, 5, 6, 7, 8])
    ours = rows("massm", "local", "liver", "surface_mean", base - np.arange(1, 8) / 10)
    rivals = [("unet", 1.3), ("deepssm_local", 0.97)]
    bounds = [("mean_shape", 2.0), ("pca_oracle", 0.4), ("truth", 0.3)]
    made = {
        name: rows(name, "local", "liver", "surface_mean", base * factor)
        for name, factor in [*rivals, *bounds]
    }
    together = pd.DataFrame(sum(made.values(), ours), columns=COLUMNS)
    alone = pd.DataFrame(ours + made["unet"] + made["deepssm_local"], columns=COLUMNS)
    full = compare(together, NONE, "massm", HOW, bounds=BOUNDS)
    reduced = compare(alone, NONE, "massm", HOW, bounds=BOUNDS)
    for name, _ in rivals:
        assert pick(full, model_b=name)["p_holm"] == pick(reduced, model_b=name)["p_holm"]
        assert pick(full, model_b=name)["family"] == "rivals"
    for name, _ in bounds:  # one anatomy: nothing to correct for
        assert pick(full, model_b=name)["p_holm"] == pick(full, model_b=name)["p"]


def test_all_anatomies_test_what_they_show():
    """Subjects with few organs: means over organs and over subjects differ, even in their sign."""
    ours = rows("massm", "local", "liver", "surface_mean", [1.0, 1, 1, 1, 9, 9.5])
    ours += rows("massm", "local", "heart", "surface_mean", [1.0, 1, 1, 1])
    other = rows("mean_shape", "local", "liver", "surface_mean", [2.0, 2.1, 2.2, 2.3, 7, 7.1])
    other += rows("mean_shape", "local", "heart", "surface_mean", [2.0, 2.1, 2.2, 2.3])
    values = pd.DataFrame(ours + other, columns=COLUMNS)
    row = pick(compare(values, NONE, "massm", HOW, bounds=BOUNDS), scope="all")
    ours_means = np.array([1, 1, 1, 1, 9, 9.5])
    other_means = np.array([2.0, 2.1, 2.2, 2.3, 7, 7.1])
    assert (row["n"], row["subjects"]) == (10, 6)
    assert row["mean_a"] == pytest.approx(ours_means.mean())
    assert row["difference"] == pytest.approx((ours_means - other_means).mean())
    assert row["difference"] == pytest.approx(row["mean_a"] - row["mean_b"])
    assert row["p"] == pytest.approx(wilcoxon(ours_means - other_means).pvalue)
    assert row["better"] == "a"
    shown = summarize(values, NONE, HOW)
    shown = shown[(shown["scope"] == "all") & (shown["counting"] == "found")].set_index("model")
    assert shown["mean"]["massm"] == pytest.approx(row["mean_a"])
    assert shown["mean"]["mean_shape"] == pytest.approx(row["mean_b"])


def test_a_missed_organ_is_compared_in_the_second_counting_alone():
    values = rows("massm", "local", "liver", "surface_mean", [1.0, 2, 3])
    values += rows("unet", "local", "liver", "surface_mean", [2.0, 3])
    missed = [("unet", "local", "s2", "liver", "test", "surface_mean", 60.0)]
    table = compare(
        pd.DataFrame(values, columns=COLUMNS),
        pd.DataFrame(missed, columns=COLUMNS),
        "massm",
        HOW,
        bounds=BOUNDS,
    )
    found, counted = pick(table), pick(table, counting="with_missed")
    assert (found["n"], found["difference"]) == (2, -1)
    assert (counted["n"], counted["difference"]) == (3, pytest.approx(-59 / 3))


def test_an_anatomy_called_all_is_compared_as_one_anatomy(table):
    values = rows("massm", "local", "all", "surface_mean", [1.0, 2, 4])
    values += rows("mean_shape", "local", "all", "surface_mean", [2.0, 4, 8])
    values += rows("massm", "local", "heart", "surface_mean", [3.0, 3, 3])
    values += rows("mean_shape", "local", "heart", "surface_mean", [3.5, 3.6, 3.7])
    table = compare(pd.DataFrame(values, columns=COLUMNS), NONE, "massm", HOW, bounds=BOUNDS)
    assert pick(table, anatomy="all")["difference"] == pytest.approx(-7 / 3)
    assert pick(table, scope="all")["difference"] == pytest.approx(-(7 / 3 + 0.6) / 2)


def test_yes_or_no_measures_are_not_ranked(table):
    assert "missed" not in set(table["measure"])


def test_heads_of_the_reference_model_are_compared_once():
    values = rows("massm", "cvae", "liver", "particle_rmse", [1.0, 2, 3]) + rows(
        "massm", "procrustes", "liver", "particle_rmse", [2.0, 3, 5]
    )
    table = compare(pd.DataFrame(values, columns=COLUMNS), NONE, "massm", HOW, bounds=BOUNDS)
    assert table["counting"].to_list() == ["found", "with_missed"]
    assert table["family"][0] == "rivals"
    assert (table["head_a"][0], table["head_b"][0]) == ("cvae", "procrustes")


def test_the_effect_is_the_share_of_subjects_in_which_ours_is_better(table):
    row = pick(table, measure="surface_mean", anatomy="liver", model_b="mean_shape")
    exact = binomtest(7, 7).proportion_ci(method="exact")
    assert (row["effect"], row["a_better"], row["b_better"]) == (1, 7, 0)
    assert (row["effect_ci_low"], row["effect_ci_high"]) == pytest.approx((exact.low, 1))
    row = pick(table, measure="surface_mean", anatomy="liver", model_b="pca_oracle")
    assert (row["effect"], row["a_better"], row["b_better"]) == (0, 0, 5)
    row = pick(table, measure="dice", anatomy="liver", model_b="mean_shape")
    assert (row["effect"], row["a_better"]) == (1, 7)
    row = pick(table, measure="surface_mean", anatomy="heart", model_b="mean_shape")
    assert (row["effect"], row["a_better"], row["b_better"]) == (0.5, 0, 0)
