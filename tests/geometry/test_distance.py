"""Distances between points and surfaces."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh

CENTER = np.array([10.0, 20, 30])


def test_distance_goes_to_the_face_not_to_the_nearest_vertex(cube):
    found = SurfaceIndex(cube).closest(CENTER + [[3.0, 0, 0], [0, 0, 0.25]])
    assert_allclose(found.distance, [2, 0.75])
    assert_allclose(found.point, CENTER + [[1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_the_face_holds_the_closest_point(cube, rng):
    points = CENTER + rng.normal(size=(100, 3)) * 3
    found = SurfaceIndex(cube).closest(points)
    corners = cube.vertices[cube.faces[found.face]]
    out_of_plane = np.einsum("ij,ij->i", found.point - corners[:, 0], cube.face_normals[found.face])
    assert_allclose(out_of_plane, 0, atol=1e-12)
    assert_allclose(np.linalg.norm(points - found.point, axis=1), found.distance)


def test_distance_does_not_change_when_all_is_moved(cube, rng):
    points = CENTER + rng.normal(size=(50, 3)) * 2
    quarter_turn = np.array([[0.0, -1, 0, 3], [1, 0, 0, -4], [0, 0, 1, 5], [0, 0, 0, 1]])
    moved = points @ quarter_turn[:3, :3].T + quarter_turn[:3, 3]
    assert_allclose(
        SurfaceIndex(cube.transformed(quarter_turn)).closest(moved).distance,
        SurfaceIndex(cube).closest(points).distance,
        atol=1e-12,
    )


def test_a_surface_without_faces_is_refused():
    with pytest.raises(ValueError, match="without faces"):
        SurfaceIndex(Mesh(np.zeros((3, 3)), np.zeros((0, 3), np.int64)))
