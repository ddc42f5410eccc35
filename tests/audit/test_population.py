"""What is usual in a cohort that holds faults."""

import numpy as np

from massm.audit.population import distances, residuals, usual


def test_the_median_and_its_deviation_do_not_see_one_fault():
    middle, spread = usual(np.array([1.0, 2, 3, 4, 1000]))
    assert middle == 3
    np.testing.assert_allclose(spread, 1.4826)


def test_a_spread_is_not_smaller_than_asked():
    assert usual(np.ones(9), 0.5)[1] == 0.5


def test_rows_that_lie_apart_are_the_farthest():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 3))
    values[[4, 17, 33]] += [0, 9, 9]
    assert set(np.argsort(distances(values))[-3:]) == {4, 17, 33}


def test_what_does_not_follow_from_the_others_is_left():
    rng = np.random.default_rng(0)
    given = rng.normal(size=(60, 2))
    wanted = given @ [[2.0], [-1.0]] + rng.normal(0, 0.05, (60, 1))
    wanted[7] += 5
    left = residuals(given, wanted)[:, 0]
    np.testing.assert_allclose(left[7], 5, atol=0.5)
    assert np.abs(np.delete(left, 7)).max() < 1
