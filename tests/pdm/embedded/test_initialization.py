import numpy as np
import torch

from massm.geometry.sampling import farthest_points, sample_uniform, spread_evenly
from massm.pdm.embedded.initialization import (
    deform_template,
    densify,
    even_particles,
    first_particle,
    levels,
    split,
    transfer_particles,
)
from massm.pdm.embedded.registration import choose_reference, make_template
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings, sphere


def test_registration_carries_particles_to_their_own_places(ellipsoids, names):
    surfaces = SurfaceSet(ellipsoids[:3], names[:3])
    own = even_particles(surfaces.take([0]), 30, seed=1)
    template = make_template(ellipsoids[0], 120)
    deformed = deform_template(template, surfaces, engine_settings().entropy.initialization, seed=1)
    initial = transfer_particles(template, own, deformed, surfaces)
    radii = np.array([(20, 14, 10), (24, 14, 10), (20, 17, 10)], float)
    expected = own / radii[0] * radii[:, None]
    error = np.linalg.norm(initial.points.numpy() - expected, axis=2)
    assert error[0].mean() < 1.0  # a seventh of the spacing
    assert error.mean() < 2.0


def test_many_particles_follow_few_affinely(ellipsoids, names):
    """Where the few are moved by an affine map, the many are too, and land on the surface."""
    surfaces = SurfaceSet(ellipsoids[:2], names[:2])
    template = make_template(ellipsoids[0], 120)
    few = even_particles(surfaces.take([0]), 30, seed=1)
    many = even_particles(surfaces.take([0]), 80, seed=1)
    stretch = np.array([24, 14, 10]) / np.array([20, 14, 10])
    places = surfaces.project(torch.from_numpy(np.stack([few, few * stretch])))
    dense = densify(template, many, few, places, surfaces).points.numpy()
    np.testing.assert_allclose(dense[0], many, atol=1e-6)
    assert np.linalg.norm(dense[1] - many * stretch, axis=1).max() < 0.3


def test_the_reference_does_not_depend_on_the_order(ellipsoids, names):
    forward = SurfaceSet(ellipsoids, names)
    backward = SurfaceSet(ellipsoids[::-1], names[::-1])
    assert names[choose_reference(forward)] == names[::-1][choose_reference(backward)]


def test_a_split_adds_one_particle_beside_each(ellipsoids, names):
    surfaces = SurfaceSet(ellipsoids[:2], names[:2])
    one = first_particle(surfaces)
    two = split(surfaces, one, 2, np.random.default_rng(0))
    assert two.points.shape == (2, 2, 3)
    three = split(surfaces, two, 3, np.random.default_rng(0))
    assert three.points.shape == (2, 3, 3)
    assert surfaces.project(three.points).distance.max() < 1e-9


def test_the_first_particle_is_at_the_same_end_of_every_shape(ellipsoids, names):
    ends = first_particle(SurfaceSet(ellipsoids, names)).points[:, 0]
    assert (ends[:, 0].abs() > 15).all()
    assert len(set(ends[:, 0].sign().tolist())) == 1


def test_levels_double_until_the_count_is_reached():
    entropy = engine_settings().entropy
    assert [size for size, _ in levels(21, entropy)] == [2, 4, 8, 16, 21]
    assert [rounds for _, rounds in levels(21, entropy)] == [30, 30, 30, 30, 60]


def test_samples_are_uniform_by_area(rng):
    mesh = sphere(3)
    points, face = sample_uniform(mesh, 4000, rng)
    assert abs(points.mean(0)).max() < 0.05
    assert np.bincount(face, minlength=len(mesh.faces)).max() < 12


def test_farthest_points_of_a_line_are_its_ends_then_its_middle():
    line = np.linspace(0, 1, 5)[:, None]
    assert farthest_points(line, 3).tolist() == [0, 4, 2]


def test_spread_points_keep_their_distance(rng):
    points = spread_evenly(sphere(3), 50, rng)
    gaps = np.linalg.norm(points[:, None] - points, axis=2) + 9 * np.eye(50)
    assert gaps.min() > 0.6 * np.sqrt(4 * np.pi / 50)
