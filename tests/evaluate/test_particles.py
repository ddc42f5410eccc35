import numpy as np
import pytest

from massm.evaluate.particles import particle_measures, span_measures
from massm.pdm.shape_model import fit_shape_model


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


def test_what_the_modes_cannot_make_is_the_distance_from_the_span(rng):
    shapes = rng.normal(size=(4, 10, 3))
    model = fit_shape_model(shapes)
    inside = shapes[0] + 0.3 * (shapes[1] - shapes[2])
    assert span_measures(inside, model)["span_distance"] == pytest.approx(0, abs=1e-9)
    away = rng.normal(size=(10, 3))
    flat = np.linalg.svd((shapes - shapes.mean(0)).reshape(4, -1))[2][:3]
    away -= (flat.T @ (flat @ away.ravel())).reshape(10, 3)
    found = span_measures(inside + away, model)["span_distance"]
    assert found == pytest.approx(np.sqrt(np.square(away).sum(1).mean()))
