"""Folds are undone, and nothing else moves."""

import pytest
import torch

from massm.pdm.diagnostics import diagnose
from massm.pdm.embedded.ensemble import TrainingEnsemble
from massm.pdm.embedded.initialization import deform_template, even_particles, transfer_particles
from massm.pdm.embedded.registration import make_template
from massm.pdm.embedded.repair import region_of, transferred
from massm.pdm.frames import normals_in_world, to_world
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings

FOLDED = 3


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return SurfaceSet(ellipsoids, names)


@pytest.fixture(scope="module")
def initial(surfaces):
    """Particles that correspond."""
    template = make_template(surfaces.meshes[0], 150)
    deformed = deform_template(template, surfaces, engine_settings().entropy.initialization, 0)
    own = even_particles(surfaces.take([0]), 60, seed=0)
    return transfer_particles(template, own, deformed, surfaces)


@pytest.fixture(scope="module")
def folded(surfaces, initial):
    """The particles of one end of one shape, turned around, and which these are."""
    points = initial.points.clone()
    end = points[FOLDED, :, 0].argsort()[-9:]
    points[FOLDED, end, 1:] *= -1
    return surfaces.project(points, initial.normals), end


def judged(surfaces, particles):
    ensemble = TrainingEnsemble(scale=False)
    transforms = ensemble.align(particles.points)
    world = to_world(particles.points, transforms)
    normals = normals_in_world(particles.normals, transforms)
    pattern = ensemble.pattern(world, normals)
    found = diagnose(world, normals, surfaces.spacing(60), pattern)
    return pattern, found.particles(pattern.neighbors), transforms


def test_others_transfer_a_fold_back(surfaces, initial, folded):
    particles, end = folded
    pattern, bad, transforms = judged(surfaces, particles)
    assert bad[FOLDED].sum() >= 5
    assert bad.sum() == bad[FOLDED].sum()
    region = region_of(bad, pattern, 2)
    found = transferred(surfaces, particles, transforms, pattern, region)
    assert not judged(surfaces, found)[1].any()
    away = (found.points - initial.points).norm(dim=-1)
    assert away[FOLDED, end].max() < 3
    assert surfaces.project(found.points).distance.max() < 1e-9
    assert torch.equal(found.points[~region], particles.points[~region])


def test_without_others_nobody_is_carried(surfaces, folded):
    particles, _ = folded
    pattern, _, transforms = judged(surfaces, particles)
    everyone = torch.ones(particles.points.shape[:2], dtype=torch.bool)
    found = transferred(surfaces, particles, transforms, pattern, everyone)
    assert torch.equal(found.points, particles.points)


def test_a_region_grows_ring_by_ring(surfaces, folded):
    pattern, bad, _ = judged(surfaces, folded[0])
    sizes = [int(region_of(bad, pattern, rings).sum()) for rings in (0, 1, 2)]
    assert sizes[0] == bad.sum()
    assert sizes[0] < sizes[1] < sizes[2]
