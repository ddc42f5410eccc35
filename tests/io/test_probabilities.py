"""Probabilities in a prediction's file: as they were to a 510th, in the place where they were."""

from dataclasses import replace

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io import predictions
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.predictions import SubjectPrediction
from massm.io.probabilities import HALF, in_bytes, part_around

GRID = Volume(np.zeros((10, 12, 14), np.uint8), np.full(3, 2.5), np.array([5.0, -7.0, 300.0]))
NAMES = ("spleen", "heart", "liver")


@pytest.fixture
def said(rng):
    """The spleen and the liver were found."""
    labels = np.zeros(GRID.array.shape, np.uint8)
    parts = {}
    for number, box in ((1, np.s_[2:5, 3:6, 0:4]), (3, np.s_[6:9, 8:12, 9:13])):
        values = rng.integers(0, 100, labels.shape).astype(np.uint8)
        values[box] = 250
        labels[box] = number
        parts[NAMES[number - 1]] = part_around(GRID.with_array(values))
    present = np.array([True, False, True])
    return SubjectPrediction(
        NAMES, present, present * 0.9, None, None, {}, None, GRID.with_array(labels), parts
    )


def test_what_is_one_half_at_least_is_above_the_half_of_bytes():
    shares = np.array([0.0, 0.25, np.nextafter(0.5, 0), 0.5, 1.0])
    assert in_bytes(shares).tolist() == [0, 64, 127, 128, 255]
    assert (in_bytes(shares) > HALF).tolist() == [False, False, False, True, True]


def test_a_part_holds_what_is_above_one_half_and_its_rim():
    values = np.zeros(GRID.array.shape, np.uint8)
    values[4:6, 5, 0] = 200
    part = part_around(GRID.with_array(values))
    assert part.array.shape == (6, 5, 3)
    np.testing.assert_allclose(part.origin, GRID.index_to_point(np.array([0.0, 3, 2])))
    assert part.array[2, 2, 0] == 200
    assert part_around(GRID) is None


def test_they_are_read_as_they_were_written(said, tmp_path):
    predictions.write(said, tmp_path / "s1.npz")
    found = predictions.read(tmp_path / "s1.npz")
    assert list(found.probability) == ["spleen", "liver"]
    for name, part in said.probability.items():
        np.testing.assert_array_equal(found.probability_of(name).array, part.array)
        np.testing.assert_allclose(found.probability_of(name).origin, part.origin, atol=1e-4)
    assert found.probability_of("heart") is None


def test_an_anatomy_that_was_not_found_has_none(said):
    lost = replace(said, present=np.array([False, False, True])).blanked()
    assert list(lost.probability) == ["liver"]
    assert said.probability_of("spleen") is not None


def test_those_without_a_label_map_are_refused(said, tmp_path):
    predictions.write(said, tmp_path / "s1.npz")
    (tmp_path / "s1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"s1\.npz: its probabilities have no label map beside"):
        predictions.read(tmp_path / "s1.npz")


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("probability", lambda a: a[:-1], "do not fill boxes"),
        ("probability_start", lambda a: a + 9, "do not fill boxes"),
        ("probability_size", lambda a: -a, "do not fill boxes"),
        ("probability", lambda a: a.astype(float), "probability is float64, expected bytes"),
        ("probability", lambda a: a.astype(np.uint16), "uint16"),
        ("probability_size", lambda a: a[:2], "probability_size is"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(said, tmp_path, name, change, reason):
    predictions.write(said, tmp_path / "s1.npz")
    arrays = load_arrays(tmp_path / "s1.npz")
    save_arrays(arrays | {name: change(arrays[name])}, tmp_path / "s1.npz")
    with pytest.raises(DataError, match=reason):
        predictions.read(tmp_path / "s1.npz")
