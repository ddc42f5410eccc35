"""Signed distances of a surface on a grid."""

import numpy as np

from massm.geometry.depth import depth_on
from massm.geometry.isosurface import isosurface, sample_grid


def test_the_depth_of_a_ball_is_its_radius_less_the_distance_from_its_middle():
    grid, points = sample_grid(np.full(3, -14.0), np.full(3, 14.0), 1.0)
    true = (9 - np.linalg.norm(points, axis=1)).reshape(grid.array.shape)
    depth = depth_on(isosurface(grid.with_array(true)), grid)
    near = np.abs(true) < 2
    np.testing.assert_allclose(depth[near], true[near], atol=0.1)
    assert np.array_equal(depth > 0.2, true > 0.2)
    np.testing.assert_allclose(depth, true, atol=1.2)
