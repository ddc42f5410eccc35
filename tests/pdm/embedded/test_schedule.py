"""How weight and regularization go during a level."""

import pytest

from massm.pdm.embedded.schedule import length_of, regularization_at, scarcity, weight_of
from massm.pdm.embedded.tuning import TUNING
from tests.pdm.shapes import engine_settings

CONFIG = engine_settings(regularization_start=1.0, regularization_end=0.0001).entropy


def test_the_regularization_falls_to_its_end_and_stays():
    assert regularization_at(CONFIG, 0.0, 256, corresponding=False) == 1.0
    assert regularization_at(CONFIG, 0.4, 256, corresponding=False) == pytest.approx(0.01)
    assert regularization_at(CONFIG, 0.8, 256, corresponding=False) == pytest.approx(0.0001)
    assert regularization_at(CONFIG, 1.0, 256, corresponding=False) == pytest.approx(0.0001)


def test_a_start_that_corresponds_is_not_melted():
    assert regularization_at(CONFIG, 0.0, 256, corresponding=True) == pytest.approx(0.01)
    assert regularization_at(CONFIG, 1.0, 256, corresponding=True) == pytest.approx(0.0001)


def test_few_particles_end_with_less_regularization():
    assert regularization_at(CONFIG, 1.0, 128, corresponding=False) == pytest.approx(0.0001 / 8)
    assert regularization_at(CONFIG, 0.0, 128, corresponding=False) == 1.0


@pytest.mark.parametrize(("count", "factor"), [(2, 2), (128, 2), (160, 1.6), (256, 1), (1024, 1)])
def test_few_particles_get_more(count, factor):
    assert scarcity(count) == factor


@pytest.mark.parametrize(
    ("count", "transferring", "share"),
    [(256, True, 0.5), (256, False, 1), (512, False, 1), (128, False, 2.25), (170, False, 1.6324)],
)
def test_few_particles_move_longer_and_those_that_transfer_others_less(count, transferring, share):
    found = length_of(CONFIG, count, transferring=transferring)
    assert found == pytest.approx(share * CONFIG.iterations, rel=0.02)


@pytest.mark.parametrize(
    ("count", "factor"), [(64, 4 * 20.16), (128, 2 * 20.16), (256, 1), (1024, 0.25)]
)
def test_the_weight_goes_with_the_area_of_a_particle(count, factor):
    weight = weight_of(CONFIG, count, corresponding=False)
    assert weight == pytest.approx(factor * CONFIG.correspondence_weight, rel=1e-3)
    assert weight_of(CONFIG, count, corresponding=True) == pytest.approx(
        TUNING.transferred_weight * weight
    )
