"""Surfaces of another model become particles: each on its own, without the truth."""

import logging

import numpy as np
import pandas as pd
import pytest

from massm.config.models.surface_fit import SurfaceFitConfig
from massm.config.predict import PredictConfig
from massm.geometry.boxes import box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.intersections import self_intersections
from massm.geometry.mesh import Mesh
from massm.io import meshes, predictions
from massm.io.particles import load_set, save_set
from massm.io.predictions import SubjectPrediction
from massm.io.tables import write_table
from massm.models.surface_fit import sound_surface
from massm.stages import predict
from tests.fitting.small_run import ALIGNMENT, ENGINE, HELD_OUT, bent_ellipsoid, write_run
from tests.toy_cohort import ANATOMIES

ENTRY = SurfaceFitConfig(family="surface_fit", label=None, surfaces_of="seg")
MACHINE = PredictConfig(splits=("validation",), batch_size=1, accelerator="cpu", threads=1)
SCORES = np.array([0.9, 0.4])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a model ``seg`` that finds what is there, its surfaces a little too large."""
    folder = tmp_path_factory.mktemp("run")
    cohort = write_run(folder)
    rows = []
    for subject in HELD_OUT:
        there = [name for name in ANATOMIES if subject in cohort.particles[name].subjects]
        write_said(folder, subject, there)
        for name in there:
            mesh = bent_ellipsoid(cohort, subject, name)
            middle = mesh.vertices.mean(0)
            large = Mesh((mesh.vertices - middle) * 1.1 + middle + [2, 0, 0], mesh.faces)
            rows.append(write_surface(folder, subject, name, large))
    write_index(folder, rows)
    return folder


def write_said(folder, subject, there):
    """Write what ``seg`` says of a subject: a model with labels, whose scores stay."""
    present = np.array([name in there for name in ANATOMIES])
    said = SubjectPrediction(ANATOMIES, present, SCORES, boxes=None, local=None, world={})
    predictions.write(said, folder / "predict" / "seg" / f"{subject}.npz")


def write_surface(folder, subject, anatomy, mesh, head="labels"):
    file = folder / "reconstruct" / "seg" / subject / f"{anatomy}.vtp"
    meshes.write(mesh, file)
    row = {"model": "seg", "subject": subject, "anatomy": anatomy, "head": head}
    return {**row, "surface": str(file.relative_to(folder)), "folded": 0, "crossing": 0}


def write_index(folder, rows):
    write_table(pd.DataFrame(rows), folder / "reconstruct" / "seg.tsv")


def fit(folder, output):
    """Run the stage as the rule does; return the predictions by subject."""
    predict.run(
        MACHINE,
        model=ENTRY,
        tensors=folder / "tensors",
        output=output,
        boxes=sorted((folder / "predict" / "seg").glob("*.npz")),
        surfaces=folder / "reconstruct" / "seg.tsv",
        alignment=ALIGNMENT,
        engine=ENGINE,
        results=folder,
    )
    return {path.stem: predictions.read(path) for path in sorted(output.glob("*.npz"))}


@pytest.fixture(scope="module")
def fitted(run):
    return fit(run, run / "predict" / "fitted")


def copy_of(run, folder, parts=("groom", "correspond", "predict", "reconstruct", "tensors")):
    """Link a run's parts into another folder, so that some can be written anew."""
    for part in parts:
        (folder / part).symlink_to(run / part)
    return folder


def test_particles_lie_on_the_surfaces_that_were_given(run, fitted):
    assert tuple(fitted) == HELD_OUT
    for subject, found in fitted.items():
        for anatomy in found.found:
            mesh = meshes.read(run / "reconstruct" / "seg" / subject / f"{anatomy}.vtp")
            local = found.local_of(anatomy)
            assert distance_mm(mesh, local).max() < 1e-4
            assert set(found.world_of(anatomy)) == {"fit"}
            assert (found.world_of(anatomy)["fit"].mean(0) != local.mean(0)).any()


def distance_mm(mesh, points):
    return SurfaceIndex(mesh).closest(points).distance


def test_particles_correspond_to_the_true_ones(run, fitted):
    """The surfaces are a tenth larger and 2 mm beside: so far the particles are, no farther."""
    for anatomy in ANATOMIES:
        true = load_set(run / "correspond" / f"{anatomy}.npz")
        for subject in HELD_OUT:
            if subject in true.subjects:
                own = true.local[true.row(subject)]
                apart = np.linalg.norm(fitted[subject].local_of(anatomy) - own, axis=1)
                assert apart.mean() < 4.0


