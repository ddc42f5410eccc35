"""The average lies between the shapes."""

import numpy as np
import pytest

from massm.geometry.isosurface import isosurface, sample_grid
from massm.template.average import average_shape


def ball(radius, center=(0.0, 0, 0)):
    reach = np.full(3, radius + 2.0)
    grid, points = sample_grid(np.array(center) - reach, np.array(center) + reach, 1.0)
    field = radius - np.linalg.norm(points - center, axis=1)
    return isosurface(grid.with_array(field.reshape(grid.array.shape)), 0.0)


def test_average_of_two_balls_is_the_ball_between():
    average = average_shape([ball(10), ball(14)], spacing_mm=1.5)

    assert average.is_closed
    assert np.linalg.norm(average.vertices, axis=1) == pytest.approx(12, abs=0.25)


def test_shapes_far_apart_have_no_average():
    with pytest.raises(ValueError, match="overlap too little"):
        average_shape([ball(4), ball(4, (60.0, 0, 0))], spacing_mm=2.0)


def test_no_shape_is_refused():
    with pytest.raises(ValueError, match="at least one shape"):
        average_shape([], spacing_mm=2.0)
