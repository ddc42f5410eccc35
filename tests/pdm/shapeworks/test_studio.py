"""A finished model as a project: read back, and against the layout of ShapeWorks' own projects."""

import json
from pathlib import Path

import numpy as np
import pytest

from massm.geometry.alignment import apply_transform
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.particles import read_text, write_texts
from massm.io.shapeworks import read_project, subject_file, transform_matrix
from massm.io.shapeworks_subjects import match_subjects, read_subjects
from massm.pdm.shapeworks.studio import write_studio_project

TURN = np.array([[0.0, -1, 0, 2], [1, 0, 0, 3], [0, 0, 1, 4], [0, 0, 0, 1]])
MOVE = np.array([[2.0, 0, 0, 5], [0, 2, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1]])


@pytest.fixture
def population(rng):
    """Two subjects; image to aligned frame is TURN, from there to world MOVE."""
    local = rng.normal(size=(2, 5, 3)) * 100
    world = np.stack([apply_transform(MOVE @ TURN, points) for points in local])
    return ParticleSet(("s1", "s2"), ("train", "test"), local, world, np.stack([MOVE @ TURN] * 2))


@pytest.fixture
def path(population, cube, tmp_path):
    """The project, with meshes and particles in other folders."""
    surfaces = {name: tmp_path / "groom" / name / "spleen.vtp" for name in population.subjects}
    for surface in surfaces.values():
        meshes.write(cube, surface)
    write_texts(population, tmp_path / "correspond" / "particles")
    path = tmp_path / "correspond" / "spleen.swproj"
    alignments = dict.fromkeys(population.subjects, TURN)
    write_studio_project(path, population, surfaces, alignments, path.parent / "particles")
    return path


def test_every_subject_comes_back_with_its_files(path, population, cube):
    project = read_project(path)
    assert [subject["name"] for subject in project.subjects] == ["s1", "s2"]
    for row, subject in enumerate(project.subjects):
        for kind in ("local", "world"):
            points = read_text(subject_file(path, subject, f"{kind}_particles_1"))
            np.testing.assert_allclose(points, getattr(population, kind)[row], rtol=1e-8)
        for column in ("shape_1", "groomed_1"):
            mesh = meshes.read(subject_file(path, subject, column))
            np.testing.assert_allclose(mesh.vertices.mean(0), cube.vertices.mean(0), atol=1e-5)
            assert mesh.volume == pytest.approx(8)


def test_subjects_go_by_their_names_where_all_meshes_have_one(path, population):
    rows = read_project(path).subjects
    assert {Path(row["shape_1"]).name for row in rows} == {"spleen.vtp"}
    found = read_subjects(path, "spleen")
    assert [subject.names[0] for subject in found] == list(population.subjects)
    matched = match_subjects(found, population.subjects)
    for row, name in enumerate(population.subjects):
        local, world = matched[name].read()
        np.testing.assert_allclose(local, population.local[row], rtol=1e-8)
        np.testing.assert_allclose(world, population.world[row], rtol=1e-8)


def test_alignment_then_procrustes_carry_local_to_world(path, population):
    for row, subject in enumerate(read_project(path).subjects):
        alignment = transform_matrix(subject["alignment_1"])
        procrustes = transform_matrix(subject["procrustes_1"])
        np.testing.assert_allclose(alignment, TURN, atol=1e-9)
        np.testing.assert_allclose(procrustes, MOVE, atol=1e-9)
        moved = apply_transform(procrustes @ alignment, population.local[row])
        np.testing.assert_allclose(moved, population.world[row], atol=1e-6)


def test_splits_are_a_group(path):
    assert [s["group_split"] for s in read_project(path).subjects] == ["train", "test"]


def test_paths_are_relative_and_hold_after_the_folder_moves(path, tmp_path):
    columns = ("shape_1", "groomed_1", "local_particles_1", "world_particles_1")
    for subject in json.loads(path.read_text(encoding="utf-8"))["data"]:
        assert subject["groomed_1"] == f"../groom/{subject['name']}/spleen.vtp"
        assert all("\\" not in subject[column] for column in columns)
    moved = tmp_path.rename(tmp_path.with_name("moved")) / "correspond" / "spleen.swproj"
    for subject in read_project(moved).subjects:
        assert all(subject_file(moved, subject, column).is_file() for column in columns)


def test_the_layout_is_that_of_shapeworks(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    sections = ("data", "groom", "optimize", "studio", "project", "analysis", "deepssm")
    assert tuple(document) == (*sections, "landmarks")
    assert document["studio"] == {"tool_state": "analysis"}
    assert document["landmarks"] == []
    for subject in document["data"]:
        assert all(isinstance(value, str) for value in subject.values())
        assert next(iter(subject)) == "name"
        for column in ("alignment_1", "procrustes_1"):
            assert len([float(number) for number in subject[column].split()]) == 16
