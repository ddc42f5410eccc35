"""Level sets and outlines lie where the volume lies, closed and outward."""

import numpy as np
import pytest

from massm.geometry.boxes import box_of
from massm.geometry.isosurface import isosurface, sample_grid, voxel_surface
from massm.geometry.volume import Volume

FLIP = np.diag([-1.0, 1.0, 1.0])


def ball_field(direction):
    grid = Volume(
        np.zeros((31, 25, 21)), np.array([2.0, 1.6, 1.3]), np.array([5.0, -8, 90]), direction
    )
    index = np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T
    points = grid.index_to_point(index)
    center = grid.index_to_point(np.array([10.0, 12, 15]))
    return center, grid.with_array(
        (12 - np.linalg.norm(points - center, axis=1)).reshape(grid.array.shape)
    )


@pytest.mark.parametrize("direction", [np.eye(3), FLIP])
def test_isosurface_of_a_ball(direction):
    center, field = ball_field(direction)

    mesh = isosurface(field, 0.0)

    assert mesh.is_closed
    assert mesh.euler_characteristic == 2
    assert np.linalg.norm(mesh.vertices - center, axis=1) == pytest.approx(12, abs=0.1)
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.015)


def test_isosurface_is_closed_at_the_border_and_at_values_equal_to_the_level():
    mask = Volume(np.ones((3, 4, 5)), np.ones(3))
    field = Volume(np.pad(np.ones((2, 2, 2)), 2), np.ones(3))

    assert isosurface(mask, 0.5).is_closed
    assert isosurface(field, 0.0).is_closed


def test_isosurface_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no voxel lies above"):
        isosurface(Volume(np.zeros((3, 3, 3)), np.ones(3)), 0.5)


@pytest.mark.parametrize("direction", [np.eye(3), FLIP])
def test_outline_has_exactly_the_volume_and_area_of_its_voxels(direction):
    array = np.zeros((4, 5, 6), bool)
    array[1:3, 1:4, 2:4] = True
    mask = Volume(array, np.array([1.0, 2.0, 3.0]), np.array([7.0, 8, 9]), direction)

    outline = voxel_surface(mask)

    assert outline.is_closed
    assert outline.volume == pytest.approx(12 * 6.0)
    assert outline.area == pytest.approx(2 * (2 * 6 + 2 * 6 + 6 * 6))
    center, radius = box_of(outline.vertices)
    np.testing.assert_allclose(center, mask.index_to_point(np.array([2.5, 2, 1.5])))
    np.testing.assert_allclose(radius, [1, 3, 3])


def test_outline_of_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="empty"):
        voxel_surface(Volume(np.zeros((2, 2, 2), bool), np.ones(3)))


def test_grid_points_are_in_the_order_of_the_raveled_array():
    low, high = np.array([0.0, 10, 20]), np.array([3.0, 12, 21])

    grid, points = sample_grid(low, high, 1.0)

    assert grid.array.shape == (2, 3, 4)
    values = grid.with_array((points @ [1, 10, 100]).reshape(grid.array.shape))
    assert values.array[1, 2, 3] == pytest.approx(3 + 120 + 2100)
    np.testing.assert_allclose(points.max(0), high)
