"""Radii from the errors of calibration subjects: by hand, and too few of them."""

import math

import numpy as np
import pytest

from massm.evaluate.calibration import calibrate, left_out_scores, spread_of
from massm.io.residuals import Residuals


def residuals(distance, anatomies=("spleen",)):
    distance = np.asarray(distance, float)
    return Residuals(tuple(f"s{n}" for n in range(len(distance))), anatomies, distance)


def drawn(seed, subjects, anatomies=1, particles=20):
    """Subjects differ, particles differ, as they do in both."""
    generator = np.random.default_rng(seed)
    of_subject = generator.lognormal(sigma=0.4, size=(subjects, anatomies, 1))
    of_particle = np.linspace(0.5, 3, particles)
    return of_subject * of_particle * generator.exponential(size=(subjects, anatomies, particles))


def test_the_spread_is_the_mean_drawn_to_that_of_the_anatomy():
    # Ten subjects of means 1 and 3 at two particles count as much as the ten of 2 that join them.
    distance = np.tile([1.0, 3.0], (10, 1))
    np.testing.assert_allclose(spread_of(distance), [1.5, 2.5])
    np.testing.assert_allclose(spread_of(distance[:1]), [21 / 11, 23 / 11])
    np.testing.assert_allclose(spread_of(np.zeros((4, 2))), 0.1)


def test_no_subject_has_a_say_in_the_spread_that_it_is_judged_by():
    distance = np.array([[1.0, 3.0], [1.0, 3.0], [50.0, 50.0]])
    first, _, third = left_out_scores(distance)
    np.testing.assert_allclose(third, 50 / spread_of(distance[:2]))
    np.testing.assert_allclose(first, distance[0] / spread_of(distance[1:]))


def test_what_was_missed_has_infinite_scores_and_no_say_in_spreads():
    distance = np.array([[1.0, 3.0], [2.0, 2.0], [np.inf, np.inf]])
    first, second, third = left_out_scores(distance)
    np.testing.assert_allclose(first, distance[0] / spread_of(distance[1:2]))
    np.testing.assert_allclose(second, distance[1] / spread_of(distance[:1]))
    assert np.isinf(third).all()
    assert left_out_scores(distance[1:]) is None


def test_radii_by_hand():
    # Nine subjects alike at all particles: the largest of nine scores is the factor of 90 %.
    distance = np.arange(1.0, 10)[:, None, None] * np.ones((9, 1, 4))
    found = calibrate(residuals(distance), 0.9, "test").anatomies["spleen"]
    factor = 9 / np.mean(np.arange(1, 9))
    assert found.whole == found.share == pytest.approx(factor)
    np.testing.assert_allclose(found.spread_mm, 5)
    np.testing.assert_allclose(found.whole_mm, 5 * factor)
    assert (found.subjects, found.missed, found.pooled, found.reason) == (9, 0, False, "")


def test_with_eight_subjects_there_are_none_and_that_is_said():
    found = calibrate(residuals(drawn(0, 8)), 0.9, "test")
    assert found.is_empty
    assert found.anatomies["spleen"].reason == "8 calibration subjects, 9 are needed for 90 %"
    assert not calibrate(residuals(drawn(0, 8)), 0.8, "test").is_empty
    none = calibrate(residuals(np.zeros((0, 1, 20))), 0.9, "test").anatomies["spleen"]
    assert none.reason == "found in 0 calibration subjects, 2 are needed for a spread"


def test_an_anatomy_of_few_takes_the_factors_of_all():
    distance = drawn(1, 12, anatomies=2)
    distance[5:, 1] = np.nan
    found = calibrate(residuals(distance, ("spleen", "heart")), 0.9, "test").anatomies
    assert not found["spleen"].pooled
    assert found["heart"].pooled
    assert (found["heart"].subjects, found["heart"].reason) == (5, "")
    assert found["heart"].share != found["spleen"].share
    np.testing.assert_allclose(found["heart"].spread_mm, spread_of(distance[:5, 1]))
    distance[1:, 1] = np.nan
    alone = calibrate(residuals(distance, ("spleen", "heart")), 0.9, "test").anatomies["heart"]
    assert (alone.share_mm, alone.pooled) == (None, False)
    assert alone.reason.startswith("found in 1 calibration subjects")


def test_one_missed_anatomy_of_nine_leaves_nothing_to_promise():
    distance = drawn(2, 9)
    distance[3] = np.inf
    found = calibrate(residuals(distance), 0.9, "test").anatomies["spleen"]
    assert (found.whole, found.missed) == (math.inf, 1)
    assert found.reason == "missed in 1 of 9 calibration subjects, which leaves too few for 90 %"
    more = np.concatenate([distance, drawn(3, 21)])
    assert calibrate(residuals(more), 0.9, "test").anatomies["spleen"].whole < math.inf


def test_new_subjects_are_covered_as_promised():
    """Factors and spreads are from the same subjects, left out in turn: coverage holds."""
    whole, share = [], []
    for seed in range(80):
        own = calibrate(residuals(drawn(seed, 40)), 0.9, "test").anatomies["spleen"]
        others = drawn(1000 + seed, 60)[:, 0]
        whole.append((others <= own.whole_mm).all(1).mean())
        share.append((others <= own.share_mm).mean())
    assert 0.885 < np.mean(whole) < 0.935
    assert 0.885 < np.mean(share) < 0.925
