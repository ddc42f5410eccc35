"""Area, volume, normals and closedness of triangle meshes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from massm.geometry.mesh import Mesh


def mirrored(mesh):
    return mesh.transformed(np.diag([-1.0, 1, 1, 1]))


def test_a_cube_by_hand(cube):
    assert cube.area == pytest.approx(24)
    assert cube.volume == pytest.approx(8)
    assert cube.volume_ml == pytest.approx(0.008)
    assert cube.is_closed
    assert cube.euler_characteristic == 2


def test_face_normals_point_outward(cube):
    outward = cube.vertices[cube.faces].mean(1) - [10, 20, 30]
    assert (np.einsum("ij,ij->i", cube.face_normals, outward) > 0).all()
    assert_allclose(np.linalg.norm(cube.face_normals, axis=1), 1)


def test_vertex_normals_point_outward_and_have_length_one(cube):
    outward = cube.vertices - [10, 20, 30]
    assert (np.einsum("ij,ij->i", cube.vertex_normals, outward) > 0).all()
    assert_allclose(np.linalg.norm(cube.vertex_normals, axis=1), 1)


def test_a_face_without_area_has_the_normal_zero():
    flat = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]]))
    assert_allclose(flat.face_normals, 0)


def test_volume_does_not_depend_on_the_place(cube):
    far = cube.transformed(np.block([[np.eye(3), np.full((3, 1), 1e4)], [0, 0, 0, 1]]))
    assert far.volume == pytest.approx(8)


def test_scaling_by_two_makes_area_fourfold_and_volume_eightfold(cube):
    double = cube.transformed(np.diag([2.0, 2, 2, 1]))
    assert double.area == pytest.approx(4 * cube.area)
    assert double.volume == pytest.approx(8 * cube.volume)


def test_a_reflection_keeps_faces_outward(cube):
    assert mirrored(cube).volume == pytest.approx(8)
    assert_allclose(mirrored(mirrored(cube)).vertices, cube.vertices)


def test_faces_turned_inward_have_negative_volume(cube):
    assert Mesh(cube.vertices, cube.faces[:, ::-1]).volume == pytest.approx(-8)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda faces: faces[1:],
        lambda faces: np.vstack([faces[1:], faces[:1, ::-1]]),
        lambda faces: np.vstack([faces, faces[:1]]),
        lambda faces: np.vstack([faces, [[0, 0, 1]]]),
    ],
    ids=["hole", "one face turned over", "a face twice", "a face without area"],
)
def test_a_broken_cube_is_not_closed(cube, break_it):
    assert not Mesh(cube.vertices, break_it(cube.faces)).is_closed
