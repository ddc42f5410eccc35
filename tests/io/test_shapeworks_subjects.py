"""Subjects of a project are found by their names, with their particles and transforms."""

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.particles import write_text
from massm.io.shapeworks import ShapeWorksProject, transform_text, write_project
from massm.io.shapeworks_subjects import match_subjects, read_subjects


@pytest.fixture
def read(tmp_path):
    """Write rows as a project and read its subjects, as ``read([{...}], suffix=".xlsx")``."""

    def write_and_read(rows, suffix=".swproj"):
        path = tmp_path / f"p{suffix}"
        write_project(ShapeWorksProject(tuple(rows)), path)
        return read_subjects(path, "spleen")

    return write_and_read


def row(file="x", **columns):
    return {"local_particles_1": f"p/{file}_local.particles"} | columns


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "s1"},
        {"name": "s1_groomed"},
        {"name": "Case A", "shape_1": "meshes/s1.vtp"},
        {"name": "Case A", "segmentation_1": "s1_spleen.nii.gz"},
        {"name": "", "groomed_1": "groomed/s1_groomed.vtk"},
        {"groomed_1": "groomed\\s1_spleen_groomed_DT.nrrd"},
        {"local_particles_1": "p/s1_spleen_DT_local.particles"},
    ],
    ids=lambda columns: "-".join(columns.values()),
)
def test_a_subject_is_found_by_its_name_or_a_files_stem(read, columns):
    assert set(match_subjects(read([row(**columns)]), ["s1", "s2"])) == {"s1"}


def test_the_most_literal_name_wins(read):
    found = match_subjects(read([row(name="s1_groomed")]), ["s1", "s1_groomed"])
    assert set(found) == {"s1_groomed"}


@pytest.mark.parametrize("name", ["S1", "s1_liver", "s10", "1"])
def test_other_names_are_not_that_subject(read, name):
    assert match_subjects(read([row(name=name)]), ["s1"]) == {}


def test_two_rows_of_one_subject_are_its_fault_alone(read):
    rows = [row("a", name="s1"), row("b", name="s1_DT"), row("c", name="s2")]
    found = match_subjects(read(rows), ["s1", "s2"])
    assert found["s1"].fault == "two subjects of the project are s1: s1 and s1_DT; rename one"
    assert found["s2"].fault == ""
    with pytest.raises(DataError, match="two subjects of the project are s1"):
        found["s1"].read()


def test_the_transform_is_alignment_then_procrustes(read):
    turn = np.array([[0.0, -1, 0, 2], [1, 0, 0, 3], [0, 0, 1, 4], [0, 0, 0, 1]])
    move = np.diag([2.0, 2, 2, 1])
    texts = {"alignment_1": transform_text(turn), "procrustes_1": transform_text(move)}
    both, alone, none = read(
        [
            row("a", name="a", **texts),
            row("b", name="b", alignment_1=texts["alignment_1"]),
            row("c", name="c"),
        ]
    )
    np.testing.assert_allclose(both.transform, move @ turn)
    np.testing.assert_allclose(alone.transform, turn)
    assert none.transform is None


def test_an_old_spreadsheet_has_no_names_and_no_domains(read, tmp_path):
    points = np.arange(12.0).reshape(4, 3)
    for kind in ("local", "world"):
        write_text(points, tmp_path / f"s1_DT_{kind}.particles")
    columns = {
        "segmentation_1": "s1.nrrd",
        "groomed_1": "s1_DT.nrrd",
        "local_particles": "s1_DT_local.particles",
        "world_particles": "s1_DT_world.particles",
    }
    subject = match_subjects(read([columns], ".xlsx"), ["s1"])["s1"]
    for found in subject.read():
        np.testing.assert_array_equal(found, points)


def test_a_domain_may_have_any_name(read, tmp_path):
    found = read([{"name": "s1", "local_particles_left": "a.particles"}])
    assert found[0].local == tmp_path / "a.particles"


def test_several_domains_are_refused(read):
    rows = [row(name="s1", local_particles_2="b.particles")]
    with pytest.raises(DataError, match=r"2 domains \(1, 2\), expected one"):
        read(rows)


def test_a_project_that_was_not_optimized_is_refused(read):
    with pytest.raises(DataError, match="names no local particles; optimize it"):
        read([{"name": "s1", "groomed_1": "s1.vtk"}])


def test_one_particle_file_of_two_subjects_is_the_fault_of_both(read):
    found = read([row("spleen", name="s1"), row("spleen", name="s2"), row("c", name="s3")])
    for subject in found[:2]:
        assert "s1 and s2 have one particle file, spleen_local.part" in subject.fault
    assert found[2].fault == ""


@pytest.mark.parametrize("text", ["1 2 3", "a b", "nan " * 16])
def test_a_transform_that_cannot_be_read_is_the_fault_of_its_subject(read, text):
    bad, good = read([row("a", name="s1", alignment_1=text), row("b", name="s2")])
    assert "transform" in bad.fault
    with pytest.raises(DataError, match="transform"):
        bad.read()
    assert good.fault == ""


def test_files_of_a_moved_project_are_found_by_the_tail_of_their_paths(read, tmp_path):
    write_text(np.zeros((4, 3)), tmp_path / "p" / "s1_local.particles")
    columns = {
        "name": "s1",
        "local_particles_1": "C:\\Users\\me\\study\\p\\s1_local.particles",
        "world_particles_1": "/home/me/study/p/s1_world.particles",
    }
    (subject,) = read([columns])
    assert subject.local == tmp_path / "p" / "s1_local.particles"
    with pytest.raises(DataError, match=r"no world particles: .*/p/s1_world\.particles does not"):
        subject.read()


def test_one_tail_for_two_subjects_gives_the_file_to_neither(read, tmp_path):
    write_text(np.zeros((4, 3)), tmp_path / "local.particles")
    rows = [
        {"name": name, "local_particles_1": f"D:\\{name}\\local.particles"} for name in ("s1", "s2")
    ]
    assert all("have one particle file" in subject.fault for subject in read(rows))


def test_excluded_subjects_are_left_out(read):
    rows = [row("a", name="s1", excluded="yes"), row("b", name="s2", excluded="no")]
    found = read([*rows, row("c", name="s3")])
    assert [subject.names[0] for subject in found] == ["s2", "s3"]


def test_missing_particles_are_named(read, tmp_path):
    subject = read([row(name="s1", world_particles_1="w.particles")])[0]
    with pytest.raises(DataError, match=r"no local particles: the project .*x_local.*not exist"):
        subject.read()
    write_text(np.zeros((4, 3)), tmp_path / "p" / "x_local.particles")
    with pytest.raises(DataError, match=r"no world particles: the project .*w\.particles does not"):
        subject.read()
    with pytest.raises(DataError, match="no world particles: the project names no file"):
        read([row(name="s1")])[0].read()
