"""Where anatomies lie relative to each other."""

import numpy as np
import pytest

from massm.inference.trust.places import arrangement_of, twin_of
from tests.inference.trust.scenes import CENTERS, LEFT, MIDDLE, NAMES, RIGHT


def training(count=40, seed=0):
    draw = np.random.default_rng(seed)
    centers = np.stack([CENTERS[name] for name in NAMES])
    return centers + 100 * draw.normal(size=(count, 1, 3)) + draw.normal(0, 2, (count, 3, 3))


def test_the_distance_is_in_standard_deviations_of_the_pair():
    ways = np.array([[4.0, 0, 0], [-4, 0, 0], [0, 4, 0], [0, -4, 0], [0, 0, 4], [0, 0, -4]])
    centers = np.stack([ways, np.zeros((6, 3))], axis=1)
    places = arrangement_of(("a", "b"), centers)
    # Variance 16 / 3 in all directions, and 1 mm more.
    np.testing.assert_allclose(places.covariance[0, 1], np.eye(3) * (16 / 3 + 1))
    found = places.strangeness({"a": np.array([5.0, 0, 0]), "b": np.zeros(3)})
    expected = 5 / np.sqrt(3 * (16 / 3 + 1))
    assert found == {"a": pytest.approx(expected), "b": pytest.approx(expected)}


def test_where_the_body_lies_does_not_matter():
    places = arrangement_of(NAMES, training())
    moved = {name: center + 300 for name, center in CENTERS.items()}
    assert max(places.strangeness(moved).values()) < 1


def test_the_one_that_is_elsewhere_is_stranger_than_the_others():
    places = arrangement_of(NAMES, training())
    moved = CENTERS | {MIDDLE: CENTERS[MIDDLE] + [0, 40, 0]}
    found = places.strangeness(moved)
    assert found[MIDDLE] > 5
    assert found[LEFT] < found[MIDDLE]
    assert all(np.isnan(list(places.strangeness({LEFT: CENTERS[LEFT]}).values())))


def test_an_exchange_of_left_and_right_has_a_sign():
    places = arrangement_of(NAMES, training())
    usual = places.sides(CENTERS)
    assert usual[LEFT] == pytest.approx(1, abs=0.1)
    assert np.isnan(usual[MIDDLE])
    exchanged = places.sides(CENTERS | {LEFT: CENTERS[RIGHT], RIGHT: CENTERS[LEFT]})
    assert exchanged[LEFT] == pytest.approx(-usual[LEFT])
    assert exchanged[RIGHT] == pytest.approx(-1, abs=0.1)


def test_of_few_training_subjects_nothing_is_known():
    centers = training()
    centers[4:, 0] = np.nan
    places = arrangement_of(NAMES, centers)
    assert np.isnan(places.mean[0]).all()
    found = places.strangeness(CENTERS)
    assert np.isnan(found[LEFT])
    assert np.isfinite(found[RIGHT])
    assert np.isnan(places.sides(CENTERS)[RIGHT])


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("LeftParotid", "RightParotid"),
        ("heart_ventricle_left", "heart_ventricle_right"),
        ("Parotid_L", "Parotid_R"),
        ("Mandible", None),
        ("bright", None),
        ("left_right", None),
    ],
)
def test_twins_are_found_by_name(name, twin):
    names = (name, "Mandible", "Lung_R", *([twin] if twin else []))
    assert twin_of(name, names) == twin
    if twin:
        assert twin_of(twin, names) == name


def test_where_an_anatomy_should_be_is_told_by_the_others():
    places = arrangement_of(NAMES, training())
    moved = {name: center + 300 for name, center in CENTERS.items()}
    elsewhere = moved | {MIDDLE: moved[MIDDLE] + [0, 40, 0]}
    weights = dict.fromkeys(NAMES, 0.8)
    place = places.expected(MIDDLE, elsewhere, weights)
    np.testing.assert_allclose(place.center, moved[MIDDLE], atol=2)
    assert place.distance(moved[MIDDLE]) < 0.5
    assert place.distance(elsewhere[MIDDLE]) > 3
    # one that the model is less sure of counts less, and not at all without a score
    misled = moved | {RIGHT: moved[RIGHT] + [0, 0, 30]}
    off = [
        places.expected(MIDDLE, misled, weights | {RIGHT: weight}).center[2] - moved[MIDDLE][2]
        for weight in (0.8, 0.1, 0.0)
    ]
    assert off[0] == pytest.approx(15, abs=2)
    assert off[0] > off[1] > off[2] == pytest.approx(0, abs=2)
    assert places.expected(MIDDLE, {MIDDLE: moved[MIDDLE]}, weights) is None