def test_presence_and_scores_are_those_of_the_model_and_boxes_those_of_the_particles(fitted):
    assert fitted["t6"].found == ANATOMIES
    assert fitted["t7"].found == ("bright",)
    for found in fitted.values():
        np.testing.assert_array_equal(found.score, SCORES)
        assert found.labels is None
        for anatomy in found.found:
            center, radius = box_of(found.local_of(anatomy))
            np.testing.assert_allclose(found.box(anatomy).center, center)
            np.testing.assert_allclose(found.box(anatomy).radius, radius)
    assert np.isnan(fitted["t7"].local[1]).all()


def test_true_particles_of_the_subjects_do_not_reach_their_prediction(run, fitted, tmp_path):
    folder = copy_of(run, tmp_path, ("groom", "predict", "reconstruct", "tensors"))
    for anatomy in ANATOMIES:
        true = load_set(run / "correspond" / f"{anatomy}.npz")
        train = np.array([split == "train" for split in true.splits])
        local = np.where(train[:, None, None], true.local, true.local[::-1] * 3 + 50)
        world = np.where(train[:, None, None], true.world, 7.0)
        spoilt = type(true)(true.subjects, true.splits, local, world, true.transforms)
        save_set(spoilt, folder / "correspond" / f"{anatomy}.npz")
        (folder / "correspond" / anatomy).symlink_to(run / "correspond" / anatomy)
    for subject, found in fit(folder, tmp_path / "fitted").items():
        np.testing.assert_array_equal(found.local, fitted[subject].local)
        np.testing.assert_array_equal(found.world["fit"], fitted[subject].world["fit"])


def test_a_surface_that_cannot_be_fitted_is_missed_and_the_log_says_why(
    run, fitted, tmp_path, caplog
):
    folder = copy_of(run, tmp_path, ("groom", "correspond", "tensors"))
    for subject in HELD_OUT:
        write_said(folder, subject, ANATOMIES)
    mesh = meshes.read(run / "reconstruct" / "seg" / "t5" / "bright.vtp")
    flat = Mesh(mesh.vertices * [1, 1, 1e-7], mesh.faces)
    rows = [
        write_surface(folder, "t5", "bright", Mesh(mesh.vertices, mesh.faces[1:])),
        write_surface(folder, "t6", "bright", flat),
        write_surface(folder, "t5", "dark", mesh),
        write_surface(folder, "t6", "dark", mesh, head="cvae"),  # in the world frame
    ]
    rows.append(write_surface(folder, "t7", "bright", surface_of(run, "t7")))
    write_index(folder, rows)
    with caplog.at_level(logging.WARNING, logger="massm"):
        found = fit(folder, tmp_path / "fitted")
    assert [found[name].found for name in HELD_OUT] == [("dark",), (), ("bright",)]
    np.testing.assert_array_equal(found["t7"].local[0], fitted["t7"].local[0])
    assert "t5: bright is missed, its surface cannot be fitted: the mesh is open" in caplog.text
    assert "t6: bright is missed, its surface cannot be fitted: the mesh encloses" in caplog.text
    assert "t7: dark is missed, its surface cannot be fitted: seg found it, but" in caplog.text
    assert "t6: dark is missed" in caplog.text


def surface_of(run, subject):
    return meshes.read(run / "reconstruct" / "seg" / subject / "bright.vtp")


def test_a_surface_that_crosses_itself_is_fitted(run, tmp_path):
    folder = copy_of(run, tmp_path, ("groom", "correspond", "tensors", "predict"))
    mesh = surface_of(run, "t5")
    middle = mesh.vertices.mean(0)
    vertices = mesh.vertices.copy()
    dent = np.argsort(np.linalg.norm(vertices - vertices[0], axis=1))[:12]
    vertices[dent] += 2.5 * (middle - vertices[0])
    crossing = Mesh(vertices, mesh.faces)
    assert len(self_intersections(crossing)) > 0
    rows = [write_surface(folder, "t5", "bright", crossing)]
    write_index(folder, rows)
    found = fit(folder, tmp_path / "fitted")
    assert found["t5"].found == ("bright",)
    assert distance_mm(crossing, found["t5"].local_of("bright")).max() < 1e-4


def test_the_largest_piece_of_a_surface_is_taken(run):
    mesh = surface_of(run, "t5")
    crumb = Mesh(mesh.vertices * 0.1 + 500, mesh.faces)
    both = Mesh(
        np.concatenate([crumb.vertices, mesh.vertices]),
        np.concatenate([crumb.faces, mesh.faces + len(crumb.vertices)]),
    )
    np.testing.assert_allclose(sound_surface(both).volume, mesh.volume)
    whole = sound_surface(mesh)
    np.testing.assert_array_equal(whole.vertices, mesh.vertices)
    np.testing.assert_array_equal(whole.faces, mesh.faces)


def test_what_it_needs_is_asked_for(run, tmp_path):
    with pytest.raises(ValueError, match="surface_fit fits surfaces: name alignment, engine and"):
        predict.run(MACHINE, model=ENTRY, tensors=run / "tensors", output=tmp_path)
