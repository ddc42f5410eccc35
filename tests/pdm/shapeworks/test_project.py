"""A project made from the embedded engine's result is taken back, whole, changed or broken."""

from dataclasses import replace

import numpy as np
import pytest

from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.particles import write_text, write_texts
from massm.io.shapeworks import (
    ShapeWorksProject,
    read_project,
    subject_file,
    transform_text,
    write_project,
)
from massm.pdm.backend import BACKENDS
from massm.pdm.context import PopulationContext
from massm.pdm.embedded.engine import EntropyEngine
from massm.pdm.shapeworks.engine import ShapeWorksEngine
from massm.pdm.shapeworks.project import ProjectEngine
from massm.pdm.shapeworks.studio import write_studio_project

TRAINING = 5


@pytest.fixture(scope="module")
def alignments(names):
    """Another turn and shift for each subject: image to aligned frame."""
    matrices = {}
    for row, name in enumerate(names):
        matrices[name] = np.eye(4)
        matrices[name][:2, :2] = [[0, -1], [1, 0]] if row % 2 else [[1, 0], [0, 1]]
        matrices[name][:3, 3] = (100 + 20 * row, -50, 7)
    return matrices


@pytest.fixture(scope="module")
def fits(ellipsoids, names, settings):
    """What the embedded engine makes of five training and two other subjects."""
    engine = EntropyEngine(settings)
    training = engine.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    return training, engine.fit(ellipsoids[TRAINING:], names[TRAINING:])


@pytest.fixture(scope="module")
def population(fits, alignments):
    """The same as a set, local particles in the image frame."""
    subjects = tuple(name for fit in fits for name in fit.names)
    points = np.concatenate([fit.particles for fit in fits])
    procrustes = np.concatenate([fit.procrustes for fit in fits])
    back = [invert_transform(alignments[name]) for name in subjects]
    return ParticleSet(
        subjects,
        ("train",) * TRAINING + ("validation", "test"),
        np.stack([apply_transform(m, p) for m, p in zip(back, points, strict=True)]),
        np.concatenate([fit.world for fit in fits]),
        np.stack([m @ alignments[name] for m, name in zip(procrustes, subjects, strict=True)]),
    )


@pytest.fixture
def exported(population, alignments, ellipsoids, names, tmp_path):
    """The project, as Studio opens it."""
    surfaces = {name: tmp_path / "groom" / name / "liver.vtp" for name in names}
    for mesh, name in zip(ellipsoids, names, strict=True):
        meshes.write(mesh.transformed(invert_transform(alignments[name])), surfaces[name])
    write_texts(population, tmp_path / "particles")
    path = tmp_path / "liver.swproj"
    write_studio_project(path, population, surfaces, alignments, tmp_path / "particles")
    return path


@pytest.fixture
def engine(settings, alignments, exported):
    """The backend, as ``engine(particles=..., frame=...)`` on the export or another project."""

    def make(path=exported, particles=settings.particles, **changes):
        section = settings.project.model_copy(update=changes)
        config = settings.model_copy(update={"particles": particles, "project": section})
        return ProjectEngine(config, PopulationContext("liver", alignments, path))

    return make


def edit(path, change):
    """Change or drop (None) each row of a project in place."""
    project = read_project(path)
    rows = [change(dict(row)) for row in project.subjects]
    write_project(replace(project, subjects=tuple(row for row in rows if row)), path)


def without(*left_out):
    return lambda row: None if row["name"] in left_out else row


def test_the_backend_is_in_the_table():
    assert BACKENDS["project"] is ProjectEngine


@pytest.mark.parametrize("suffix", [".swproj", ".xlsx"])
def test_an_exported_result_comes_back(engine, exported, fits, ellipsoids, names, suffix):
    path = exported.with_suffix(suffix)
    write_project(read_project(exported), path)
    backend = engine(path)
    found = (
        backend.optimize(ellipsoids[:TRAINING], names[:TRAINING]),
        backend.fit(ellipsoids[TRAINING:], names[TRAINING:]),
    )
    for fit, expected in zip(found, fits, strict=True):
        assert fit.names == expected.names
        assert fit.failed == {}
        for part in ("particles", "world", "procrustes"):
            np.testing.assert_allclose(getattr(fit, part), getattr(expected, part), atol=1e-5)
        for part in ("swapped", "collapsed"):  # the limit of the span is learned anew
            np.testing.assert_array_equal(
                getattr(fit.diagnostics, part), getattr(expected.diagnostics, part)
            )
        np.testing.assert_allclose(fit.diagnostics.residual, expected.diagnostics.residual, 1e-4)
        assert fit.diagnostics.distance_max.max() < 1e-5


