"""Plumbing of the backend, with a labelled FAKE as program; test_real.py runs the real one."""

import numpy as np
import pytest

from massm.geometry.distance import SurfaceIndex
from massm.io.errors import DataError
from massm.io.shapeworks import read_project
from massm.pdm.backend import BACKENDS
from massm.pdm.context import PopulationContext
from massm.pdm.shapeworks.engine import ShapeWorksEngine


def test_the_backend_is_in_the_table(configured):
    made = BACKENDS["shapeworks"](configured(), PopulationContext("liver", {}))
    assert isinstance(made, ShapeWorksEngine)


def test_particles_of_the_fake_come_back_in_order(configured, ellipsoids, names):
    engine = ShapeWorksEngine(configured())
    fit = engine.optimize(ellipsoids[:5], names[:5])
    assert fit.names == tuple(names[:5])
    for points, world, mesh in zip(fit.particles, fit.world, ellipsoids, strict=False):
        np.testing.assert_allclose(points, mesh.vertices[::7][: len(points)], atol=1e-4)
        np.testing.assert_allclose(world, points + 1.5, atol=1e-4)
    assert fit.diagnostics.distance_max.max() < 1e-3


def test_a_new_subject_is_fitted_to_fixed_training_subjects(configured, ellipsoids, names):
    engine = ShapeWorksEngine(configured())
    engine.optimize(ellipsoids[:5], names[:5])
    fit = engine.fit(ellipsoids[5:], names[5:])
    assert fit.names == tuple(names[5:])
    # The fake returns the landmarks it was given: the mean shape, rigidly laid on the surface.
    mean = engine.arrays()["mean"]
    for points, world, mesh in zip(fit.particles, fit.world, ellipsoids[5:], strict=True):
        np.testing.assert_allclose(world, mean, atol=1e-4)
        distance = SurfaceIndex(mesh).closest
        assert distance(points).distance.mean() < distance(mean).distance.mean()


def test_without_procrustes_nobody_is_moved(configured, ellipsoids, names):
    engine = ShapeWorksEngine(configured(procrustes_interval=0))
    engine.optimize(ellipsoids[:5], names[:5])
    fit = engine.fit(ellipsoids[5:], names[5:])
    np.testing.assert_allclose(fit.particles[0], engine.arrays()["mean"], atol=1e-4)
    np.testing.assert_allclose(fit.procrustes[0], np.eye(4), atol=1e-6)


def test_an_old_version_reads_a_spreadsheet_and_parameter_files(
    configured, ellipsoids, names, tmp_path
):
    settings = configured(version="6.1.0", project="xlsx", keep=tmp_path / "kept")
    engine = ShapeWorksEngine(settings)
    spaced = ["a b", *names[1:]]
    fit = engine.optimize(ellipsoids[:5], spaced[:5])
    assert fit.names == tuple(spaced[:5])
    np.testing.assert_allclose(fit.world, fit.particles + 1.5, atol=1e-4)
    new = engine.fit(ellipsoids[5:], names[5:])
    assert new.failed == {}
    np.testing.assert_allclose(new.world[1], engine.arrays()["mean"], atol=1e-4)


def test_the_order_of_the_subjects_does_not_matter(configured, ellipsoids, names):
    first = ShapeWorksEngine(configured()).optimize(ellipsoids[:4], names[:4])
    second = ShapeWorksEngine(configured()).optimize(ellipsoids[:4][::-1], names[:4][::-1])
    np.testing.assert_array_equal(first.particles, second.particles[::-1])


def test_a_failed_run_quotes_the_program(configured, ellipsoids, names):
    engine = ShapeWorksEngine(configured(failure="particle outside the narrow band"))
    with pytest.raises(DataError, match=r"code 3[\s\S]*outside the narrow band"):
        engine.optimize(ellipsoids[:4], names[:4])


def test_a_wrong_number_of_particles_is_named(configured, ellipsoids, names):
    engine = ShapeWorksEngine(configured(stride=100))
    with pytest.raises(DataError, match="powers of two"):
        engine.optimize(ellipsoids[:4], names[:4])


def test_projects_can_be_kept(configured, ellipsoids, names, tmp_path):
    engine = ShapeWorksEngine(configured(keep=tmp_path / "kept"))
    engine.optimize(ellipsoids[:4], names[:4])
    project = read_project(tmp_path / "kept" / "training" / "training.swproj")
    assert [subject["name"] for subject in project.subjects] == names[:4]
