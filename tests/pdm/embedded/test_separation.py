"""Pairs that are too near part, the others stay."""

import numpy as np
import pytest
import torch

from massm.pdm.embedded.initialization import even_particles
from massm.pdm.embedded.separation import separate_pairs
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.quality import spread_measures
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import ellipsoid


@pytest.fixture(scope="module")
def surfaces():
    return SurfaceSet([ellipsoid((20, 12, 9)), ellipsoid((16, 14, 10))], ["one", "two"])


@pytest.fixture(scope="module")
def even(surfaces):
    return surfaces.project(
        torch.stack(
            [torch.from_numpy(even_particles(surfaces.take([row]), 100, seed=0)) for row in (0, 1)]
        )
    )


def test_a_pair_that_is_too_near_parts_on_its_surface(surfaces, even):
    points = even.points.clone()
    nearest = (points[1] - points[1, 0]).norm(dim=1).argsort()[1]
    points[1, nearest] = points[1, 0] + 0.1 * (points[1, nearest] - points[1, 0])
    initial = surfaces.project(points, even.normals)
    separated = separate_pairs(surfaces, initial)
    measures = spread_measures(surfaces, separated.points.numpy())
    assert spread_measures(surfaces, initial.points.numpy())["separation_ratio"] < 0.2
    assert measures["separation_ratio"] > 0.98 * TUNING.least_separation
    assert measures["distance_max"] < 1e-9


def test_an_even_spread_stays_as_it_is(surfaces, even):
    torch.testing.assert_close(separate_pairs(surfaces, even).points, even.points, rtol=0, atol=0.3)
    far = np.abs((separate_pairs(surfaces, even).points - even.points).numpy()).max(-1)
    assert (far == 0).mean() > 0.8


def test_particles_at_one_place_have_no_way_apart(surfaces, even):
    points = even.points.clone()
    points[0, 1] = points[0, 0]
    initial = surfaces.project(points, even.normals)
    separated = separate_pairs(surfaces, initial)
    torch.testing.assert_close(separated.points[0, 1], separated.points[0, 0])
    assert surfaces.project(separated.points).distance.max() < 1e-9


def test_where_particles_shall_lie_closer_they_stay(surfaces, even):
    points = even.points.clone()
    pair = (points[1] - points[1, 0]).norm(dim=1).argsort()[:2]
    points[1, pair[1]] = (points[1, pair[0]] + points[1, pair[1]]) / 2
    initial = surfaces.project(points, even.normals)
    density = torch.ones(100).double()
    density[pair] = 3.0

    def moved(separated):
        return (separated.points - initial.points)[1, pair].norm(dim=-1)

    assert (moved(separate_pairs(surfaces, initial)) > 0.3).all()
    assert (moved(separate_pairs(surfaces, initial, density)) < 0.05).all()