def test_absent_subjects_are_fitted_to_the_frozen_model(
    engine, exported, fits, ellipsoids, names, caplog
):
    edit(exported, without("s5"))
    backend = engine()
    backend.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    fit = backend.fit(ellipsoids[TRAINING:], names[TRAINING:])
    assert fit.names == ("s5", "s6")
    assert fit.diagnostics.distance_max[0] < 1e-9
    gap = np.linalg.norm(fit.world[0] - fits[1].world[0], axis=1)
    assert gap.mean() < 0.5
    np.testing.assert_allclose(fit.particles[1], fits[1].particles[1], atol=1e-5)


def test_the_frozen_model_is_that_of_the_training_subjects(engine, ellipsoids, names, fits):
    backend = engine()
    backend.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    np.testing.assert_allclose(backend.arrays()["mean"], fits[0].world.mean(0), atol=1e-5)


def test_a_missing_training_subject_is_left_out_with_its_reason(
    engine, exported, ellipsoids, names
):
    edit(exported, without("s1"))
    fit = engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])
    assert fit.names == ("s0", "s2", "s3", "s4")
    assert fit.failed == {"s1": f"s1: liver has no particles in {exported}"}


def test_a_subject_without_particles_counts_as_absent(engine, exported, ellipsoids, names):
    edit(exported, lambda row: row | {"local_particles_1": ""} if row["name"] == "s1" else row)
    fit = engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])
    assert set(fit.failed) == {"s1"}


def test_a_particle_file_that_is_gone_leaves_its_subject_out(engine, exported, ellipsoids, names):
    (exported.parent / "particles" / "s6_world.particles").unlink()
    backend = engine()
    backend.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    fit = backend.fit(ellipsoids[TRAINING:], names[TRAINING:])
    assert fit.names == ("s5",)
    assert "s6_world.particles does not exist" in fit.failed["s6"]


def test_unknown_subjects_are_ignored_with_a_warning(engine, exported, ellipsoids, names, caplog):
    edit(exported, lambda row: row | {"name": "other"} if row["name"] == "s6" else row)
    edit(exported, lambda row: row | {"local_particles_1": "o"} if row["name"] == "other" else row)
    backend = engine()
    assert "1 of 7 subjects are none of liver's and are ignored: other" in caplog.text
    assert len(backend.optimize(ellipsoids[:TRAINING], names[:TRAINING]).names) == TRAINING


def test_a_wrong_number_of_particles_says_what_to_set(engine, ellipsoids, names):
    with pytest.raises(ValueError, match=r"s0: liver in .*40 particles, expected 64; set corr"):
        engine(particles=64).optimize(ellipsoids[:TRAINING], names[:TRAINING])


def test_one_bad_subject_leaves_the_others(engine, exported, population, ellipsoids, names):
    write_text(population.local[1][:-1], exported.parent / "particles" / "s1_local.particles")
    edit(exported, lambda row: row | {"alignment_1": "1 2 3"} if row["name"] == "s2" else row)
    fit = engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])
    assert fit.names == ("s0", "s3", "s4")
    assert "39 local and 40 world particles; optimize again" in fit.failed["s1"]
    assert "a transform has 12 or 16 finite numbers, found 3" in fit.failed["s2"]


def test_particles_off_the_surface_name_subject_anatomy_distance_and_what_to_do(
    engine, exported, population, ellipsoids, names
):
    for kind in ("local", "world"):  # groomed elsewhere: all is 30 mm away
        points = getattr(population, kind)[2] + [0, 0, 60]
        write_text(points, exported.parent / "particles" / f"s2_{kind}.particles")
    fit = engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])
    assert set(fit.failed) == {"s2"}
    reason = fit.failed["s2"]
    assert reason.startswith("s2: liver in ")
    assert "mm from its groomed surface on average, expected at most 2 mm; groom and " in reason


