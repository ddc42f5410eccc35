"""Solids as signed functions."""

import numpy as np
import pytest

from massm.dataset.phantom.implicit import (
    difference,
    ellipsoid,
    gradient,
    half_space,
    intersection,
    project,
    tube,
    union,
)


def test_a_sphere_gives_its_exact_distance():
    points = np.array([[0.0, 0, 0], [3, 0, 0], [0, 5, 0], [0, 0, -7]])
    np.testing.assert_allclose(ellipsoid(points, (0, 0, 0), (5, 5, 5)), [-5, -2, 0, 2])


def test_axes_turn_an_ellipsoid():
    swap = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
    points = np.array([[0.0, 9, 0], [2, 0, 0]])
    np.testing.assert_allclose(ellipsoid(points, (0, 0, 0), (9, 2, 2), swap), 0, atol=1e-12)


def test_a_tube_tapers_between_its_nodes():
    points = np.array([[0.0, 4, 0], [5, 3, 0], [10, 2, 0], [14, 0, 0]])
    values = tube(points, [(0, 0, 0), (10, 0, 0)], [4.0, 2.0])
    np.testing.assert_allclose(values, [0, 0, 0, 2], atol=1e-12)


def test_a_half_space_lies_behind_its_plane():
    points = np.array([[0.0, 0, 3], [0, 0, -1]])
    np.testing.assert_allclose(half_space(points, (0, 0, 1), (0, 0, 2)), [2, -2])


def test_sharp_operations_are_minimum_and_maximum():
    a, b = np.array([-1.0, 2.0]), np.array([1.0, 3.0])
    np.testing.assert_array_equal(union(a, b), [-1, 2])
    np.testing.assert_array_equal(intersection(a, b), [1, 3])
    np.testing.assert_array_equal(difference(a, b), [-1, 2])


def test_rounding_fills_a_crease_and_leaves_the_rest():
    a, b = np.array([0.0, 0.0]), np.array([0.0, 9.0])
    np.testing.assert_allclose(union(a, b, 4.0), [-1, 0])


def test_points_are_projected_onto_the_surface(rng):
    def solid(points):
        return ellipsoid(points, (1, 2, 3), (20, 10, 15))

    points = rng.normal(size=(50, 3))
    points = np.array([1, 2, 3]) + points / np.linalg.norm(points, axis=1, keepdims=True) * 14
    moved = project(solid, points)
    assert np.abs(solid(moved)).max() < 1e-6
    level = np.square((moved - [1, 2, 3]) / [20, 10, 15]).sum(axis=1)
    np.testing.assert_allclose(level, 1, atol=1e-6)


def test_the_gradient_points_outward():
    slope = gradient(lambda p: ellipsoid(p, (0, 0, 0), (5, 5, 5)), np.array([[5.0, 0, 0]]))
    assert slope[0] == pytest.approx([1, 0, 0], abs=1e-3)
