"""Masks of a part of their image."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io.dicom import on_grid_of
from massm.io.errors import DataError


@pytest.fixture
def part(volume):
    """A mask on a part of the volume's grid, and the whole mask."""
    whole = volume.array > 0.3
    inner = np.zeros_like(whole)
    inner[1:4, 2:5, 1:6] = whole[1:4, 2:5, 1:6]
    origin = volume.index_to_point(np.array([1.0, 2, 1]))
    return Volume(whole[1:4, 2:5, 1:6], volume.spacing, origin, volume.direction), inner


def test_a_part_is_padded(volume, part):
    placed = on_grid_of(part[0], volume, 0.01)
    np.testing.assert_array_equal(placed.array, part[1])
    np.testing.assert_array_equal(placed.affine, volume.affine)


def test_mirrored_and_exchanged_axes_are_turned_back(volume, part):
    mask, inner = part
    last = np.array(mask.size, float) - 1
    mirrored = Volume(
        mask.array[::-1, :, ::-1].transpose(1, 0, 2),
        mask.spacing[[0, 2, 1]],
        mask.index_to_point(last * [1, 0, 1]),
        (mask.direction * [-1, 1, -1])[:, [0, 2, 1]],
    )
    np.testing.assert_array_equal(on_grid_of(mirrored, volume, 0.01).array, inner)


def test_what_is_empty_outside_of_the_image_is_cut(volume):
    origin = volume.index_to_point(np.array([0.0, 0, -2]))
    array = np.zeros((5, 6, 7), bool)
    array[3, 2, 2] = True
    placed = on_grid_of(Volume(array, volume.spacing, origin, volume.direction), volume, 0.01)
    assert placed.array.sum() == 1
    assert placed.array[1, 2, 2]


def test_what_lies_outside_of_the_image_is_refused(volume):
    origin = volume.index_to_point(np.array([0.0, 0, -2]))
    mask = Volume(np.ones((5, 6, 7), bool), volume.spacing, origin, volume.direction)
    with pytest.raises(DataError, match="84 of 210 voxels of the mask lie outside"):
        on_grid_of(mask, volume, 0.01)


def test_grids_that_differ_by_parts_of_voxels_are_refused(volume, part):
    mask = part[0]
    beside = Volume(mask.array, mask.spacing, mask.origin + 0.3, mask.direction)
    with pytest.raises(DataError, match="voxels beside each other, expected whole"):
        on_grid_of(beside, volume, 0.01)
    larger = Volume(mask.array, mask.spacing * 1.4, mask.origin, mask.direction)
    with pytest.raises(DataError, match="beside each other|in size or direction"):
        on_grid_of(larger, volume, 0.01)
    halved = Volume(mask.array, mask.spacing / 2.5, mask.origin, mask.direction)
    with pytest.raises(DataError, match="differ in size or direction"):
        on_grid_of(halved, volume, 0.01)
