"""How a level's weights go."""

import pytest

from massm.pdm.optimizer import annealed, scarcity
from tests.pdm.shapes import engine_settings


def test_the_regularization_falls_to_its_end_and_stays():
    config = engine_settings(regularization_start=1.0, regularization_end=0.0001).entropy
    assert annealed(config, 0.0) == 1.0
    assert annealed(config, 0.4) == pytest.approx(0.01)
    assert annealed(config, 0.8) == annealed(config, 1.0) == pytest.approx(0.0001)


def test_a_start_that_corresponds_is_not_melted():
    config = engine_settings(regularization_start=1.0, regularization_end=0.0001).entropy
    assert annealed(config, 0.0, begun=0.5) == pytest.approx(0.01)
    assert annealed(config, 1.0, begun=0.5) == pytest.approx(0.0001)


@pytest.mark.parametrize(("count", "factor"), [(2, 2), (128, 2), (160, 1.6), (256, 1), (1024, 1)])
def test_few_particles_get_more(count, factor):
    assert scarcity(count) == factor
