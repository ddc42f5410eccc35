"""Presence thresholds separate what can be separated."""

import pytest

from massm.training.thresholds import presence_threshold


def test_separable_scores_are_separated():
    threshold = presence_threshold([0.9, 0.7], [0.1, 0.2], fraction=0.5)
    assert 0.2 < threshold < 0.7


def test_the_middle_of_the_gap_is_taken_in_log_odds():
    threshold = presence_threshold([0.99], [0.01], fraction=0.5)
    assert threshold == pytest.approx(0.5, abs=1e-6)


def test_overlapping_scores_give_the_best_balanced_accuracy():
    present, absent = [0.9, 0.8, 0.7, 0.2], [0.1, 0.3, 0.15]
    threshold = presence_threshold(present, absent, fraction=0.5)
    assert 0.3 < threshold < 0.7


def test_without_an_absent_example_it_is_a_fraction_of_the_weakest():
    assert presence_threshold([0.8, 0.6], [], fraction=0.5) == pytest.approx(0.3)


def test_one_absent_example_above_all_others_does_not_end_finding():
    """A subject whose mask was forgotten: no threshold is better than to find everybody."""
    present = [0.5, 0.6, 0.7, 0.8, 0.9]
    assert presence_threshold(present, [0.95], fraction=0.5) == pytest.approx(0.25)
    assert presence_threshold(present, [0.9999], fraction=0.5) == pytest.approx(0.25)


def test_without_any_example_it_is_a_half():
    assert presence_threshold([], [0.9], fraction=0.5) == 0.5
