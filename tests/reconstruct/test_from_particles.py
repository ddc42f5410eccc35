"""Warped surfaces run through the particles, stay closed, and keep to their frame."""

import numpy as np
import pytest

from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface, sample_grid
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.particles import save_arrays
from massm.reconstruct.from_particles import (
    flaws_of,
    load_warp,
    make_warp,
    save_warp,
    write_surface,
)


@pytest.fixture
def template():
    grid, points = sample_grid(np.full(3, -14.0), np.full(3, 14.0), 1.0)
    field = (12 - np.linalg.norm(points, axis=1)).reshape(grid.array.shape)
    return isosurface(grid.with_array(field), 0.0)


@pytest.fixture
def particles(template, rng):
    directions = rng.normal(size=(120, 3))
    return (
        SurfaceIndex(template)
        .closest(12 * directions / np.linalg.norm(directions, axis=1)[:, None])
        .point
    )


def stretched(points):
    return points * [2.0, 1.0, 0.7] + [0, 0, 1] * np.sin(points[:, :1] / 8) + [300, -40, 900]


def test_the_template_comes_back_from_its_own_particles(template, particles):
    surface = make_warp(template, particles).surface(particles)
    np.testing.assert_allclose(surface.vertices, template.vertices, atol=1e-9)


def test_a_new_shape_is_closed_and_runs_through_its_particles(template, particles):
    surface = make_warp(template, particles).surface(stretched(particles))

    assert surface.is_closed
    assert surface.volume > 0
    assert SurfaceIndex(surface).closest(stretched(particles)).distance.max() < 0.2
    assert np.abs(surface.vertices - stretched(template.vertices)).max() < 1.0
    assert not flaws_of(surface)


def test_mirrored_particles_give_an_outward_surface(template, particles):
    surface = make_warp(template, particles).surface(particles * [-1, 1, 1])
    assert surface.volume == pytest.approx(template.volume)


def test_flaws_are_counted(template, particles):
    torn = particles.copy()
    torn[particles[:, 2].argmax(), 2] -= 30
    assert flaws_of(make_warp(template, particles).surface(torn))


def test_particles_that_do_not_fit_are_refused(template, particles):
    warp = make_warp(template, particles)
    broken = particles.copy()
    broken[3] = np.nan
    with pytest.raises(ValueError, match="120 particles"):
        warp.surface(particles[:-1])
    with pytest.raises(ValueError, match="finite"):
        warp.surface(broken)


def test_a_warp_survives_its_file(template, particles, tmp_path):
    warp = make_warp(template, particles)
    save_warp(warp, tmp_path / "warp.npz")
    loaded = load_warp(tmp_path / "warp.npz")

    np.testing.assert_array_equal(loaded.weights, warp.weights)
    np.testing.assert_array_equal(loaded.faces, warp.faces)


def test_another_file_is_no_warp(tmp_path):
    save_arrays({"local": np.zeros(3)}, tmp_path / "set.npz")
    with pytest.raises(DataError, match="no warp"):
        load_warp(tmp_path / "set.npz")


def test_a_written_surface_is_there_with_its_flaws(template, particles, tmp_path):
    warp = make_warp(template, particles)

    flaws = write_surface(warp, particles.astype(np.float32), tmp_path / "s.vtp", "s1 spleen local")

    assert flaws == {"folded": 0, "crossing": 0}
    written = meshes.read(tmp_path / "s.vtp")
    assert len(written.vertices) == len(template.vertices)
    assert SurfaceIndex(template).closest(written.vertices).distance.max() < 1e-3
    with pytest.raises(DataError, match="s1 spleen local"):
        write_surface(warp, particles[:5], tmp_path / "s.vtp", "s1 spleen local")
