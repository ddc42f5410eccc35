"""Axis by axis gives what smoothing and interpolating the whole scan gives."""

from itertools import permutations, product

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.tensors import resample
from massm.tensors.separable import axes_of

TURNS = [
    np.eye(3)[:, list(order)] * signs
    for order in permutations(range(3))
    for signs in product([1.0, -1.0], repeat=3)
]


@pytest.mark.parametrize("turn", TURNS[::5])
@pytest.mark.parametrize("spacing_mm", [0.7, 2.0, 5.0])
def test_both_ways_give_the_same_values(rng, monkeypatch, turn, spacing_mm):
    array = rng.normal(0, 300, (14, 21, 17))
    volume = Volume(array, np.array([0.9, 1.3, 2.2]), np.array([4.0, -7, 30]), turn)
    origin = volume.corners().min(axis=0) - 3.3  # a part of the grid lies outside
    found, expected = np.empty((20, 25, 18)), np.empty((20, 25, 18))
    resample.fill(found, volume, origin, spacing_mm, outside=-1000.0)
    monkeypatch.setattr(resample, "axes_of", lambda *_: None)
    resample.fill(expected, volume, origin, spacing_mm, outside=-1000.0)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert (found == -1000).any()


def test_axes_that_stray_by_rounding_are_those_of_the_scan_and_oblique_ones_are_not():
    shapes, sigma = ((30, 40, 50), (20, 20, 20)), np.ones(3)
    for angle, aligned in ((0.0, True), (1e-5, True), (1e-3, False), (0.7, False)):
        turn = np.array(
            [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
        )
        found = axes_of(*shapes, 2 * turn, np.zeros(3), sigma, 3.0)
        assert (found is not None) == aligned


@pytest.mark.parametrize("count", [1, 2])
def test_a_scan_of_a_single_slice_has_values_in_that_slice_alone(count):
    volume = Volume(np.full((count, 9, 9), 50.0), np.ones(3))
    values = np.empty((4, 9, 9))
    resample.fill(values, volume, np.zeros(3), 1.0, outside=-1.0)
    np.testing.assert_allclose(values[:count], 50)
    np.testing.assert_allclose(values[count:], -1)
