"""Training shapes and where their model is worst."""

import numpy as np
import pytest

from massm.pdm.quality import generalization
from massm.reconstruct.from_particles import Warp
from massm.report.shapes.misfit import find_misfit
from massm.report.shapes.training import TrainingSurfaces
from tests.evaluate.synthetic import closed_sphere
from tests.toy_cohort import sphere_points


@pytest.fixture
def shapes(rng):
    """Six ellipsoids; a particle of the fifth sticks out."""
    unit, dots = closed_sphere(300), sphere_points(60)
    radii = 20 * np.exp(rng.normal(0, 0.1, (6, 1, 3)))
    world = dots * radii
    world[4, 11] *= 1.4
    homogeneous = [np.hstack([p, np.ones((len(p), 1))]) for p in (unit.vertices, dots)]
    weights = homogeneous[0] @ np.linalg.pinv(homogeneous[1])
    names = tuple(f"s{i}" for i in range(6))
    return TrainingSurfaces(names, world, np.tile(np.eye(4), (6, 1, 1)), Warp(weights, unit.faces))


def test_the_particle_that_sticks_out_is_the_worst_of_the_worst_subject(shapes):
    misfit = find_misfit(shapes.world)
    assert shapes.subjects[misfit.worst(2)[0]] == "s4"
    assert misfit.errors[4].argmax() == misfit.by_particle.argmax() == 11
    assert misfit.by_shape[misfit.worst(6)].tolist() == sorted(misfit.by_shape, reverse=True)


def test_error_is_that_of_the_curve_of_generalization(shapes):
    misfit = find_misfit(shapes.world)
    curve = generalization(None, shapes.world, shapes.transforms, (misfit.modes,))
    assert misfit.errors.mean() == pytest.approx(curve["particles"][misfit.modes])


@pytest.mark.parametrize(("shapes", "modes"), [(3, 1), (4, 2), (9, 6), (30, 10)])
def test_as_many_modes_as_the_curves_show_up_to_ten(rng, shapes, modes):
    assert find_misfit(rng.normal(size=(shapes, 8, 3))).modes == modes


def test_two_shapes_are_too_few(shapes):
    assert find_misfit(shapes.world[:2]) is None


def test_values_of_particles_are_spread_over_the_surface(shapes):
    height = shapes.world[1][:, 2]
    surface = shapes.surface(shapes.world[1])
    found = shapes.painted(height, shapes.world[1], surface.vertices)
    np.testing.assert_allclose(found, surface.vertices[:, 2].clip(height.min(), height.max()))
    assert found.max() <= height.max()


def test_distance_from_the_mean_shape_is_that_of_the_particles(shapes):
    gap = np.linalg.norm(shapes.world[2] - shapes.world.mean(0), axis=1)
    assert shapes.from_mean_mm[2] == pytest.approx(gap.mean())
