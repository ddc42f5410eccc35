"""The stage as the workflow runs it: tables in full, one bad subject confined to its rows."""

import numpy as np
import pytest
import trimesh

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.tables import read_table
from massm.stages import dataset_check
from massm.stages.dataset import run
from tests.dataset.cohorts import (
    ANATOMIES,
    ORIGIN,
    SHAPE,
    SPACING,
    dataset_config,
    truncate,
    write_subject,
)


def run_stage(root, out, **changes):
    paths = {"subjects": out / "subjects.tsv", "cohort": out / "cohort.tsv"}
    run(dataset_config(root, **changes), anatomies=ANATOMIES, **paths)
    return read_table(paths["subjects"]), read_table(paths["cohort"])


@pytest.fixture
def root(tmp_path):
    """Six subjects: s0003 has a damaged CT, s0004 no spleen."""
    root = tmp_path / "cohort"
    for i in range(1, 7):
        write_subject(root, f"s000{i}")
    truncate(root / "s0003/ct.nii.gz")
    empty = Volume(np.zeros(SHAPE, bool), SPACING, ORIGIN)
    write_subject(root, "s0004", {"spleen": empty})
    return root


def test_one_bad_subject_leaves_the_others(root, tmp_path):
    subjects, cohort = run_stage(root, tmp_path)
    assert subjects["status"].value_counts().to_dict() == {"used": 5, "excluded": 1}
    bad = subjects.set_index("subject").loc["s0003"]
    assert "truncated" in bad["reason"]
    assert len(cohort) == 12
    by_subject = cohort.set_index(["subject", "anatomy"])["status"]
    assert by_subject["s0003"].tolist() == ["excluded", "excluded"]
    assert by_subject["s0004"].tolist() == ["absent", "used"]
    assert (by_subject.drop(["s0003", "s0004"]) == "used").all()


def test_holes_of_a_mesh_are_judged_by_what_grooming_closes(tmp_path):
    shape = trimesh.creation.icosphere(subdivisions=3, radius=20.0)
    faces = shape.faces.astype(np.int64)[6:]
    meshes.write(Mesh(np.asarray(shape.vertices), faces), tmp_path / "a.vtp")
    rows = "".join(f"s{n}\tspleen\ta.vtp\n" for n in range(2))
    (tmp_path / "t.tsv").write_text(f"subject\tanatomy\tmask\n{rows}")
    config = dataset_config(tmp_path / "t.tsv", layout="table")
    outcomes = {}
    for hole_mm in (None, 0.5, 10.0):
        paths = {"subjects": tmp_path / "s.tsv", "cohort": tmp_path / "c.tsv"}
        run(config, anatomies=["spleen"], hole_mm=hole_mm, **paths)
        table = read_table(paths["cohort"])
        outcomes[hole_mm] = (table.status[0], table.reason[0][:16], table.note[0].split(":")[0])
    assert outcomes == {
        None: ("used", "", "holes left to grooming"),
        0.5: ("excluded", "the mesh is open", ""),
        10.0: ("used", "", "holes closed"),
    }


def test_the_tables_have_the_columns_that_later_stages_read(root, tmp_path):
    subjects, cohort = run_stage(root, tmp_path)
    size = [f"{what}_{axis}" for what in ("size", "spacing") for axis in "xyz"]
    text = ["subject", "split", "status", "reason", "note", "image"]
    assert subjects.columns.tolist() == [*text, *size]
    columns = ["subject", "anatomy", "split", "status", "reason", "note"]
    columns += ["image", "mask", "label"]
    assert cohort.columns.tolist() == [*columns, "volume_ml", "source"]
    first = subjects.iloc[0]
    assert (first["size_x"], first["size_z"], first["spacing_z"]) == (14, 10, 5.0)


def check(out, min_train=1):
    paths = {name: out / f"{name}.tsv" for name in ("subjects", "cohort", "counts")}
    dataset_check.run(min_train=min_train, anatomies=ANATOMIES, **paths)
    return read_table(paths["counts"])


def test_one_subject_is_no_cohort_but_gets_its_row(tmp_path):
    write_subject(tmp_path / "cohort", "s0001")
    subjects, _ = run_stage(tmp_path / "cohort", tmp_path)
    assert len(subjects) == 1
    with pytest.raises(DataError, match="one subject only"):
        check(tmp_path)


def test_too_few_training_subjects_are_refused_with_the_tables_that_tell_why(root, tmp_path):
    _, cohort = run_stage(root, tmp_path)
    with pytest.raises(
        DataError, match=r"(?s)spleen: \d of dataset.min_train = 4 \(1 x .*1 x "
    ) as error:
        check(tmp_path, min_train=4)
    assert str(tmp_path / "cohort.tsv") in str(error.value)
    assert str(tmp_path / "subjects.tsv") in str(error.value)
    assert not (tmp_path / "counts.tsv").exists()
    lost = cohort[cohort["status"] != "used"]
    assert (lost["reason"] != "").all()


def test_a_usable_cohort_is_counted(root, tmp_path):
    _, cohort = run_stage(root, tmp_path)
    counts = check(tmp_path).set_index("anatomy")
    assert counts.loc["spleen", ["absent", "excluded"]].tolist() == [1, 1]
    for anatomy, rows in cohort[cohort["status"] == "used"].groupby("anatomy"):
        given = counts.loc[anatomy, ["train", "validation", "test"]]
        assert given.to_dict() == {s: int((rows["split"] == s).sum()) for s in given.index}


def test_a_missing_root_names_the_demo(tmp_path):
    with pytest.raises(DataError, match=r"dataset.root is not set.*make demo") as error:
        run_stage(None, tmp_path)
    assert "\n" not in str(error.value)


def test_a_split_that_cannot_be_honored_stops_before_images_are_read(root, tmp_path):
    (root / "meta.csv").write_text("image_id;split\ns0001;a\ns0002;b\n")
    with pytest.raises(DataError, match="cannot be honored: 2 of 2 subjects have 'a'"):
        run_stage(root, tmp_path)
    assert not (tmp_path / "cohort.tsv").exists()
