import numpy as np
import pytest
from scipy import stats

from massm.evaluate.statistics import (
    Resampling,
    holm,
    mean_interval,
    ratio_interval,
    signed_rank,
)

HOW = Resampling(4000, 0.95, 0)


def test_interval_agrees_with_scipys_bca(rng):
    values = rng.gamma(2.0, 1.5, 40)
    found = mean_interval(values, np.arange(40), HOW)
    scipys = stats.bootstrap((values,), np.mean, n_resamples=20000, rng=1).confidence_interval
    np.testing.assert_allclose(found, (scipys.low, scipys.high), atol=0.06)


def test_interval_is_the_same_for_the_same_seed(rng):
    values = rng.normal(size=20)
    assert mean_interval(values, np.arange(20), HOW) == mean_interval(values, np.arange(20), HOW)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        low, high = mean_interval(rng.normal(1, 1, 30), np.arange(30), Resampling(500, 0.9, 1))
        hits += low <= 1 <= high
    assert 165 <= hits <= 195


def test_values_of_one_cluster_do_not_narrow_the_interval(rng):
    once = rng.normal(size=15)
    single = mean_interval(once, np.arange(15), HOW)
    repeated = mean_interval(np.repeat(once, 10), np.repeat(np.arange(15), 10), HOW)
    np.testing.assert_allclose(single, repeated)


def test_ratio_of_proportional_values_is_exact():
    below = np.array([1.0, 2, 3, 5])
    low, high = ratio_interval(-0.25 * below, below, np.arange(4), HOW)
    assert (low, high) == pytest.approx((-0.25, -0.25))


def test_one_cluster_gives_no_interval():
    assert np.isnan(mean_interval(np.ones(3), np.zeros(3), HOW)).all()


def test_signed_rank_of_all_negative_differences():
    assert signed_rank(-np.arange(1.0, 7)) == pytest.approx(2 / 2**6)
    assert signed_rank(np.zeros(5)) == 1
    assert np.isnan(signed_rank(np.zeros(0)))


def test_holm_by_hand():
    found = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.5]))
    np.testing.assert_allclose(found, [0.04, 0.09, np.nan, 0.09, 0.5])
    np.testing.assert_allclose(holm(np.array([0.8, 0.9])), [1, 1])
