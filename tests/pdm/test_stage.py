"""The stage on a folder of groomed surfaces."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from massm.geometry.alignment import apply_transform
from massm.geometry.distance import SurfaceIndex
from massm.io import meshes
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.particles import load_set, read_text, save_arrays
from massm.io.shapeworks import read_project, subject_file, transform_matrix, write_project
from massm.io.tables import read_table, write_table
from massm.stages.correspond import run

SPLITS = ("train", "train", "train", "train", "train", "validation", "test")


@pytest.fixture(scope="module")
def results(tmp_path_factory, ellipsoids, names, settings):
    """Groomed ellipsoids, each shifted by its alignment, after a run of the stage."""
    root = tmp_path_factory.mktemp("results")
    rows, transforms = [], {}
    for row, (mesh, name, split) in enumerate(zip(ellipsoids, names, SPLITS, strict=True)):
        matrix = np.eye(4)
        matrix[:3, 3] = (100 + row, -50, 7)
        transforms[name] = matrix.ravel().tolist()
        path = f"groom/surfaces/{name}/liver.vtp"
        shifted = mesh.transformed(np.linalg.inv(matrix))
        meshes.write(shifted, root / path)
        points = shifted.vertices
        save_arrays({"points": points}, root / "truth" / name / "liver.npz")
        rows.append((name, "liver", split, "groomed", "", path))
    columns = ["subject", "anatomy", "split", "status", "reason", "surface"]
    write_table(pd.DataFrame(rows, columns=columns), root / "groom/index/0000.tsv")
    write_json({"transforms": transforms}, root / "groom/alignment/liver.json")
    run(settings, **arguments(root), truth=root / "truth")
    return root


def arguments(root, anatomy="liver"):
    return {
        "population": anatomy,
        "anatomies": [anatomy],
        "index": [root / "groom/index/0000.tsv"],
        "alignments": [root / "groom/alignment/liver.json"],
        "results": root,
        "particles": [root / f"correspond/{anatomy}.npz"],
        "folders": [root / "correspond" / anatomy],
    }


def test_training_subjects_come_first_and_nobody_is_missing(results):
    found = load_set(results / "correspond/liver.npz")
    assert found.splits == SPLITS
    assert found.local.shape == (7, 40, 3)


def test_local_particles_lie_on_the_surfaces_in_image_space(results):
    found = load_set(results / "correspond/liver.npz")
    for subject, points in zip(found.subjects, found.local, strict=True):
        mesh = meshes.read(results / f"groom/surfaces/{subject}/liver.vtp")
        center = points.mean(0) - (mesh.vertices.max(0) + mesh.vertices.min(0)) / 2
        assert np.linalg.norm(center) < 3


def test_transforms_carry_local_to_world(results):
    found = load_set(results / "correspond/liver.npz")
    for row in range(7):
        moved = apply_transform(found.transforms[row], found.local[row])
        np.testing.assert_allclose(moved, found.world[row], atol=1e-8)


def test_text_particles_hold_the_same_numbers(results):
    found = load_set(results / "correspond/liver.npz")
    for kind in ("local", "world"):
        text = read_text(results / f"correspond/liver/particles/s6_{kind}.particles")
        np.testing.assert_allclose(text, getattr(found, kind)[6], atol=1e-5)


def test_a_project_shows_the_result_in_studio(results, names):
    path = results / "correspond/liver/liver.swproj"
    found = load_set(results / "correspond/liver.npz")
    project = read_project(path)
    assert [subject["name"] for subject in project.subjects] == names
    assert [subject["group_split"] for subject in project.subjects] == list(SPLITS)
    for row, subject in enumerate(project.subjects):
        assert subject["groomed_1"] == f"../../groom/surfaces/{subject['name']}/liver.vtp"
        local = read_text(subject_file(path, subject, "local_particles_1"))
        world = read_text(subject_file(path, subject, "world_particles_1"))
        matrix = transform_matrix(subject["procrustes_1"]) @ transform_matrix(
            subject["alignment_1"]
        )
        np.testing.assert_allclose(apply_transform(matrix, local), world, atol=1e-5)
        np.testing.assert_allclose(matrix, found.transforms[row], atol=1e-8)
        mesh = meshes.read(subject_file(path, subject, "groomed_1"))
        assert SurfaceIndex(mesh).closest(local).distance.max() < 1e-5


def test_quality_is_told_in_numbers(results):
    values = read_json(results / "correspond/liver/quality.json")
    assert values["swapped_pairs"] == values["fixed_collapsed_pairs"] == 0
    assert values["distance_max"] < 1e-6
    assert 0 < values["truth_error_mean"] < 4
    curves = read_table(results / "correspond/liver/curves.csv")
    assert {"compactness", "generalization", "specificity"} <= set(curves["measure"])


def test_every_subject_has_a_row(results, names):
    table = read_table(results / "correspond/liver/particles.csv")
    assert table["subject"].tolist() == names
    assert set(table["status"]) == {"fitted"}


def test_an_anatomy_without_training_surfaces_is_refused(results, settings):
    with pytest.raises(DataError, match="kidney: no training subject"):
        run(settings, **arguments(results, "kidney"))


@pytest.fixture(scope="module")
def imported(results, settings):
    """The stage again, on the project that its first run wrote, without two of its subjects."""
    path = results / "correspond/liver/liver.swproj"
    project = read_project(path)
    kept = tuple(row for row in project.subjects if row["name"] not in ("s1", "s6"))
    write_project(replace(project, subjects=kept), path.with_name("mine.xlsx"))
    config = settings.model_copy(update={"backend": "project"})
    again = {"particles": [results / "again/liver.npz"], "folders": [results / "again/liver"]}
    run(config, **arguments(results) | again, project=path.with_name("mine.xlsx"))
    return results / "again"


def test_a_project_is_taken_as_the_stages_result(results, imported):
    expected, found = load_set(results / "correspond/liver.npz"), load_set(imported / "liver.npz")
    assert found.subjects == ("s0", "s2", "s3", "s4", "s5", "s6")
    for subject in ("s0", "s2", "s3", "s4", "s5"):
        row, other = found.row(subject), expected.row(subject)
        for part in ("local", "world", "transforms"):
            np.testing.assert_allclose(
                getattr(found, part)[row], getattr(expected, part)[other], atol=1e-5
            )
    moved = apply_transform(found.transforms[5], found.local[5])
    np.testing.assert_allclose(moved, found.world[5], atol=1e-8)  # fitted to the model


def test_a_training_subject_that_the_project_lacks_is_a_row_with_its_reason(imported):
    table = read_table(imported / "liver/particles.csv").set_index("subject")
    assert table.loc["s1", ["status", "split"]].tolist() == ["failed", "train"]
    assert "liver has no particles in" in table.loc["s1", "reason"]
    assert (table.drop("s1")["status"] == "fitted").all()


def test_a_taken_result_is_shown_in_studio_like_any_other(imported):
    project = read_project(imported / "liver/liver.swproj")
    assert [row["name"] for row in project.subjects] == ["s0", "s2", "s3", "s4", "s5", "s6"]


def test_a_project_that_does_not_fit_names_the_anatomy(results, settings):
    config = settings.model_copy(update={"backend": "project", "particles": 64})
    project = results / "correspond/liver/liver.swproj"
    said = r"liver: 0 training subjects can be used.* s0: .* it holds 40 particles, expected 64"
    with pytest.raises(DataError, match=said):
        run(config, **arguments(results), project=project)
