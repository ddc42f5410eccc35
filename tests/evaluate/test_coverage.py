"""The table of coverage: by hand, and as promised on simulated subjects."""

import numpy as np
import pytest

from massm.evaluate.calibration import calibrate
from massm.evaluate.coverage import LEVELS, coverage_table
from massm.evaluate.statistics import Resampling
from massm.io.residuals import Residuals
from tests.evaluate.test_calibration import drawn, residuals

HOW = Resampling(200, 0.95, 0)
NAMES = ("spleen", "heart")


def table(calibration, measured, level=0.9, names=NAMES):
    pair = residuals(calibration, names), residuals(measured, names)
    stated = calibrate(pair[0], level, "validation split")
    return coverage_table("massm", "test", *pair, stated, HOW)


def rows(found, **key):
    for name, value in key.items():
        found = found[found[name] == value]
    return found.to_dict("records")


def test_coverage_by_hand():
    # Calibrated on 1 to 9 mm, alike at all particles: radii are 10 mm. Of three test subjects one
    # has a particle beyond, and one was missed.
    calibration = np.arange(1.0, 10)[:, None, None] * np.ones((9, 1, 4))
    measured = np.array([[[1.0, 2, 3, 4]], [[1.0, 2, 3, 40]], [[np.inf] * 4]])
    found = table(calibration, measured, names=("spleen",))
    (share,) = rows(found, stated=True, measure="share")
    (whole,) = rows(found, stated=True, measure="whole")
    assert share["covered"] == pytest.approx((1 + 0.75 + 0) / 3)
    assert whole["covered"] == pytest.approx(1 / 3)
    assert whole["interval"] == "exact"
    assert (whole["ci_low"], whole["ci_high"]) == pytest.approx((0.0084, 0.9057), abs=1e-4)
    assert whole["radius_mm"] == share["radius_mm"] == pytest.approx(10)
    assert (whole["n"], whole["subjects"], whole["calibrated"]) == (3, 3, 9)
    assert (whole["scope"], whole["level"], whole["pooled"]) == ("anatomy", 0.9, False)


def test_all_anatomies_are_a_row_of_their_own_each_by_its_radius():
    found = table(drawn(0, 20, 2), drawn(1, 15, 2))
    stated = rows(found, stated=True, measure="share")
    single = [row for row in stated if row["scope"] == "anatomy"]
    (every,) = [row for row in stated if row["scope"] == "all"]
    assert [row["anatomy"] for row in single] == list(NAMES)
    assert (every["n"], every["subjects"], every["anatomy"]) == (30, 15, "")
    assert every["covered"] == pytest.approx(np.mean([row["covered"] for row in single]))
    assert every["radius_mm"] == pytest.approx(np.mean([row["radius_mm"] for row in single]))


def test_levels_of_the_curve_that_promise_nothing_have_no_row_and_the_stated_one_says_why():
    found = table(drawn(0, 6, 2), drawn(1, 15, 2))
    assert set(found["level"]) == {0.5, 0.6, 0.7, 0.8, 0.9}  # 4 subjects for 80 %, 9 for 90 %
    for row in rows(found, stated=True, scope="anatomy"):
        assert row["note"] == "6 calibration subjects, 9 are needed for 90 %"
        assert row["n"] == 0
        assert np.isnan(row["covered"])
    assert set(found[found["level"] == 0.8]["n"]) == {15, 30}


def test_a_stated_level_beside_those_of_the_curve_is_measured_too():
    found = table(drawn(0, 40, 2), drawn(1, 15, 2), level=0.85)
    assert set(found["level"]) == {*LEVELS, 0.85}
    assert set(found[found["stated"]]["level"]) == {0.85}


def test_what_is_not_known_is_not_counted():
    measured = drawn(1, 15, 2)
    measured[:, 1] = np.nan
    found = table(drawn(0, 20, 2), measured)
    (heart,) = rows(found, stated=True, measure="share", anatomy="heart")
    assert heart["n"] == 0
    (every,) = rows(found, stated=True, measure="share", scope="all")
    assert every["n"] == 15


def test_simulated_subjects_are_covered_at_every_level():
    found = table(drawn(5, 400, 2), drawn(6, 600, 2))
    assert len(found) == len(LEVELS) * 2 * 3
    np.testing.assert_allclose(found["covered"], found["level"], atol=0.05)


def test_without_test_subjects_nothing_is_covered():
    none = Residuals((), NAMES, np.zeros((0, 2, 20)))
    own = residuals(drawn(0, 20, 2), NAMES)
    found = coverage_table("massm", "test", own, none, calibrate(own, 0.9, "some"), HOW)
    assert set(found["calibration"]) == {"some"}
    assert set(found["level"]) == {0.9}
    assert not found["n"].any()
