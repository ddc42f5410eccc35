import json

import numpy as np
import openpyxl
import pytest

from massm.io import spreadsheets
from massm.io.errors import DataError
from massm.io.shapeworks import (
    ShapeWorksProject,
    read_project,
    relative_to_project,
    subject_file,
    transform_matrix,
    transform_text,
    write_project,
)

PROJECT = ShapeWorksProject(
    (
        {"name": "s1", "groomed_1": "groomed/s1.vtp", "alignment_1": "1 0 0 0", "fixed": "no"},
        {"name": "s2", "groomed_1": "groomed/s2.vtp", "local_particles_1": "p/s2_local.particles"},
    ),
    {"optimize": {"number_of_particles": "64", "procrustes": "true"}},
)


@pytest.mark.parametrize("suffix", [".swproj", ".xlsx"])
def test_a_project_comes_back_as_it_was(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    write_project(PROJECT, path)
    found = read_project(path)
    assert found.parameters == PROJECT.parameters
    for subject, expected in zip(found.subjects, PROJECT.subjects, strict=True):
        assert {key: value for key, value in subject.items() if value} == expected


def test_a_swproj_has_the_sections_of_shapeworks_and_text_values(tmp_path):
    write_project(PROJECT, tmp_path / "p.swproj")
    document = json.loads((tmp_path / "p.swproj").read_text(encoding="utf-8"))
    assert list(document)[:3] == ["data", "groom", "optimize"]
    assert {"studio", "project", "analysis", "deepssm", "landmarks"} <= set(document)
    assert all(isinstance(value, str) for value in document["optimize"].values())


def test_files_are_relative_to_the_project(tmp_path):
    project, mesh = tmp_path / "a" / "p.swproj", tmp_path / "b" / "m.vtp"
    assert relative_to_project(mesh, project) == "../b/m.vtp"
    found = subject_file(project, {"groomed_1": "../b/m.vtp"}, "groomed_1")
    assert found is not None
    assert found.resolve() == mesh.resolve()
    assert subject_file(project, {"groomed": "m.vtp"}, "groomed_1") == project.parent / "m.vtp"
    assert subject_file(project, {}, "groomed_1") is None


def test_a_transform_comes_back_as_it_was():
    matrix = np.eye(4)
    matrix[:3] = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(transform_matrix(transform_text(matrix)), matrix, rtol=1e-10)


def test_the_older_twelve_numbers_are_rotation_then_translation():
    matrix = transform_matrix("1 0 0 0 1 0 0 0 1 5 6 7")
    np.testing.assert_array_equal(matrix[:3, :3], np.eye(3))
    np.testing.assert_array_equal(matrix[:3, 3], [5, 6, 7])


@pytest.mark.parametrize("text", ["1 2 3", "a b", "nan " * 16])
def test_other_transforms_are_refused(text):
    with pytest.raises(DataError, match="transform"):
        transform_matrix(text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.swproj", "{", "not a ShapeWorks project"),
        ("p.swproj", '{"data": []}', "no subjects"),
        ("p.swproj", "", "it is empty"),
        ("p.swproj", "null", "expected an object with a list `data`"),
        ("p.swproj", '{"data": null}', "expected an object with a list `data`"),
        ("p.swproj", "[" * 100_000, "not a ShapeWorks project"),
        ("p.xlsx", "no zip", "not a spreadsheet"),
        ("p.txt", "", "ends in"),
    ],
)
def test_damaged_projects_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_project(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_and_null_are_understood(tmp_path, encoding):
    rows = [{"name": "s1", "alignment_1": None, "fixed": False, "number": 3}, None, {"name": "s2"}]
    (tmp_path / "p.swproj").write_text(json.dumps({"data": rows}), encoding=encoding)
    first, second, third = read_project(tmp_path / "p.swproj").subjects
    assert first == {"name": "s1", "alignment_1": "", "fixed": "False", "number": "3"}
    assert (second, third) == ({}, {"name": "s2"})


def test_a_spreadsheet_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    write_project(PROJECT, tmp_path / "p.xlsx")
    monkeypatch.setattr(spreadsheets, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match=r"p\.xlsx: \d+ bytes unpacked, expected .* at most 1000"):
        read_project(tmp_path / "p.xlsx")


@pytest.mark.parametrize(("row", "column", "what"), [(2**20, 1, "rows"), (2, 2**14, "columns")])
def test_a_spreadsheet_with_a_cell_at_its_far_end_is_refused(tmp_path, row, column, what):
    book = openpyxl.Workbook()
    book.active.title = "data"
    book.active.cell(1, 1, "name")
    book.active.cell(row, column, "far")
    book.save(tmp_path / "p.xlsx")
    with pytest.raises(DataError, match=f"{what} in sheet data, expected"):
        read_project(tmp_path / "p.xlsx")


def test_a_missing_project_is_named(tmp_path):
    with pytest.raises(DataError, match="no such"):
        read_project(tmp_path / "p.swproj")
