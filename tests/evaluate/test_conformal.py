"""Conformal factors: right on small numbers by hand, and with the stated coverage in draws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from massm.evaluate.conformal import (
    Factors,
    choose_factors,
    choose_pooled_factors,
    fewest_subjects,
    measure_coverage,
    share_factor,
    whole_factor,
)
from massm.evaluate.statistics import Resampling

HOW = Resampling(500, 0.95, 0)


@pytest.mark.parametrize(("level", "count"), [(0.9, 9), (0.95, 19), (0.8, 4), (0.5, 1)])
def test_so_many_subjects_it_takes(level, count):
    assert fewest_subjects(level) == count
    scores = np.arange(1.0, count + 1)
    assert whole_factor(scores, level) == count
    assert whole_factor(scores[:-1], level) == math.inf
    assert share_factor([np.array([one]) for one in scores], level) == count
    assert share_factor([np.array([one]) for one in scores[:-1]], level) == math.inf


def test_the_place_of_the_factor_is_that_of_the_formula():
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 28))
    assert whole_factor(scores, 0.9) == 26  # ceil(28 * 0.9) = 26 of 27


def test_a_missed_anatomy_counts_as_farther_off_than_any():
    scores = np.array([*np.arange(1.0, 10), np.nan])
    assert whole_factor(scores, 0.9) == math.inf
    assert whole_factor(np.array([*np.arange(1.0, 20), np.nan]), 0.9) == 19


def test_of_single_particles_both_factors_are_the_same():
    scores = np.random.default_rng(1).exponential(size=40)
    assert share_factor([np.array([one]) for one in scores], 0.9) == whole_factor(scores, 0.9)


def test_the_share_counts_every_subject_the_same_however_many_particles_it_has():
    few, many = np.array([1.0, 10.0]), np.repeat([2.0, 20.0], 500)
    subjects = [few, many] * 20
    # A tenth of 41 less one may lie outside, 3.1 of 40 subjects: all have half of their particles
    # within 2, so nearly all of the others have to be within, too. At 45 % it is 21.55 of them.
    assert share_factor(subjects, 0.9) == 20.0
    assert share_factor(subjects, 0.45) == 2.0


@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.9]), st.integers(12, 60))
def test_a_larger_share_takes_a_larger_factor(seed, level, count):
    generator = np.random.default_rng(seed)
    scores = [generator.exponential(size=20) for _ in range(count)]
    assert share_factor(scores, level - 0.1) <= share_factor(scores, level)
    factors = choose_factors(scores, level)
    assert factors.share <= factors.whole
    within = np.mean([np.mean(one <= factors.share) for one in scores])
    assert within >= level  # of those that chose it always, with the correction of one subject


def test_new_subjects_are_covered_as_promised():
    """Subjects differ, and their particles are alike: the coverage is that of subjects."""
    generator = np.random.default_rng(2)

    def draw(count):
        return [
            generator.lognormal(sigma=0.7) * generator.exponential(size=30) for _ in range(count)
        ]

    whole, share = [], []
    for _ in range(150):
        factors = choose_factors(draw(40), 0.9)
        few = HOW._replace(samples=10)
        found = measure_coverage(draw(100), [factors] * 100, np.arange(100), few)
        whole.append(found.whole.rate)
        share.append(found.share.rate)
    # n = 40: on average between 0.9 and 0.9 + 1 / 41; 150 draws tell it within about 0.005.
    assert 0.89 < np.mean(whole) < 0.935
    assert 0.89 < np.mean(share) < 0.93


def test_coverage_comes_with_intervals_by_subject():
    scores = [np.array([1.0, 2.0])] * 9 + [np.array([1.0, 9.0])]
    found = measure_coverage(scores, [Factors(3.0, 1.5, 30)] * 10, np.arange(10), HOW)
    assert (found.whole.rate, found.share.rate, found.whole.subjects) == (0.9, 0.5, 10)
    assert found.whole.interval.low == pytest.approx(0.555, abs=1e-3)
    assert found.whole.interval.high == pytest.approx(0.997, abs=1e-3)
    assert found.share.interval.low == found.share.interval.high == 0.5


def test_a_share_is_at_most_all_also_at_the_end_of_its_interval():
    scores = [np.array([1.0] * 19 + [9.0])] + [np.ones(20)] * 7
    share = measure_coverage(scores, [Factors(9.0, 1.5, 30)] * 8, np.arange(8), HOW).share
    assert share.rate == pytest.approx(1 - 0.05 / 8)
    assert share.interval.high == 1
    assert share.interval.low < share.rate


def test_what_nothing_is_promised_of_is_not_counted_and_what_was_missed_is_outside():
    scores = [np.array([1.0, 2.0]), np.full(2, np.inf), np.array([1.0, 2.0])]
    factors = [Factors(3.0, 1.5, 30), Factors(3.0, math.inf, 30), Factors(math.inf, math.inf, 5)]
    found = measure_coverage(scores, factors, np.array(["s0", "s1", "s1"]), HOW)
    assert (found.whole.rate, found.whole.structures) == (0.5, 2)
    assert (found.share.rate, found.share.structures, found.share.subjects) == (0.5, 1, 1)
    nothing = measure_coverage(scores[2:], factors[2:], np.array(["s1"]), HOW)
    assert np.isnan(nothing.whole.rate)
    assert np.isnan(nothing.share.interval.low)
    assert nothing.whole.structures == 0


def test_pooled_factors_of_one_anatomy_are_its_own():
    generator = np.random.default_rng(3)
    scores = [generator.exponential(size=12) for _ in range(30)]
    assert choose_pooled_factors([[one] for one in scores], 0.9) == choose_factors(scores, 0.9)


def test_pooled_factors_promise_a_share_of_a_subjects_anatomies():
    # Ten subjects with a bad anatomy of two: a tenth of 11 less one is 0.1 of a subject, so that
    # none may have it outside; at 50 % it is 4.5, so that nine may.
    scores = [[np.array([1.0, 2.0]), np.array([5.0 + n, 1.0])] for n in range(10)]
    assert choose_pooled_factors(scores, 0.9).whole == 14
    assert choose_pooled_factors(scores, 0.5) == (5.0, 2.0, 10)
    assert choose_pooled_factors(scores[:8], 0.9).whole == math.inf


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 90.0])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        whole_factor(np.ones(20), level)
