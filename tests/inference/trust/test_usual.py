"""Strangeness and the levels that it is compared with, by hand."""

import math

import numpy as np
import pytest

from massm.inference.statistics import PROBABILITIES
from massm.inference.trust.evidence import Gathered
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN
from massm.inference.trust.places import arrangement_of
from massm.inference.trust.usual import strangeness, usual

KINDS = {name: OF_ANATOMY[name] for name in ("score", "hu", "mahalanobis")}
PLACES = arrangement_of(("a", "b"), np.zeros((0, 2, 3)))


def tables(*ends):
    """Quantiles of uniform distributions."""
    return np.array([low + PROBABILITIES * (high - low) for low, high in ends])


def test_it_is_the_distance_from_the_median_in_that_of_the_outer_five_percent():
    quantiles = tables((0.5, 1.0), (0, 100), (1, 3))  # 5 %: 0.525, 5, 1.1; 95 %: 0.975, 95, 2.9
    found = strangeness(np.array([0.3, 140.0, 4.7]), quantiles, KINDS)
    np.testing.assert_allclose(found, [0.45 / 0.225, 90 / 45, 2.7 / 0.9])
    other = strangeness(np.array([1.0, -40.0, 0.0]), quantiles, KINDS)
    np.testing.assert_allclose(other, [0, 90 / 45, 0])


def test_differences_below_the_floor_mean_nothing():
    quantiles = tables((0.99, 0.99), (50, 50), (2, 2))
    found = strangeness(np.array([0.97, 55.0, 2.25]), quantiles, KINDS)
    np.testing.assert_allclose(found, [0.4, 0.5, 0.5])


def test_what_is_not_known_is_not_strange():
    quantiles = tables((0, 1), (0, 1), (0, 1))
    quantiles[1] = np.nan
    assert np.isnan(strangeness(np.array([np.nan, 7.0, 0.5]), quantiles, KINDS)).tolist() == [
        *(True, True, False)
    ]


def subjects(count, seed=0, **odd):
    """Evidence of subjects of a normal population; some values of the first put elsewhere."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(count):
        values = dict.fromkeys(OF_ANATOMY, 0.0) | {"hu": draw.normal(50, 20)}
        scan = dict.fromkeys(OF_SCAN, 0.0) | {"peak": draw.normal(40, 60)}
        if number == 0:
            values |= odd
        own = np.array(list(values.values()))
        found.append(Gathered({"a": own}, np.array(list(scan.values()))))
    return found


def test_levels_are_the_conformal_quantile_of_left_out_scores():
    found = usual(subjects(19), PLACES, 0.1, "validation")
    assert (found.subjects, found.found.tolist()) == (19, [19, 0])
    # Of 19 the 18th smallest is amber, the 19th red, since half of 10 % are left for each.
    scores = []
    for row in range(19):
        rest = subjects(19)
        own = rest.pop(row)
        others = usual(rest, PLACES, 0.1, "")
        scores.append(
            (
                np.nanmax(strangeness(own.anatomies["a"], others.quantiles[0], OF_ANATOMY)),
                np.nanmax(strangeness(own.scan, others.scan_quantiles, OF_SCAN)),
            )
        )
    scores = np.array(scores)
    assert found.amber[0] == pytest.approx(max(1, np.sort(scores[:, 0])[17]))
    assert found.scan_amber == pytest.approx(max(1, np.sort(scores[:, 1])[17]))
    assert found.red == pytest.approx(max(1, np.sort(scores[:, 0])[18]))
    assert found.scan_red == pytest.approx(max(1, np.sort(scores[:, 1])[18]))
    assert math.isinf(found.amber[1])
    assert np.isnan(found.quantiles[1]).all()


def test_of_few_subjects_the_strangest_is_the_level():
    found = usual(subjects(10, hu=500.0), PLACES, 0.05, "validation")
    assert found.red == found.amber[0]
    assert found.red > 8


def test_an_odd_organ_does_not_excuse_an_odd_scan():
    odd, usually = (usual(subjects(30, **some), PLACES, 0.05, "") for some in ({"hu": 900.0}, {}))
    assert odd.red > 3 * usually.red
    assert odd.scan_red == usually.scan_red


def test_of_four_subjects_nothing_is_said():
    assert usual(subjects(4), PLACES, 0.05, "validation").is_empty
    assert usual([], PLACES, 0.05, "validation").is_empty
    assert not usual(subjects(6), PLACES, 0.05, "validation").is_empty


def test_new_subjects_of_the_same_population_are_seldom_red():
    alarms = []
    for seed in range(15):
        found = usual(subjects(39, seed), PLACES, 0.05, "validation")
        for one in subjects(25, 1000 + seed):
            own = np.nanmax(strangeness(one.anatomies["a"], found.quantiles[0], OF_ANATOMY))
            scan = np.nanmax(strangeness(one.scan, found.scan_quantiles, OF_SCAN))
            alarms.append(own > found.red or scan > found.scan_red)
    assert np.mean(alarms) < 0.08
