"""The real program is run where it is installed; its plumbing is tested with a labelled FAKE."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from massm.config.correspond import CorrespondConfig
from massm.io.errors import DataError
from massm.io.particles import write_text
from massm.io.shapeworks import read_project, transform_matrix
from massm.pdm.backend import BACKENDS
from massm.pdm.shapeworks import ShapeWorksEngine, optimize_parameters, write_studio_project
from tests.pdm.fake_shapeworks import FAKE


@pytest.fixture
def configured(settings, tmp_path):
    """Settings whose program is the fake, as ``configured(version=..., failure=...)``."""

    def configure(*, version="6.6.1", failure="", stride=7, **changes) -> CorrespondConfig:
        program = tmp_path / "shapeworks"
        values = {"python": sys.executable, "version": version, "failure": failure}
        program.write_text(FAKE.format(stride=stride, **values))
        program.chmod(0o755)
        shapeworks = settings.shapeworks.model_copy(update={"program": str(program), **changes})
        return settings.model_copy(update={"backend": "shapeworks", "shapeworks": shapeworks})

    return configure


def test_the_backend_is_in_the_table():
    assert BACKENDS["shapeworks"] is ShapeWorksEngine


def test_a_missing_program_is_one_sentence_that_says_how_to_get_it(settings):
    shapeworks = settings.shapeworks.model_copy(update={"program": "no-such-command"})
    with pytest.raises(DataError, match=r"no command 'no-such-command' was found; install"):
        ShapeWorksEngine(settings.model_copy(update={"shapeworks": shapeworks}))


def test_a_version_too_old_for_the_project_format_is_refused(configured):
    with pytest.raises(DataError, match=r"version 6\.2, project files \.swproj need 6\.4"):
        ShapeWorksEngine(configured(version="6.2.0"))


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
    # The fake returns the landmarks it was given: the mean shape.
    np.testing.assert_allclose(fit.particles[0], engine.arrays()["mean"], atol=1e-4)


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


def test_every_parameter_is_text_and_procrustes_is_switched_on_with_its_interval(configured):
    values = optimize_parameters(configured(procrustes_interval=5))
    assert all(isinstance(value, str) for value in values.values())
    assert values["procrustes"] == "1"
    assert values["procrustes_interval"] == "5"
    assert optimize_parameters(configured(procrustes_interval=0))["procrustes"] == "0"


def test_projects_can_be_kept(configured, ellipsoids, names, tmp_path):
    engine = ShapeWorksEngine(configured(keep=tmp_path / "kept"))
    engine.optimize(ellipsoids[:4], names[:4])
    project = read_project(tmp_path / "kept" / "training" / "training.swproj")
    assert [subject["name"] for subject in project.subjects] == names[:4]


def test_a_finished_model_opens_in_studio(tmp_path):
    turn = np.array([[0.0, -1, 0, 2], [1, 0, 0, 3], [0, 0, 1, 4], [0, 0, 0, 1]])
    move = np.eye(4)
    move[:3, 3] = 5
    files = {kind: tmp_path / f"s1_{kind}.particles" for kind in ("local", "world")}
    for path in files.values():
        write_text(np.zeros((4, 3)), path)
    write_studio_project(
        tmp_path / "m.swproj",
        ["s1"],
        [tmp_path / "s1.vtp"],
        [files["local"]],
        [files["world"]],
        turn[None],
        (move @ turn)[None],
        ["train"],
    )
    subject = read_project(tmp_path / "m.swproj").subjects[0]
    assert not any(Path(subject[f"{kind}_particles_1"]).is_absolute() for kind in files)
    np.testing.assert_allclose(transform_matrix(subject["alignment_1"]), turn)
    np.testing.assert_allclose(transform_matrix(subject["procrustes_1"]), move, atol=1e-9)


@pytest.mark.shapeworks
@pytest.mark.skipif(shutil.which("shapeworks") is None, reason="ShapeWorks is not installed")
def test_the_real_program_makes_a_shape_model(settings, ellipsoids, names):
    config = settings.model_copy(update={"backend": "shapeworks", "particles": 32})
    engine = ShapeWorksEngine(config)
    fit = engine.optimize(ellipsoids[:6], names[:6])
    assert fit.particles.shape == (6, 32, 3)
    assert fit.diagnostics.distance_mean.max() < 0.5
