import numpy as np
import pytest
import torch

from massm.geometry.mesh import Mesh
from massm.pdm.surfaces import SurfaceSet, barycentric, check_surface
from tests.pdm.shapes import sphere


def test_points_are_projected_along_the_radius_of_a_sphere():
    surfaces = SurfaceSet([sphere(5)], ["ball"])
    direction = torch.tensor([[[0.6, 0.0, 0.8], [0.0, -1.0, 0.0]]], dtype=torch.float64)
    found = surfaces.project(1.5 * direction)
    torch.testing.assert_close(found.points, direction, atol=5e-3, rtol=0)
    torch.testing.assert_close(found.normals, direction, atol=3e-2, rtol=0)
    torch.testing.assert_close(found.distance, torch.full((1, 2), 0.5).double(), atol=5e-3, rtol=0)


def test_the_wrong_side_of_a_thin_wall_is_refused():
    ball = sphere(4)
    plate = Mesh(ball.vertices * [10, 10, 0.2], ball.faces)
    surfaces = SurfaceSet([plate], ["plate"])
    below = torch.tensor([[[1.0, 1.0, -0.1]]], dtype=torch.float64)
    up = torch.tensor([[[0.0, 0.0, 1.0]]], dtype=torch.float64)
    assert surfaces.project(below).points[0, 0, 2] < 0
    assert surfaces.project(below, up).points[0, 0, 2] > 0


def test_samples_of_a_surface_do_not_depend_on_the_other_surfaces():
    small, large = sphere(2), Mesh(3 * sphere(2).vertices, sphere(2).faces)
    both, _ = SurfaceSet([small, large], ["a", "b"]).sample(50, seed=1)
    alone, _ = SurfaceSet([large], ["b"]).sample(50, seed=1)
    np.testing.assert_array_equal(both[1], alone[0])


def test_an_open_surface_is_refused_by_name(cube):
    with pytest.raises(ValueError, match=r"s7: the surface is open \(3 border edges\)"):
        check_surface(Mesh(cube.vertices, cube.faces[1:]), "s7")


def test_a_surface_that_is_inside_out_is_refused(cube):
    with pytest.raises(ValueError, match="turned inside out"):
        check_surface(Mesh(cube.vertices, cube.faces[:, ::-1].copy()), "s7")


def test_a_surface_with_nan_is_refused(cube):
    with pytest.raises(ValueError, match="empty or not finite"):
        check_surface(Mesh(cube.vertices * np.nan, cube.faces), "s7")


def test_barycentric_weights_rebuild_a_point_of_a_triangle(rng):
    corners = rng.normal(size=(5, 3, 3))
    weights = rng.dirichlet(np.ones(3), 5)
    points = np.einsum("nc,nca->na", weights, corners)
    np.testing.assert_allclose(barycentric(corners, points), weights, atol=1e-9)
