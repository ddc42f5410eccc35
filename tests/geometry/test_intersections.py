"""Triangles that cross are found; neighbors and near misses are not."""

import numpy as np
import pytest

from massm.geometry.intersections import folded_faces, self_intersections
from massm.geometry.isosurface import isosurface, sample_grid
from massm.geometry.mesh import Mesh


@pytest.fixture
def ball():
    grid, points = sample_grid(np.full(3, -12.0), np.full(3, 12.0), 1.0)
    return isosurface(
        grid.with_array((10.2 - np.linalg.norm(points, axis=1)).reshape(grid.array.shape)), 0.0
    )


def crossing_pair(height):
    lower = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])
    upper = np.array([[1.0, 1, height - 1], [1, 1, height + 1], [2, 1.5, height + 1]])
    return Mesh(np.vstack([lower, upper]), np.arange(6).reshape(2, 3))


def test_a_triangle_through_another_is_found():
    np.testing.assert_array_equal(self_intersections(crossing_pair(0.0)), [[0, 1]])


def test_a_triangle_above_another_is_not():
    assert len(self_intersections(crossing_pair(1.5))) == 0


def test_a_sound_surface_has_none(ball, cube):
    assert len(self_intersections(ball)) == 0
    assert len(self_intersections(cube)) == 0
    assert len(folded_faces(ball)) == 0


def test_a_dent_pushed_through_the_far_side_crosses(ball):
    vertices = ball.vertices.copy()
    pushed = int(vertices[:, 2].argmax())
    vertices[pushed, 2] -= 25

    pairs = self_intersections(Mesh(vertices, ball.faces))

    assert len(pairs) > 0
    around = np.flatnonzero((ball.faces == pushed).any(1))
    assert np.isin(pairs, around).any(1).all()


def test_triangles_of_very_different_size_are_compared():
    large = np.array([[-500.0, -500, 0], [900, -500, 0], [-500, 900, 0]])
    small = np.array([[0.0, 0, -0.1], [0.2, 0, 0.1], [0, 0.2, 0.1]])
    far = small + [3, 3, 40]
    mesh = Mesh(np.vstack([large, small, far]), np.arange(9).reshape(3, 3))

    np.testing.assert_array_equal(self_intersections(mesh), [[0, 1]])


def test_a_face_turned_over_is_folded(ball):
    faces = ball.faces.copy()
    faces[7] = faces[7, ::-1]
    assert 7 in folded_faces(Mesh(ball.vertices, faces))
