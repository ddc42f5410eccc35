"""Cleaning keeps one piece in its place."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.groom.mask import clean_mask


def test_the_largest_piece_is_cropped_and_keeps_its_place(volume):
    array = np.zeros(volume.array.shape, bool)
    array[1:4, 2:5, 3:6] = True
    array[2, 3, 4] = False  # a cavity
    array[0, 0, 0] = True  # a speck
    mask = volume.with_array(array)

    cleaned = clean_mask(mask, margin_voxel=2)

    assert cleaned.array.shape == (7, 7, 7)
    assert cleaned.array.sum() == 27
    first = np.array([2.0, 2.0, 2.0])
    np.testing.assert_allclose(
        cleaned.index_to_point(first), mask.index_to_point(np.array([3.0, 2.0, 1.0]))
    )


def test_voxels_that_share_a_corner_belong_together():
    array = np.zeros((6, 6, 6), bool)
    array[1:3, 1:3, 1:3] = True
    array[3:5, 3:5, 3:5] = True
    assert clean_mask(Volume(array, np.ones(3))).array.sum() == 16


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="empty"):
        clean_mask(Volume(np.zeros((3, 3, 3), bool), np.ones(3)))
