"""A mesh is judged as grooming would leave it, in its unit and its frame."""

import numpy as np
import pytest
import trimesh

from massm.dataset.cohort import FoundAnatomy
from massm.dataset.surfaces import check_surface
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes
from tests.dataset.cohorts import dataset_config

MIDDLE = np.array([80.0, 40.0, -250.0])
IMAGE = Volume(
    np.zeros((40, 40, 40), np.float32), np.array([3.0, 3.0, 3.0]), MIDDLE - 58.5, np.eye(3)
)


def ball(radius=20.0, center=MIDDLE):
    shape = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return Mesh(shape.vertices + center, shape.faces.astype(np.int64))


def check(tmp_path, mesh, *, image=IMAGE, hole_mm=10.0, **changes):
    meshes.write(mesh, tmp_path / "a.vtp")
    config = dataset_config(tmp_path, **changes)
    return check_surface(config, FoundAnatomy("spleen", tmp_path / "a.vtp"), image, hole_mm)


def pierced(mesh, radius_mm):
    away = np.linalg.norm(mesh.vertices[mesh.faces].mean(1) - mesh.vertices[0], axis=1)
    return Mesh(mesh.vertices, mesh.faces[away > radius_mm])


def together(one, other):
    return Mesh(
        np.concatenate([one.vertices, other.vertices]),
        np.concatenate([one.faces, other.faces + len(one.vertices)]),
    )


@pytest.mark.parametrize("image", [IMAGE, None])
def test_a_sound_surface_is_used_without_a_note(tmp_path, image):
    found = check(tmp_path, ball(), image=image)
    assert (found.status, found.reason, found.note) == ("used", "", "")
    assert found.volume_ml == pytest.approx(ball().volume_ml)


@pytest.mark.parametrize(("image", "is_noted"), [(None, True), (IMAGE, False)])
def test_a_small_surface_without_a_ct_that_tells_its_unit_is_noted(tmp_path, image, is_noted):
    found = check(tmp_path, ball(9.5), image=image)
    assert found.status == "used"
    assert ("19 mm along its longest side, smaller than most" in found.note) == is_noted


def test_what_grooming_repairs_is_used_and_counted(tmp_path):
    mesh = pierced(ball(), 3.0)
    mesh = Mesh(mesh.vertices, np.concatenate([mesh.faces, mesh.faces[-5:]]))
    found = check(tmp_path, together(mesh, ball(1.0, MIDDLE + 30)))
    assert found.status == "used"
    assert "doubled triangles dropped: 5" in found.note
    assert "pieces beside the largest dropped: 1" in found.note
    assert "holes closed: 1 (widest " in found.note
    assert found.volume_ml == pytest.approx(ball().volume_ml, rel=0.01)


def test_a_hole_wider_than_grooming_closes_is_refused(tmp_path):
    found = check(tmp_path, pierced(ball(), 12.0))
    assert found.status == "excluded"
    assert "the mesh is open" in found.reason


def test_holes_are_left_to_grooming_where_its_limit_is_not_known(tmp_path):
    found = check(tmp_path, pierced(ball(), 12.0), hole_mm=None)
    assert found.status == "used"
    assert "holes left to grooming: 1 (widest " in found.note


def test_a_second_large_piece_is_refused_with_the_volumes(tmp_path):
    found = check(tmp_path, together(ball(15.0), ball(14.0, MIDDLE + [35, 0, 0])))
    assert found.status == "excluded"
    assert found.reason.startswith("several large pieces: 2, the largest two of 14 and 11.4 ml")
    assert found.note == ""


def test_debris_outside_of_the_ct_does_not_count(tmp_path):
    assert check(tmp_path, together(ball(), ball(1.0, MIDDLE + 500))).status == "used"


def test_a_cavity_is_filled(tmp_path):
    found = check(tmp_path, together(ball(), ball(15.0)))
    assert found.status == "used"
    assert "cavities filled: 1" in found.note


# ---- units and frames ----


def scaled(factor, radius=20.0):
    return Mesh(ball(radius).vertices * factor, ball().faces)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.001, "0.04 mm along its longest side"),
        (1000.0, "4e+04 mm along its longest side"),
    ],
)
def test_a_size_that_no_organ_has_is_refused_with_the_unit_suspected(tmp_path, factor, words):
    for image in (IMAGE, None):
        found = check(tmp_path, scaled(factor), image=image)
        assert found.status == "excluded"
        assert words in found.reason
        unit = "meters" if factor < 1 else "micrometers"
        assert f"seems to be in {unit};" in found.reason


def test_centimeters_are_noticed_by_the_ct(tmp_path):
    found = check(tmp_path, scaled(0.1))
    assert found.status == "excluded"
    assert "surface of 4 x 4 x 4 mm holds 1.2 voxels of the CT, fewer than 5" in found.reason
    assert "times 10 it lies inside: the file seems to be in centimeters" in found.reason


def test_a_large_organ_in_centimeters_lies_outside_and_would_fit_times_ten(tmp_path):
    found = check(tmp_path, scaled(0.1, radius=50.0))
    assert "out of the CT" in found.reason
    assert found.reason.endswith("the file seems to be in centimeters")


def test_ras_is_noticed_where_the_negated_surface_lies_in_the_ct(tmp_path):
    mesh = Mesh(ball().vertices * [-1, -1, 1], ball().faces)
    found = check(tmp_path, mesh)
    assert found.status == "excluded"
    assert "out of the CT" in found.reason
    assert "the file seems to be RAS, not LPS" in found.reason


def test_ras_in_another_unit_is_noticed(tmp_path):
    mesh = Mesh(ball().vertices * [-0.1, -0.1, 0.1], ball().faces)
    assert "in centimeters and RAS" in check(tmp_path, mesh).reason


def test_a_surface_that_lies_nowhere_near_is_refused_without_a_guess(tmp_path):
    reason = check(tmp_path, ball(center=MIDDLE + 700)).reason
    assert "out of the CT" in reason
    assert "seems" not in reason