def test_nothing_but_particles_off_the_surface_stops_and_says_so(
    engine, exported, population, ellipsoids, names
):
    for row, name in enumerate(names):
        points = population.local[row] + [0, 0, 60]
        write_text(points, exported.parent / "particles" / f"{name}_local.particles")
    with pytest.raises(ValueError, match=r"0 training subjects can be used[\s\S]*s0: liver in"):
        engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])


def test_particles_in_the_aligned_frame_are_taken_if_the_config_says_so(
    engine, exported, fits, ellipsoids, names
):
    identity = transform_text(np.eye(4))
    for fit in fits:
        for name, points, matrix in zip(fit.names, fit.particles, fit.procrustes, strict=True):
            write_text(points, exported.parent / "particles" / f"{name}_local.particles")
            texts = {"alignment_1": identity, "procrustes_1": transform_text(matrix)}
            edit(exported, lambda row, n=name, t=texts: row | t if row["name"] == n else row)
    with pytest.raises(ValueError, match=r"if you set correspond\.project\.frame to aligned"):
        engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])
    fit = engine(frame="aligned").optimize(ellipsoids[:TRAINING], names[:TRAINING])
    np.testing.assert_allclose(fit.particles, fits[0].particles, atol=1e-5)
    np.testing.assert_allclose(fit.procrustes, fits[0].procrustes, atol=1e-5)


def test_a_project_that_the_shapeworks_backend_kept_can_be_taken(
    engine, configured, ellipsoids, names, tmp_path
):
    program = ShapeWorksEngine(configured(keep=tmp_path / "kept"))  # the FAKE
    made = program.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    backend = engine(tmp_path / "kept/training/training.swproj", frame="aligned")
    taken = backend.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    for part in ("particles", "world", "procrustes"):
        np.testing.assert_allclose(getattr(taken, part), getattr(made, part), atol=1e-6)


def test_names_that_do_not_agree_are_shown_side_by_side(engine, exported, ellipsoids, names):
    def rename(row):
        files = {}
        for kind in ("local", "world"):
            old = subject_file(exported, row, f"{kind}_particles_1")
            new = old.with_name(f"case{row['name']}_{kind}.particles")
            old.rename(new)
            files[f"{kind}_particles_1"] = f"particles/{new.name}"
        return row | files | {"name": f"case{row['name']}"}

    edit(exported, rename)
    with pytest.raises(ValueError, match=r"none of 5 training subjects .*cases0, .*: s0, s1"):
        engine().optimize(ellipsoids[:TRAINING], names[:TRAINING])


def test_new_subjects_are_scaled_where_the_projects_are(
    engine, exported, population, fits, ellipsoids, names
):
    for row, name in enumerate(names):  # world particles of one size, each its own
        scale = 1 + 0.1 * row
        write_text(
            population.world[row] * scale, exported.parent / "particles" / f"{name}_world.particles"
        )
    edit(exported, lambda row: None if row["name"] == "s6" else row | {"procrustes_1": ""})
    backend = engine()
    fit = backend.optimize(ellipsoids[:TRAINING], names[:TRAINING])
    scales = np.cbrt(np.linalg.det(fit.procrustes[:, :3, :3]))
    np.testing.assert_allclose(scales, [1.0, 1.1, 1.2, 1.3, 1.4], rtol=1e-4)
    new = backend.fit(ellipsoids[6:], names[6:])
    assert np.cbrt(np.linalg.det(new.procrustes[0, :3, :3])) > 1.05


def test_no_project_is_refused(settings, alignments):
    with pytest.raises(ValueError, match="liver: backend project was given no"):
        ProjectEngine(settings, PopulationContext("liver", alignments))


def test_a_project_without_subjects_is_refused(settings, alignments, tmp_path):
    write_project(ShapeWorksProject(()), tmp_path / "a.swproj")
    with pytest.raises(DataError, match="lists no subjects"):
        ProjectEngine(settings, PopulationContext("liver", alignments, tmp_path / "a.swproj"))
