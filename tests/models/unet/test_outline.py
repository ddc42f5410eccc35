"""Distances of outlines on voxels."""

import numpy as np
import pytest

from massm.models.unet.outline import outline_distance


def cube(low, high, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    return mask


def test_the_same_mask_lies_at_no_distance():
    mask = cube((4, 4, 4), (12, 12, 12))
    assert outline_distance(mask, mask, 2.0) == 0


def test_one_voxel_around_a_cube_is_one_voxel_away():
    inner, outer = cube((5, 5, 5), (12, 12, 12)), cube((4, 4, 4), (13, 13, 13))
    assert outline_distance(outer, inner, 2.0) == pytest.approx(2.0, rel=0.15)
    assert outline_distance(outer, inner, 2.0) == outline_distance(inner, outer, 2.0)


def test_a_stray_piece_costs_what_it_is_far():
    mask = cube((4, 4, 4), (12, 12, 12))
    stray = mask | cube((18, 18, 18), (19, 19, 19))
    assert 0 < outline_distance(stray, mask, 1.0) < 0.1


def test_a_missed_one_costs_its_distance_from_the_middle_of_the_image():
    mask, nothing = cube((0, 9, 9), (2, 11, 11)), np.zeros((20, 20, 20), bool)
    assert outline_distance(nothing, mask, 3.0) == pytest.approx(9 * 3.0, rel=0.05)


def test_where_there_is_nothing_to_find_nothing_is_measured():
    nothing = np.zeros((20, 20, 20), bool)
    assert outline_distance(cube((4, 4, 4), (12, 12, 12)), nothing, 3.0) == 0
