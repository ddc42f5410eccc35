"""Smoothing removes steps, remeshing evens triangles, both keep the volume they are told."""

import numpy as np
import pytest

from massm.geometry.isosurface import isosurface, voxel_surface
from massm.geometry.mesh import Mesh
from massm.groom.remesh import remesh, smooth, subdivided, with_volume
from tests.groom.shapes import draw, ellipsoid


@pytest.fixture
def ball():
    field = draw(lambda p: 20 - np.linalg.norm(p, axis=1), spacing=(2, 2, 2), radius_mm=26)
    return isosurface(field, 0.0)


def roughness(mesh):
    return np.linalg.norm(mesh.vertices, axis=1).std()


def test_short_waves_go_and_long_ones_stay(ball):
    steps = voxel_surface(draw(ellipsoid(20, 20, 20), spacing=(2, 2, 2), radius_mm=26))

    smoothed = smooth(steps, 24.0)

    assert roughness(smoothed) < 0.5 * roughness(steps)
    assert smoothed.volume == pytest.approx(steps.volume, rel=0.02)
    np.testing.assert_array_equal(smoothed.faces, steps.faces)
    assert smooth(ball, 0.0) is ball


def test_a_surface_reaches_a_volume(ball):
    grown = with_volume(ball, 1.1 * ball.volume_ml)
    assert grown.volume_ml == pytest.approx(1.1 * ball.volume_ml, rel=1e-6)
    assert roughness(grown) < 0.05


@pytest.mark.parametrize("faces", [500, 4000])
def test_triangles_become_even_and_lie_on_the_surface(ball, faces):
    result = remesh(ball, faces)

    assert result.is_closed
    assert result.volume > 0
    assert len(result.faces) == pytest.approx(faces, rel=0.02)
    assert result.face_areas.std() < 0.3 * result.face_areas.mean()
    assert np.linalg.norm(result.vertices, axis=1) == pytest.approx(20, abs=0.2)


def test_cutting_triangles_changes_no_shape(cube):
    finer = subdivided(cube)
    assert len(finer.faces) == 4 * len(cube.faces)
    assert finer.is_closed
    assert finer.volume == pytest.approx(cube.volume)
    assert isinstance(finer, Mesh)
