import numpy as np
import pytest

from massm.pdm.shape_model import fit_shape_model


@pytest.fixture
def population(rng):
    """Twelve shapes of nine particles that vary along two known directions."""
    mean = rng.normal(size=(9, 3))
    basis = np.linalg.qr(rng.normal(size=(27, 2)))[0].T.reshape(2, 9, 3)
    scores = rng.normal(size=(12, 2)) * [5, 2]
    return mean + np.einsum("nk,kma->nma", scores, basis)


def test_two_directions_give_two_modes(population):
    model = fit_shape_model(population)
    assert len(model.variances) == 2
    np.testing.assert_allclose(model.compactness[-1], 1)
    total = np.square(population - population.mean(0)).sum() / 11
    np.testing.assert_allclose(model.variances.sum(), total)


def test_modes_are_orthonormal(population):
    rows = fit_shape_model(population).modes.reshape(2, -1)
    np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-9)


def test_scores_and_shapes_are_inverse(population):
    model = fit_shape_model(population)
    np.testing.assert_allclose(model.shapes(model.scores(population)), population, atol=1e-9)


def test_projection_leaves_what_the_modes_do_not_hold(population, rng):
    model = fit_shape_model(population)
    shape = population[0] + rng.normal(size=(9, 3))
    rest = shape - model.project(shape, 2)
    np.testing.assert_allclose(np.einsum("ma,kma->k", rest, model.modes), 0, atol=1e-9)


def test_drawn_shapes_have_the_variance_of_the_model(population, rng):
    model = fit_shape_model(population)
    scores = model.scores(model.draw(4000, 2, rng))
    np.testing.assert_allclose(scores.var(0), model.variances, rtol=0.1)


def test_one_shape_is_refused(population):
    with pytest.raises(ValueError, match="at least 2 shapes, got 1"):
        fit_shape_model(population[:1])
