"""Voxel indices and millimeters."""

import numpy as np
import pytest

from massm.geometry.volume import Volume


def test_the_origin_is_the_center_of_the_first_voxel(volume):
    np.testing.assert_allclose(volume.index_to_point(np.zeros(3)), volume.origin)


def test_indices_are_x_y_z_and_arrays_z_y_x():
    volume = Volume(np.zeros((2, 3, 4)), np.array([1.0, 10.0, 100.0]))

    assert volume.size == (4, 3, 2)
    np.testing.assert_allclose(volume.index_to_point(np.array([3.0, 2.0, 1.0])), [3, 20, 100])


def test_a_quarter_turn_by_hand():
    turned = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    volume = Volume(np.zeros((1, 1, 2)), np.array([2.0, 3.0, 4.0]), np.ones(3), turned)

    np.testing.assert_allclose(volume.index_to_point(np.array([1.0, 0, 0])), [1, 3, 1])
    np.testing.assert_allclose(volume.index_to_point(np.array([0.0, 1, 0])), [-2, 1, 1])


def test_points_come_back_from_indices(volume, rng):
    points = rng.uniform(-500, 500, (50, 3))
    back = volume.index_to_point(volume.point_to_index(points))
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_the_affine_says_the_same_as_index_to_point(volume, rng):
    index = rng.uniform(0, 5, (10, 3))
    by_matrix = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    np.testing.assert_allclose(by_matrix, volume.index_to_point(index))


def test_corners_reach_the_last_voxel(volume):
    np.testing.assert_allclose(volume.corners()[-1], volume.index_to_point(np.array([6.0, 5, 4])))


def test_voxel_volume_in_milliliters(volume):
    assert volume.voxel_ml == pytest.approx(0.8 * 1.1 * 2.5 / 1000)


def test_values_of_another_shape_are_refused(volume):
    with pytest.raises(ValueError, match="the grid holds"):
        volume.with_array(np.zeros((1, 2, 3)))
