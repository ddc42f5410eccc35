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


def test_the_modes_are_those_of_a_singular_value_decomposition(rng):
    shapes = rng.normal(size=(30, 20, 3)) * rng.uniform(1, 9, (1, 20, 3))
    _, singular, directions = np.linalg.svd((shapes - shapes.mean(0)).reshape(30, -1))
    model = fit_shape_model(shapes, 12)
    np.testing.assert_allclose(model.variances, singular[:12] ** 2 / 29, rtol=1e-9)
    along = np.einsum("kj,kj->k", model.modes.reshape(12, -1), directions[:12])
    np.testing.assert_allclose(np.abs(along), 1, atol=1e-9)


def test_a_mode_points_to_the_shape_that_is_farthest_along_it(rng):
    shapes = rng.normal(size=(15, 6, 3))
    scores = fit_shape_model(shapes).scores(shapes)
    assert (scores.max(0) > -scores.min(0)).all()


def test_more_modes_come_nearer_up_to_the_span(rng):
    train, shape = rng.normal(size=(8, 5, 3)), rng.normal(size=(5, 3))
    model = fit_shape_model(train)
    errors = [np.linalg.norm(model.project(shape, modes) - shape) for modes in range(1, 8)]
    assert (np.diff(errors) < 0).all()
    nearest = model.project(shape, 7)
    np.testing.assert_allclose(model.project(nearest, 7), nearest, atol=1e-9)


def test_equal_shapes_have_no_modes(population):
    model = fit_shape_model(population[:1].repeat(4, 0))
    assert len(model.modes) == 0
    np.testing.assert_allclose(model.project(population[:1], 3), population[:1])


def test_shapes_that_are_not_finite_are_refused(population):
    population[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit_shape_model(population)


def test_one_shape_is_refused(population):
    with pytest.raises(ValueError, match="at least 2 shapes, got 1"):
        fit_shape_model(population[:1])
