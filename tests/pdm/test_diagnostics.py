import pytest
import torch

from massm.pdm.diagnostics import diagnose, expected_places, grown, mean_pattern
from tests.pdm.shapes import sphere


@pytest.fixture
def shapes():
    """Three spheres with the 42 vertices of a divided icosahedron as particles."""
    unit = torch.from_numpy(sphere(1).vertices)
    points = torch.stack([10 * unit, 11 * unit, 12 * unit])
    return points, unit.expand(3, -1, -1), torch.tensor([5.5, 6.0, 6.6]).double()


def nearest_pair(points):
    gaps = torch.cdist(points, points) + 1e9 * torch.eye(len(points))
    first = 7
    return first, int(gaps[first].argmin())


def test_sound_shapes_have_no_findings(shapes):
    points, normals, spacing = shapes
    found = diagnose(points, normals, spacing, mean_pattern(points, normals))
    assert not found.swapped.any()
    assert not found.collapsed.any()


def test_exchanged_neighbors_are_found_as_swapped(shapes):
    points, normals, spacing = shapes
    pattern = mean_pattern(points, normals)
    a, b = nearest_pair(points[1])
    mixed, turned = points.clone(), normals.clone()
    mixed[1, [a, b]], turned[1, [a, b]] = points[1, [b, a]], normals[1, [b, a]]
    found = diagnose(mixed, turned, spacing, pattern)
    assert found.pairs("swapped")[1] >= 1
    assert found.pairs("swapped")[[0, 2]].sum() == 0
    assert found.particles(pattern.neighbors)[1, [a, b]].all()


def test_coinciding_particles_are_found_as_collapsed(shapes):
    points, normals, spacing = shapes
    pattern = mean_pattern(points, normals)
    a, b = nearest_pair(points[2])
    together, turned = points.clone(), normals.clone()
    together[2, b], turned[2, b] = points[2, a] + 1e-3, normals[2, a]
    assert diagnose(together, turned, spacing, pattern).pairs("collapsed").tolist() == [0, 0, 1]


def test_turning_a_shape_changes_nothing(shapes):
    points, normals, spacing = shapes
    pattern = mean_pattern(points, normals)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1))).Q
    turn = (turn * torch.det(turn)).double()
    found = diagnose(points @ turn, normals @ turn, spacing, pattern)
    assert not (found.swapped | found.collapsed).any()


def test_neighbors_expect_a_displaced_particle_near_its_own_place(shapes):
    points, normals, spacing = shapes
    pattern = mean_pattern(points, normals)
    moved = points.clone()
    moved[0, 5] += torch.tensor([4.0, -3.0, 0.0])
    found = diagnose(moved, normals, spacing, pattern)
    place, normal = expected_places(moved, found, pattern)
    assert (place[0, 5] - points[0, 5]).norm() < 0.4 * (moved[0, 5] - points[0, 5]).norm()
    assert (normal[0, 5] * normals[0, 5]).sum() > 0.9


def test_growing_adds_the_neighbors(shapes):
    points, normals, _ = shapes
    pattern = mean_pattern(points, normals)
    bad = torch.zeros(3, 42, dtype=torch.bool)
    bad[1, 4] = True
    wide = grown(bad, pattern)
    assert set(wide[1].nonzero()[:, 0].tolist()) == {4, *pattern.neighbors[4].tolist()}
    assert not wide[[0, 2]].any()
