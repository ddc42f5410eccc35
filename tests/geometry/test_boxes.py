"""Boxes as center and radius."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from massm.geometry.boxes import box_iou, box_of


def test_the_center_is_the_middle_of_the_box_not_the_mean():
    points = np.array([[0.0, 0, 0], [0, 0, 0], [0, 0, 0], [4, 2, 6]])
    center, radius = box_of(points)
    assert_allclose(center, [2, 1, 3])
    assert_allclose(radius, [2, 1, 3])


def test_boxes_of_a_batch_are_those_of_its_parts(rng):
    points = rng.normal(size=(2, 3, 20, 3))
    center, radius = box_of(points)
    one_center, one_radius = box_of(points[1, 2])
    assert_allclose(center[1, 2], one_center)
    assert_allclose(radius[1, 2], one_radius)


def test_a_box_overlaps_itself_fully_and_a_far_one_not_at_all():
    here, there, radius = np.zeros(3), np.array([10.0, 0, 0]), np.array([1.0, 2, 3])
    assert box_iou(here, radius, here, radius) == pytest.approx(1)
    assert box_iou(here, radius, there, radius) == 0


def test_half_shifted_cubes_overlap_by_a_third():
    radius = np.ones(3)
    assert box_iou(np.zeros(3), radius, np.array([1.0, 0, 0]), radius) == pytest.approx(1 / 3)


def test_overlap_is_symmetric_and_does_not_depend_on_the_place(rng):
    a, b, shift = rng.normal(size=(3, 3))
    radius_a, radius_b = rng.uniform(1, 3, (2, 3))
    overlap = box_iou(a, radius_a, b, radius_b)
    assert overlap == pytest.approx(box_iou(b, radius_b, a, radius_a))
    assert overlap == pytest.approx(box_iou(a + shift, radius_a, b + shift, radius_b))


def test_boxes_without_extent_overlap_by_nothing():
    assert box_iou(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)) == 0
