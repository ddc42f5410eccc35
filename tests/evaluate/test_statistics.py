import numpy as np
import pytest
from scipy import stats

from massm.evaluate.detection import auroc
from massm.evaluate.statistics import (
    Resampling,
    auroc_interval,
    holm,
    mean_interval,
    rate_interval,
    ratio_interval,
    signed_rank,
)

HOW = Resampling(4000, 0.95, 0)


def test_interval_agrees_with_scipys_bca(rng):
    values = rng.gamma(2.0, 1.5, 40)
    found = mean_interval(values, np.arange(40), HOW)
    scipys = stats.bootstrap((values,), np.mean, n_resamples=20000, rng=1).confidence_interval
    np.testing.assert_allclose(found[:2], (scipys.low, scipys.high), atol=0.06)
    assert found.low < scipys.low
    assert scipys.high < found.high
    assert found.method == "bca"


def test_interval_is_the_same_for_the_same_seed(rng):
    values = rng.normal(size=20)
    assert mean_interval(values, np.arange(20), HOW) == mean_interval(values, np.arange(20), HOW)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        low, high, _ = mean_interval(rng.normal(1, 1, 30), np.arange(30), Resampling(500, 0.9, 1))
        hits += low <= 1 <= high
    assert 165 <= hits <= 195


def test_values_of_one_cluster_do_not_narrow_the_interval(rng):
    once = rng.normal(size=15)
    single = mean_interval(once, np.arange(15), HOW)
    repeated = mean_interval(np.repeat(once, 10), np.repeat(np.arange(15), 10), HOW)
    np.testing.assert_allclose(single[:2], repeated[:2])


def test_ratio_of_proportional_values_is_exact():
    below = np.array([1.0, 2, 3, 5])
    low, high, _ = ratio_interval(-0.25 * below, below, np.arange(4), HOW)
    assert (low, high) == pytest.approx((-0.25, -0.25))


def test_one_cluster_gives_no_interval():
    found = mean_interval(np.ones(3), np.zeros(3), HOW)
    assert np.isnan(found[:2]).all()
    assert found.method == ""


def test_few_subjects_have_students_interval():
    values = np.array([1.0, 2, 4, 8])
    found = mean_interval(values, np.arange(4), HOW)
    scipys = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(found[:2], scipys)
    assert found.method == "t"
    assert mean_interval(np.arange(14.0), np.arange(14), HOW).method == "t"
    assert mean_interval(np.arange(15.0), np.arange(15), HOW).method == "bca"


def test_a_rate_has_clopper_and_pearsons_interval():
    event = np.arange(27) < 2
    low, high, method = rate_interval(event, np.arange(27), 0.95)
    # by the definition: at the ends 2 or more, and 2 or fewer, have a chance of 2.5 %
    assert stats.binom.sf(1, 27, low) == pytest.approx(0.025)
    assert stats.binom.cdf(2, 27, high) == pytest.approx(0.025)
    assert method == "exact"
    none = rate_interval(np.zeros(27, bool), np.repeat(np.arange(9), 3), 0.95)
    assert none[:2] == pytest.approx((0, 1 - 0.025 ** (1 / 27)))
    assert np.isnan(rate_interval(np.zeros(0, bool), np.zeros(0), 0.95)[:2]).all()


def test_organs_that_are_missed_together_count_as_one_subject():
    by_subject = np.arange(20) < 3
    once = rate_interval(by_subject, np.arange(20), 0.95)
    together = rate_interval(np.repeat(by_subject, 5), np.repeat(np.arange(20), 5), 0.95)
    np.testing.assert_allclose(together[:2], once[:2], rtol=0.2)
    assert together.method == "exact clustered"
    apart = rate_interval(np.arange(100) % 7 == 0, np.repeat(np.arange(20), 5), 0.95)
    assert apart.high - apart.low < 0.6 * (together.high - together.low)


def test_an_auroc_of_1_has_an_interval_that_widens_with_fewer_absent_organs():
    many, few = (auroc_interval(1.0, 20, negatives, 0.95) for negatives in (20, 2))
    assert (many.high, few.high) == (1, 1)
    assert few.low < many.low < 0.95
    low, high, _ = auroc_interval(0.5, 200, 200, 0.95)
    # with the same distribution of both classes the variance is (n + m + 1) / (12 n m)
    half = 1.96 * np.sqrt(401 / (12 * 200 * 200))
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=0.002)
    assert np.isnan(auroc_interval(0.7, 5, 0, 0.95)[:2]).all()
    swapped = auroc_interval(0.2, 6, 9, 0.95)
    mirrored = auroc_interval(0.8, 6, 9, 0.95)
    np.testing.assert_allclose(swapped[:2], (1 - mirrored.high, 1 - mirrored.low), atol=1e-9)


@pytest.mark.parametrize("count", [5, 14, 15])
def test_an_interval_holds_the_mean_as_often_as_it_says_also_with_few_subjects(count):
    rng = np.random.default_rng(count)
    repeats, level = 500, 0.95
    how = Resampling(400, level, 1)
    found = [
        mean_interval(draw, np.arange(count), how) for draw in rng.normal(3, 1, (repeats, count))
    ]
    share = np.mean([low <= 3 <= high for low, high, _ in found])
    error = np.sqrt(level * (1 - level) / repeats)
    assert abs(share - level) < 3 * error


def test_the_interval_of_an_auroc_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    true = stats.norm.cdf(1.5 / np.sqrt(2))
    present = np.arange(27) < 20
    hits = 0
    for _ in range(200):
        area = auroc(rng.normal(size=27) + 1.5 * present, present)
        low, high, _ = auroc_interval(area, 20, 7, 0.95)
        hits += low <= true <= high
    assert 0.91 < hits / 200 < 0.99


def test_the_interval_of_a_rate_holds_the_truth_also_where_organs_are_missed_together():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        chance = rng.beta(0.5, 2, 25)  # of each subject; 0.2 on average
        missed = rng.random((25, 5)) < chance[:, None]
        low, high, _ = rate_interval(missed.ravel(), np.repeat(np.arange(25), 5), 0.95)
        hits += low <= 0.2 <= high
    assert hits / 300 > 0.92


def test_signed_rank_of_all_negative_differences():
    assert signed_rank(-np.arange(1.0, 7)) == pytest.approx(2 / 2**6)
    assert signed_rank(np.zeros(5)) == 1
    assert np.isnan(signed_rank(np.zeros(0)))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 27, 50, 51])
def test_signed_rank_is_what_scipy_says(rng, count):
    for shift in (0.0, 0.3, -1.0):
        difference = rng.normal(shift, 1, count)
        method = "exact" if count <= 50 else "asymptotic"
        expected = stats.wilcoxon(difference, method=method).pvalue
        assert signed_rank(difference) == pytest.approx(expected, rel=1e-9)


def test_holm_by_hand():
    found = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.5]))
    np.testing.assert_allclose(found, [0.04, 0.09, np.nan, 0.09, 0.5])
    np.testing.assert_allclose(holm(np.array([0.8, 0.9])), [1, 1])
