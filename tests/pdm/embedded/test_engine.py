import numpy as np
import pytest
import torch

from massm.geometry.mesh import Mesh
from massm.pdm.backend import BACKENDS
from massm.pdm.context import PopulationContext
from massm.pdm.embedded.calibration import refitted_limit
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.embedded.placement import Placement
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.quality import spread_measures
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings, sphere


@pytest.fixture(scope="module")
def engine(ellipsoids, names, settings):
    engine = EntropyEngine(settings)
    engine.trained = engine.optimize(ellipsoids[:6], names[:6])
    return engine


def test_the_engine_is_in_the_table(settings):
    assert isinstance(BACKENDS["entropy"](settings, PopulationContext("liver", {})), EntropyEngine)


def test_particles_lie_evenly_on_the_surfaces(engine, ellipsoids, names):
    spread = spread_measures(SurfaceSet(ellipsoids[:6], names[:6]), engine.trained.particles)
    assert spread["distance_max"] < 1e-6
    assert spread["nearest_variation"] < 0.12
    assert spread["separation_ratio"] > 0.97 * TUNING.least_separation


def test_no_pair_is_swapped_or_collapsed(engine):
    found = engine.trained.diagnostics
    assert found.swapped.sum() == 0
    assert found.collapsed.sum() == 0


def test_ellipsoids_need_three_modes(engine):
    assert fit_shape_model(engine.trained.world).compactness[2] > 0.95


def test_world_is_the_particles_moved_by_proper_rigid_matrices(engine):
    fit = engine.trained
    rotation = fit.procrustes[:, :3, :3]
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)
    moved = fit.particles @ rotation.transpose(0, 2, 1) + fit.procrustes[:, None, :3, 3]
    np.testing.assert_allclose(moved, fit.world, atol=1e-9)


def test_the_result_does_not_depend_on_the_order(engine, ellipsoids, names, settings):
    order = [4, 0, 5, 2, 1, 3]
    other = EntropyEngine(settings).optimize(
        [ellipsoids[i] for i in order], [names[i] for i in order]
    )
    assert other.names == tuple(names[i] for i in order)
    np.testing.assert_array_equal(other.particles, engine.trained.particles[order])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_new_subject_is_fitted_on_its_own(engine, ellipsoids, names, settings, threads):
    alone = engine.fit([ellipsoids[6]], [names[6]])
    parallel = EntropyEngine(settings.model_copy(update={"threads": threads}), engine.model)
    both = parallel.fit([ellipsoids[6], ellipsoids[0]], [names[6], "again"])
    assert both.names == (names[6], "again")
    np.testing.assert_array_equal(both.world[0], alone.world[0])
    assert alone.diagnostics.distance_max[0] < 1e-6
    assert alone.diagnostics.swapped[0] == 0


def test_a_training_shape_is_found_again_by_the_frozen_model(engine, ellipsoids):
    again = engine.fit([ellipsoids[1]], ["again"])
    error = np.linalg.norm(again.world[0] - engine.trained.world[1], axis=1).mean()
    spacing = np.sqrt(ellipsoids[1].area / 40)
    assert error < 0.2 * spacing


def test_a_shape_far_from_the_model_is_reported(engine):
    ball = sphere(3)
    dented = ball.vertices * 15
    dented[:, 2] -= 12 * np.exp(-np.square(dented[:, :2] / 6).sum(1)) * (dented[:, 2] > 0)
    fit = engine.fit([Mesh(dented, ball.faces)], ["odd"])
    assert fit.diagnostics.outside_span[0]


def test_an_open_surface_is_left_out_by_name(engine, ellipsoids, names):
    broken = Mesh(ellipsoids[0].vertices, ellipsoids[0].faces[1:])
    fit = engine.fit([broken, ellipsoids[6]], ["broken", "whole"])
    assert fit.names == ("whole",)
    assert "broken: the surface is open" in fit.failed["broken"]


def test_two_surfaces_are_too_few(ellipsoids, settings):
    with pytest.raises(ValueError, match="2 usable surfaces, at least 3"):
        EntropyEngine(settings).optimize(ellipsoids[:2], ["a", "b"])


def test_fitting_before_training_is_refused(ellipsoids, settings):
    with pytest.raises(ValueError, match="no shape model yet"):
        EntropyEngine(settings).fit(ellipsoids[:1], ["a"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_missing_gpu_is_an_error(settings):
    with pytest.raises(ValueError, match="finds no CUDA device"):
        EntropyEngine(settings.model_copy(update={"device": "cuda"}))


def test_splitting_reaches_any_number_of_particles(ellipsoids, names):
    splitting = engine_settings().entropy.initialization.model_copy(update={"method": "splitting"})
    settings = engine_settings(initialization=splitting.model_dump()).model_copy(
        update={"particles": 21}
    )
    fit = EntropyEngine(settings).optimize(ellipsoids[:4], names[:4])
    assert fit.particles.shape == (4, 21, 3)
    assert fit.diagnostics.collapsed.sum() == 0


def test_many_particles_start_from_few_and_are_as_good(engine, ellipsoids, names):
    settings = engine_settings(coarse_particles=40).model_copy(update={"particles": 90})
    dense = EntropyEngine(settings)
    fit = dense.optimize(ellipsoids[:6], names[:6])
    assert fit.particles.shape == (6, 90, 3)
    spread = spread_measures(SurfaceSet(ellipsoids[:6], names[:6]), fit.particles)
    assert spread["distance_max"] < 1e-6
    assert spread["nearest_variation"] < 0.12
    assert fit.diagnostics.swapped.sum() == fit.diagnostics.collapsed.sum() == 0
    few, many = fit_shape_model(engine.trained.world), fit_shape_model(fit.world)
    assert many.compactness[2] > few.compactness[2] - 0.01
    # the limit was learned at the coarse level, and still tells new shapes from odd ones
    assert not dense.fit([ellipsoids[6]], [names[6]]).diagnostics.outside_span[0]


def test_both_ways_to_learn_the_limit_agree(engine, ellipsoids, names, settings):
    placement = Placement(settings)
    surfaces = SurfaceSet(ellipsoids[:6], names[:6])
    world = engine.trained.world
    refitted = refitted_limit(placement, surfaces, engine.model, world)
    assert 0.5 < engine.model.residual_limit / refitted < 3


def test_three_subjects_are_too_few_to_hold_one_out(ellipsoids, names, settings):
    engine = EntropyEngine(settings)
    engine.optimize(ellipsoids[:3], names[:3])
    assert engine.model.residual_limit == np.inf


def test_the_limit_comes_from_training_subjects_fitted_as_new(engine, ellipsoids, names):
    residual = engine.fit([ellipsoids[6]], [names[6]]).diagnostics.residual[0]
    assert residual < engine.model.residual_limit < 10 * residual
