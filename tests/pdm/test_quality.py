import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.pdm.quality import (
    generalization,
    leave_one_out_errors,
    leave_one_out_residuals,
    material_error,
    specificity,
    spread_measures,
)
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import sphere


@pytest.fixture
def scaled():
    """Six spheres of different size whose vertices correspond: one mode of variation."""
    ball = sphere(2)
    sizes = [9.0, 10, 11, 12, 13, 15]
    meshes = [Mesh(size * ball.vertices, ball.faces) for size in sizes]
    return SurfaceSet(meshes, [f"s{size:.0f}" for size in sizes])


@pytest.fixture
def particles(scaled):
    return np.stack([mesh.vertices[:30] for mesh in scaled.meshes])


def identities(count):
    return np.tile(np.eye(4), (count, 1, 1))


def test_particles_on_vertices_have_no_distance(scaled, particles):
    assert spread_measures(scaled, particles)["distance_max"] < 1e-9


def test_a_hole_is_the_farthest_vertex_from_all_particles(scaled):
    one_sided = np.stack([m.vertices[m.vertices[:, 2] > 0][:30] for m in scaled.meshes])
    measures = spread_measures(scaled, one_sided)
    largest = [
        np.linalg.norm(m.vertices[:, None] - p, axis=2).min(1).max()
        for m, p in zip(scaled.meshes, one_sided, strict=True)
    ]
    assert measures["covering_radius"] == pytest.approx(np.mean(largest))


def test_one_mode_generalizes_to_spheres_left_out(scaled, particles):
    result = generalization(scaled, particles, identities(6), (1, 2))
    assert result["particles"][1] == pytest.approx(0, abs=1e-6)
    assert result["surface"][1] == pytest.approx(0, abs=1e-6)


def test_all_shapes_of_a_group_are_left_out_together(scaled, rng):
    twice = np.repeat(rng.normal(size=(6, 20, 3)), 2, 0)
    alone = generalization(None, twice, identities(12), (1, 8))
    together = generalization(None, twice, identities(12), (1, 8), sorted(2 * list("abcdef")))
    assert alone["particles"][8] < 1e-6 < together["particles"][1]
    assert set(together["particles"]) == {1, 8}
    assert together["particles"][8] == pytest.approx(
        generalization(None, twice[::2], identities(6), (4,))["particles"][4]
    )


def test_leave_one_out_residual_matches_a_projection(rng):
    world = rng.normal(size=(6, 20, 3))
    expected = []
    for row in range(6):
        model = fit_shape_model(np.delete(world, row, 0))
        rest = world[row] - model.project(world[row], 4)
        expected.append(np.sqrt(np.square(rest).sum(-1).mean()))
    np.testing.assert_allclose(leave_one_out_residuals(world), expected, rtol=1e-4)


@pytest.mark.parametrize("modes", [1, 3, 6])
def test_leave_one_out_errors_match_models_fitted_one_by_one(rng, modes):
    stretch = np.linspace(3, 0.2, 8)[:, None, None]
    world = rng.normal(size=(8, 20, 3)) * stretch + 40
    expected = []
    for row in range(8):
        model = fit_shape_model(np.delete(world, row, 0), modes)
        expected.append(np.linalg.norm(world[row] - model.project(world[row], modes), axis=1))
    found = leave_one_out_errors(world, modes)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    curve = generalization(None, world, identities(8), (modes,))["particles"]
    assert found.mean() == pytest.approx(curve[modes])


def test_a_particle_that_moves_alone_has_the_error(scaled, particles):
    moved = particles.copy()
    moved[2, 7] += [0.0, 0.0, 4.0]
    found = leave_one_out_errors(moved, 1)
    assert np.unravel_index(found.argmax(), found.shape) == (2, 7)
    assert found[2, 7] == pytest.approx(4, abs=0.3)


def test_modes_beyond_the_shapes_rank_change_nothing(particles):
    np.testing.assert_allclose(leave_one_out_errors(particles, 4), 0, atol=1e-5)


@pytest.mark.parametrize(("shapes", "modes"), [(2, 1), (6, 5), (6, 0)])
def test_more_modes_than_the_others_have_are_refused(particles, shapes, modes):
    with pytest.raises(ValueError, match="no . modes of the others"):
        leave_one_out_errors(particles[:shapes], modes)


def test_specificity_is_repeatable_and_grows_with_the_spread(particles):
    assert specificity(particles, (1,)) == specificity(particles, (1,))
    wide = particles.mean(0) + 3 * (particles - particles.mean(0))
    assert specificity(wide, (1,))[1] == pytest.approx(3 * specificity(particles, (1,))[1])


def test_material_points_as_particles_have_no_error(scaled, particles):
    truth = np.stack([mesh.vertices for mesh in scaled.meshes])
    np.testing.assert_allclose(material_error(particles, truth), 0, atol=1e-4)


def test_a_slid_particle_has_the_error_of_its_slide(scaled, particles):
    truth = np.stack([mesh.vertices for mesh in scaled.meshes])
    slid = particles.copy()
    slid[2, 0] = scaled.meshes[2].vertices[40]
    error = material_error(slid, truth)
    length = np.linalg.norm(slid[2, 0] - particles[2, 0])
    assert error[2, 0] == pytest.approx(length * 5 / 6, rel=0.05)
