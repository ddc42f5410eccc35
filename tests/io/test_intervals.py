"""Intervals in their file: as they were, and nothing else is taken for such."""

import math

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.intervals import AnatomyIntervals, Intervals, read_intervals, write_intervals
from massm.io.particles import load_arrays, save_arrays

SPREAD = np.array([1.0, 2.0, 0.5])


@pytest.fixture
def given():
    """One anatomy of which all is promised, one of which a part is, one of which nothing is."""
    anatomies = {
        "spleen": AnatomyIntervals(SPREAD, 2.0, 4.0, 30, 1, False, ""),
        "heart": AnatomyIntervals(SPREAD / 2, 3.0, math.inf, 9, 1, True, "missed too often"),
        "liver": AnatomyIntervals(np.full(3, np.nan), math.inf, math.inf, 2, 0, False, "too few"),
    }
    return Intervals(0.9, "validation split", anatomies)


def test_radii_are_factors_times_spreads(given):
    spleen, heart, liver = given.anatomies.values()
    np.testing.assert_array_equal(spleen.share_mm, [2, 4, 1])
    np.testing.assert_array_equal(spleen.whole_mm, [4, 8, 2])
    np.testing.assert_array_equal(heart.share_mm, [1.5, 3, 0.75])
    assert heart.whole_mm is liver.share_mm is liver.whole_mm is None
    assert not given.is_empty
    assert Intervals(0.9, "", {"liver": liver}).is_empty


def test_they_are_read_as_they_were_written(given, tmp_path):
    path = tmp_path / "intervals.npz"
    write_intervals(given, path)
    found = read_intervals(path)
    assert (found.level, found.calibration) == (0.9, "validation split")
    assert list(found.anatomies) == list(given.anatomies)
    for name, one in given.anatomies.items():
        own = vars(found.anatomies[name])
        np.testing.assert_array_equal(own.pop("spread_mm"), one.spread_mm)
        assert own == {key: value for key, value in vars(one).items() if key != "spread_mm"}
    before = path.read_bytes()
    write_intervals(given, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": np.array(2)}, "schema 2, this massm reads 1"),
        ({"share": np.ones(2)}, "share is .*, expected 3"),
        ({"pooled": np.ones(3)}, "pooled is of kind f, expected b"),
        ({"spread_mm": np.full((3, 3), np.nan)}, "spread_mm holds what is no length"),
        ({"spread_mm": np.full((3, 3), -1.0)}, "spread_mm holds what is no length"),
    ],
)
def test_what_makes_no_sense_is_refused(given, tmp_path, changes, message):
    path = tmp_path / "intervals.npz"
    write_intervals(given, path)
    save_arrays(load_arrays(path) | changes, path)
    with pytest.raises(DataError, match=message):
        read_intervals(path)
