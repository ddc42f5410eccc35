import numpy as np
import pytest
from scipy import stats

from massm.evaluate.effect import superiority


def found_of(difference, *, lower=True, confidence=0.95):
    return superiority(difference, lower_is_better=lower, confidence=confidence)


def differences(lower, higher, equal=0):
    """So many subjects in which a is lower, higher, and the same."""
    return np.array([-1.0] * lower + [2.0] * higher + [0.0] * equal)


def test_the_share_counts_subjects_in_which_a_is_better():
    found = found_of(differences(9, 3))
    assert (found.share, found.better, found.worse) == (0.75, 9, 3)
    found = found_of(differences(9, 3), lower=False)
    assert (found.share, found.better, found.worse) == (0.25, 3, 9)


@pytest.mark.parametrize(("lower", "higher"), [(9, 3), (27, 0), (0, 5), (1, 0)])
def test_the_interval_is_scipys_exact_one(lower, higher):
    low, high, method = found_of(differences(lower, higher), confidence=0.9).interval
    scipys = stats.binomtest(lower, lower + higher).proportion_ci(0.9, method="exact")
    assert (low, high) == pytest.approx((scipys.low, scipys.high))
    assert method == "exact"


def test_half_is_in_the_interval_where_the_sign_test_finds_nothing():
    for lower in range(13):
        low, high, _ = found_of(differences(lower, 12 - lower)).interval
        assert (low <= 0.5 <= high) == (stats.binomtest(lower, 12).pvalue > 0.05)


def test_equal_subjects_count_half():
    found = found_of(differences(0, 0, 4))
    assert (found.share, found.better, found.worse) == (0.5, 0, 0)
    low, high, _ = found_of(differences(2, 0, 1)).interval
    between = [found_of(differences(k, 3 - k)).interval for k in (2, 3)]
    assert between[0].low < low < between[1].low
    assert between[0].high < high <= between[1].high


def test_one_subject_that_is_far_off_does_not_move_it():
    near, far = differences(9, 3), differences(9, 3)
    far[-1] = 1000.0
    assert found_of(near) == found_of(far)


def test_without_subjects_there_is_no_share():
    found = found_of(np.zeros(0))
    assert np.isnan(found.share)
    assert found.interval.method == ""
