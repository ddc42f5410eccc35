import numpy as np
import pytest

from massm.evaluate.particles import particle_measures


def test_rmse_is_taken_per_axis_and_then_averaged():
    true = np.zeros((4, 3))
    found = particle_measures(true + [3.0, 0, 0], true)
    assert found["particle_rmse"] == pytest.approx(1)
    assert found["particle_rmse_x"] == pytest.approx(3)
    assert found["particle_rmse_y"] == 0
    assert found["particle_euclidean"] == pytest.approx(3)


def test_squares_are_averaged_over_particles_before_the_root():
    found = particle_measures(np.array([[1.0, 0, 0], [7.0, 0, 0]]), np.zeros((2, 3)))
    assert found["particle_rmse_x"] == pytest.approx(5)
    assert found["particle_euclidean"] == pytest.approx(4)


def test_different_numbers_of_particles_are_refused():
    with pytest.raises(ValueError, match="4 predicted particles, but 5"):
        particle_measures(np.zeros((4, 3)), np.zeros((5, 3)))
