import numpy as np
import pytest
import torch

from massm.geometry.mesh import Mesh
from massm.pdm.embedded.density import density_of, normal_variation
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.embedded.initialization import even_particles
from massm.pdm.neighbors import find_neighbors
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings, sphere


def _cigar() -> Mesh:
    ball = sphere(3)
    return Mesh(ball.vertices * (30, 10, 10), ball.faces)


def _spread(points):
    """Mean distance to the nearest four, at the tips and at the waist of a cigar."""
    gaps = np.sort(np.linalg.norm(points[:, None] - points, axis=2), 1)[:, 1:5].mean(1)
    return gaps[np.abs(points[:, 0]) > 24].mean(), gaps[np.abs(points[:, 0]) < 10].mean()


def test_a_sphere_bends_by_spacing_over_radius():
    ball = sphere(3)
    surface = SurfaceSet([Mesh(ball.vertices * 20, ball.faces)], ["ball"])
    own = even_particles(surface, 200, seed=0)
    particles = surface.project(torch.from_numpy(own)[None])
    spacing = surface.spacing(200)
    variation = normal_variation(particles, find_neighbors(particles.points, 6), spacing)
    assert float(variation.mean()) == pytest.approx(float(spacing) / 20, rel=0.03)


def test_densities_leave_each_particle_its_share_of_the_surface():
    variation = torch.rand(3, 50, 16, dtype=torch.float64) + 0.1
    factor = density_of(variation, 0.7)
    assert float(factor.pow(-2).mean()) == pytest.approx(1)
    assert density_of(variation, 0.0) is None


def test_particles_lie_closer_where_the_surface_bends_if_asked():
    surface = SurfaceSet([_cigar()], ["cigar"])
    tip, waist = _spread(even_particles(surface, 150, seed=0))
    assert tip / waist == pytest.approx(1, abs=0.12)
    tip, waist = _spread(even_particles(surface, 150, seed=0, adaptivity=1.0))
    assert tip / waist < 0.82


def test_the_engine_keeps_density_and_correspondence(ellipsoids, names):
    fit = EntropyEngine(engine_settings(adaptivity=1.0)).optimize(ellipsoids[:6], names[:6])
    assert fit.diagnostics.distance_max.max() < 1e-6
    assert fit.diagnostics.swapped.sum() == fit.diagnostics.collapsed.sum() == 0
