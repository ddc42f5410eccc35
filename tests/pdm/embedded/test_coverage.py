"""Uncovered places are seen, and particles are drawn into them."""

import numpy as np
import pytest
import torch

from massm.geometry.mesh import Mesh
from massm.pdm.embedded.coverage import SurfaceSamples, coverage_energy
from massm.pdm.embedded.initialization import even_particles
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import ellipsoid

COUNT = 128


@pytest.fixture(scope="module")
def surfaces():
    return SurfaceSet([ellipsoid((20, 12, 9))], ["one"])


@pytest.fixture(scope="module")
def even(surfaces):
    return torch.from_numpy(even_particles(surfaces, COUNT, seed=0))[None]


def uncovered_of(surfaces, points):
    spacing = surfaces.spacing(COUNT)
    samples = SurfaceSamples(surfaces.meshes, spacing.numpy())
    return samples.uncovered(
        points, (TUNING.coverage_radius * spacing)[:, None].expand(points.shape[:2])
    ), spacing


def without_a_cap(points):
    """Push the particles of one end back from it."""
    moved = points.clone()
    moved[..., 0] = moved[..., 0].clamp(max=13.0)
    return moved


def test_an_even_spread_has_no_hole(surfaces, even):
    uncovered, spacing = uncovered_of(surfaces, even)
    energy, gradient = coverage_energy(even, uncovered, spacing)
    assert energy.item() == 0
    assert not gradient.any()


def test_a_bare_end_is_seen_and_draws_its_nearest_particles(surfaces, even):
    points = without_a_cap(even)
    uncovered, spacing = uncovered_of(surfaces, points)
    energy, gradient = coverage_energy(points, uncovered, spacing)
    assert energy.item() > 0.01
    assert (uncovered.point[:, 0] > 13).all()
    drawn = gradient[0].norm(dim=1) > 0
    assert (points[0, drawn, 0] > 11).all()
    assert (gradient[0, drawn, 0] < 0).all()  # downhill is towards the end


def test_the_gradient_is_that_of_the_energy(surfaces, even):
    points = without_a_cap(even).requires_grad_()
    uncovered, spacing = uncovered_of(surfaces, points)
    energy, gradient = coverage_energy(points, uncovered, spacing)
    (expected,) = torch.autograd.grad(energy.sum(), points)
    torch.testing.assert_close(gradient.detach(), COUNT * expected)


def test_a_tip_without_area_has_a_witness():
    """A spike of a few square millimeters on a coarse box."""
    vertices = np.array(
        [[x, y, z] for x in (-10, 10) for y in (-10, 10) for z in (-10, 10)] + [[40, 0, 0]], float
    )
    sides = [[0, 1, 3], [0, 3, 2], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4]]
    sides += [[1, 5, 7], [1, 7, 3], [4, 6, 8], [6, 7, 8], [7, 5, 8], [5, 4, 8]]
    mesh = Mesh(vertices, np.array(sides))
    assert mesh.volume > 0
    samples = SurfaceSamples([mesh], np.array([10.0]))
    bare = samples.uncovered(torch.zeros(1, 1, 3, dtype=torch.float64), torch.ones(1, 1).double())
    assert (bare.point - torch.tensor([40.0, 0, 0])).norm(dim=1).min() == 0


def test_who_covers_more_is_asked_for_less(surfaces, even):
    points = without_a_cap(even)
    spacing = surfaces.spacing(COUNT)
    samples = SurfaceSamples(surfaces.meshes, spacing.numpy())
    near = samples.uncovered(points, torch.full(points.shape[:2], 2.0).double())
    far = samples.uncovered(points, torch.full(points.shape[:2], 6.0).double())
    assert 0 < len(far.shape) < len(near.shape)
