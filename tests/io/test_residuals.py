"""Residuals in their file: as they were, and nothing else is taken for such."""

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.residuals import Residuals, read_residuals, write_residuals


@pytest.fixture
def given():
    """Two subjects: the second lacks one anatomy, and the other was missed."""
    distance = np.array([[[0.5, 1.0, 2.0], [0.25, 0, 4]], [[np.nan] * 3, [np.inf] * 3]])
    return Residuals(("s0", "s1"), ("spleen", "heart"), distance)


def test_they_are_read_as_they_were_written(given, tmp_path):
    write_residuals(given, tmp_path / "one.npz")
    found = read_residuals(tmp_path / "one.npz")
    assert (found.subjects, found.anatomies) == (given.subjects, given.anatomies)
    np.testing.assert_array_equal(found.distance_mm, given.distance_mm)
    assert found.known.tolist() == [[True, True], [False, True]]
    assert found.missed.tolist() == [[False, False], [False, True]]


def test_a_split_without_subjects_has_none(tmp_path):
    write_residuals(Residuals((), ("spleen",), np.zeros((0, 1, 3))), tmp_path / "none.npz")
    assert read_residuals(tmp_path / "none.npz").known.shape == (0, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distance_mm": np.zeros((2, 1, 3), np.float32)}, "distance_mm is .* expected 2 x 2 x M"),
        ({"distance_mm": np.full((2, 2, 3), -1.0)}, "distance_mm holds what is no distance"),
        ({"distance_mm": np.ones((2, 2, 3), int)}, "distance_mm holds what is no distance"),
    ],
)
def test_what_makes_no_sense_is_refused(given, tmp_path, changes, message):
    path = tmp_path / "one.npz"
    write_residuals(given, path)
    save_arrays(load_arrays(path) | changes, path)
    with pytest.raises(DataError, match=f"one.npz: {message}"):
        read_residuals(path)
