"""Probabilities become one clean surface at one half."""

import logging

import numpy as np
import pytest

from massm.config.groom import SurfaceConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.topology import component_labels, genus
from massm.geometry.volume import Volume
from massm.groom.probability import groom_probability

CENTER = np.array([40.0, -20.0, 500.0])
CONFIG = SurfaceConfig(
    spacing_mm=1.5,
    antialias_iterations=5,
    handle_mm=9.0,
    smoothing_voxels=4.0,
    faces=2000,
    hole_mm=0.0,
)


@pytest.fixture
def grid():
    return Volume(np.zeros((24, 24, 24)), np.full(3, 3.5), CENTER - 40.25)


def away(grid, center=CENTER):
    index = np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T
    return np.linalg.norm(grid.index_to_point(index) - center, axis=1).reshape(grid.array.shape)


def ball(grid, radius, center=CENTER, soft=2.0):
    return 1 / (1 + np.exp((away(grid, center) - radius) / soft))


@pytest.mark.parametrize("radius", [12.0, 12.9, 14.1, 15.3])
def test_a_ball_has_its_radius_at_any_place_between_voxels(grid, radius):
    surface = groom_probability(grid.with_array(ball(grid, radius)), CONFIG, "s1 ball")
    distance = np.linalg.norm(surface.vertices - CENTER, axis=1)
    assert surface.is_closed
    assert genus(surface) == 0
    assert distance.mean() == pytest.approx(radius, abs=0.15)
    assert np.abs(distance - radius).max() < 0.6


def test_only_the_largest_piece_stays_and_its_cavities_are_filled(grid):
    values = np.maximum(ball(grid, 14.0), ball(grid, 6.0, CENTER + [28.0, 0, 0]))
    values[away(grid) < 5] = 0.0
    surface = groom_probability(grid.with_array(values), CONFIG, "s1 ball")
    assert component_labels(surface).max() == 0
    distance = np.linalg.norm(surface.vertices - CENTER, axis=1)
    np.testing.assert_allclose(distance, 14.0, atol=0.7)


def test_it_closes_where_the_grid_ends(grid):
    values = ball(grid, 14.0, grid.origin + [40.25, 40.25, 0.0])
    surface = groom_probability(grid.with_array(values), CONFIG, "s1 ball")
    assert surface.is_closed
    assert surface.volume_ml == pytest.approx(2 / 3 * np.pi * 14**3 / 1000, rel=0.2)


def test_a_small_hole_is_filled(grid):
    values = ball(grid, 15.0)
    index = np.indices(values.shape, float)[::-1].reshape(3, -1).T
    x, y, z = (grid.index_to_point(index) - CENTER).T.reshape(3, *values.shape)
    values[np.abs(z) > 4] = 0.0  # a disk of two voxels
    values[np.hypot(x - 1.75, y - 1.75) < 1] = 0.2
    surface = groom_probability(grid.with_array(values), CONFIG, "s1 ball")
    assert genus(surface) == 0
    open_hole = CONFIG.model_copy(update={"handle_mm": 0.0})
    assert genus(groom_probability(grid.with_array(values), open_hole, "s1 ball")) == 1


def test_a_single_voxel_still_has_a_closed_surface_around_it(grid, caplog):
    values = grid.array.copy()
    values[12, 12, 12] = 0.9
    with caplog.at_level(logging.WARNING):
        surface = groom_probability(grid.with_array(values), CONFIG, "s1 ball")
    assert surface.is_closed
    middle = grid.index_to_point(np.full((1, 3), 12.0))
    assert SurfaceIndex(surface).closest(middle).distance[0] < 3.5


def test_nothing_above_one_half_is_refused(grid):
    with pytest.raises(ValueError, match="empty"):
        groom_probability(grid.with_array(grid.array + 0.4), CONFIG, "s1 ball")
