"""Shape modes: linear, invertible, without folds."""

import numpy as np
import pytest

from massm.dataset.phantom.anatomies import ANATOMIES
from massm.dataset.phantom.modes import (
    COEFFICIENT_LIMIT,
    MODE_NAMES,
    MODES,
    deform,
    draw_coefficients,
    invert,
)
from massm.dataset.phantom.template import grid_points

LOW, HIGH = np.array([-140.0, -100.0, -185.0]), np.array([140.0, 100.0, 145.0])


@pytest.fixture
def points(rng):
    return rng.uniform(LOW, HIGH, (300, 3))


def test_every_anatomy_has_modes_of_its_own():
    assert len(set(MODE_NAMES)) == len(MODES)
    owners = {name.split(":")[0] for name in MODE_NAMES}
    assert owners == set(ANATOMIES) | {"body"}


def test_displacements_add_up(points):
    first, second = np.zeros(len(MODES)), np.zeros(len(MODES))
    first[3], second[20] = 1.5, -0.5
    both = deform(points, first + second) - points
    apart = deform(points, first) + deform(points, second) - 2 * points
    np.testing.assert_allclose(both, apart, atol=1e-9)


def test_no_mode_moves_nothing(points):
    np.testing.assert_array_equal(deform(points, np.zeros(len(MODES))), points)


def test_coefficients_are_cut_off_and_scaled():
    values = np.array([draw_coefficients(np.random.default_rng(i), 0.5) for i in range(200)])
    assert np.abs(values).max() <= 0.5 * COEFFICIENT_LIMIT
    assert values.std() == pytest.approx(0.5 * 0.88, rel=0.03)


def test_the_inverse_leads_back(points):
    coefficients = draw_coefficients(np.random.default_rng(3), 1.0)
    body = deform(points, coefficients)
    back = invert(coefficients, LOW - 20, HIGH + 20, 10.0)(body)
    error = np.linalg.norm(back - points, axis=1)
    assert error.mean() < 0.2
    assert error.max() < 0.8


@pytest.mark.parametrize("seed", range(5))
def test_the_body_does_not_fold(seed):
    nodes, _ = grid_points(LOW, HIGH, 25.0)
    coefficients = draw_coefficients(np.random.default_rng(seed), 1.0)
    step = 0.5 * np.eye(3)
    columns = [deform(nodes + s, coefficients) - deform(nodes - s, coefficients) for s in step]
    assert np.linalg.det(np.stack(columns, axis=2)).min() > 0.1
