"""A surface is repaired where what is meant is certain, and what was done is counted."""

from math import inf

import numpy as np
import pytest
import trimesh

from massm.geometry.mesh import Mesh
from massm.geometry.mesh_repair import repaired
from massm.geometry.topology import hole_borders, width


@pytest.fixture
def ball():
    """A sphere of 20 mm around (100, -200, 300) of 1280 triangles."""
    shape = trimesh.creation.icosphere(subdivisions=3, radius=20.0)
    return Mesh(shape.vertices + [100.0, -200.0, 300.0], shape.faces.astype(np.int64))


def together(*meshes):
    starts = np.cumsum([0, *[len(mesh.vertices) for mesh in meshes]])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def resized(mesh, factor, shift=(0.0, 0.0, 0.0)):
    middle = mesh.vertices.mean(0)
    return Mesh((mesh.vertices - middle) * factor + middle + shift, mesh.faces)


def turned(mesh):
    return Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def soup(mesh, rng, noise_mm):
    """Give every triangle corners of its own, a little apart."""
    vertices = mesh.vertices[mesh.faces].reshape(-1, 3)
    vertices = vertices + rng.uniform(-noise_mm, noise_mm, vertices.shape)
    return Mesh(vertices, np.arange(len(vertices)).reshape(-1, 3))


def without_faces_near(mesh, point, radius_mm):
    away = np.linalg.norm(mesh.vertices[mesh.faces].mean(1) - point, axis=1)
    return Mesh(mesh.vertices, mesh.faces[away > radius_mm])


def test_a_closed_surface_comes_back_as_it_is(ball):
    found = repaired(ball, 10.0)
    np.testing.assert_array_equal(found.main.mesh.vertices, ball.vertices)
    np.testing.assert_array_equal(found.main.mesh.faces, ball.faces)
    assert (found.fault, found.notes, found.holes, found.others) == ("", (), "", ())


def test_small_triangles_of_a_closed_surface_are_left(ball):
    vertices = ball.vertices.copy()
    a, b, _ = ball.faces[0]
    vertices[a] = vertices[b] + 1e-7 * (vertices[a] - vertices[b])
    found = repaired(Mesh(vertices, ball.faces), 10.0)
    assert found.joined == 0
    assert len(found.main.mesh.faces) == len(ball.faces)


@pytest.mark.parametrize("noise_mm", [3e-5, 1e-4])
def test_corners_that_are_nearly_equal_are_joined(ball, rng, noise_mm):
    found = repaired(soup(ball, rng, noise_mm), 10.0)
    assert found.fault == ""
    assert found.joined == 3 * len(ball.faces) - len(ball.vertices)
    assert found.main.volume_ml == pytest.approx(ball.volume_ml, rel=1e-4)


def test_nearness_goes_with_the_size_and_not_with_far_debris(ball, rng):
    small = Mesh(soup(ball, rng, 3e-5).vertices / 1000, soup(ball, rng, 0).faces)
    assert repaired(small, 10.0).fault == ""
    speck = resized(ball, 1e-3, (1e6, 0, 0))
    found = repaired(together(ball, speck), 10.0)
    assert (found.joined, found.fault, found.notes) == (
        0,
        "",
        ("pieces beside the largest dropped: 1",),
    )


def test_corners_a_tenth_of_a_millimeter_apart_are_not_joined(ball, rng):
    assert "open" in repaired(soup(ball, rng, 0.1), 1.0).fault


@pytest.mark.parametrize("other_way", [False, True])
def test_doubled_triangles_are_dropped(ball, other_way):
    copies = ball.faces[40:60, ::-1] if other_way else ball.faces[40:60]
    found = repaired(Mesh(ball.vertices, np.concatenate([ball.faces, copies])), 10.0)
    assert found.fault == ""
    assert found.notes == ("doubled triangles dropped: 20",)
    assert found.main.mesh.volume == pytest.approx(ball.volume)


def test_doubled_triangles_with_corners_of_their_own_are_dropped(ball, rng):
    copy = soup(Mesh(ball.vertices, ball.faces[40:60]), rng, 1e-5)
    found = repaired(together(ball, copy), 10.0)
    assert found.fault == ""
    assert found.doubled == 20
    assert found.main.mesh.volume == pytest.approx(ball.volume, rel=1e-4)


def test_a_whole_surface_that_is_there_twice_is_one(ball, rng):
    copy = Mesh(ball.vertices + rng.uniform(-1e-5, 1e-5, ball.vertices.shape), ball.faces)
    found = repaired(together(ball, copy), 10.0)
    assert (found.fault, found.doubled, found.others) == ("", len(ball.faces), ())


def test_turned_triangles_are_counted(ball):
    faces = ball.faces.copy()
    faces[:7] = faces[:7, ::-1]
    found = repaired(Mesh(ball.vertices, faces), 10.0)
    assert found.notes == ("triangles turned: 7",)
    assert found.main.mesh.volume == pytest.approx(ball.volume)
    assert repaired(turned(ball), 10.0).main.turned == len(ball.faces)


def test_holes_are_closed_up_to_a_width(ball):
    pierced = without_faces_near(ball, ball.vertices[0], 3.0)
    (border,) = hole_borders(pierced)
    wide = width(pierced.vertices[border])

    closed, left = repaired(pierced, wide + 0.01), repaired(pierced, wide - 0.01)

    assert closed.fault == ""
    assert closed.holes == f"1 (widest {wide:.3g} mm)"
    assert closed.main.volume_ml == pytest.approx(ball.volume_ml, rel=0.01)
    assert f"open: {len(border)} edges" in left.fault
    assert f"its widest hole measures {wide:.3g} mm" in left.fault
    assert left.main.volume_ml == pytest.approx(ball.volume_ml, rel=0.01)


def test_holes_that_touch_at_a_corner_are_closed_each(ball):
    around = np.flatnonzero((ball.faces == 100).any(axis=1))
    first = ball.faces[around[0]]
    apart = next(f for f in around if len(set(ball.faces[f]) & set(first)) == 1)
    found = repaired(Mesh(ball.vertices, np.delete(ball.faces, [around[0], apart], axis=0)), 10.0)
    assert len(found.main.closed_mm) == 2
    assert found.fault == ""
    assert found.main.mesh.euler_characteristic == 2


def test_a_second_large_piece_is_told_from_debris(ball):
    pair = repaired(
        together(ball, resized(ball, 0.8, (60, 0, 0)), resized(ball, 0.2, (0, 60, 0))), 1.0
    )
    large = pair.large_pieces(0.2)
    assert [piece.volume_ml for piece in large] == pytest.approx(
        [ball.volume_ml, 0.8**3 * ball.volume_ml], rel=1e-6
    )
    assert len(pair.others) == 2


def test_pieces_that_touch_at_one_corner_are_two(ball):
    corner = ball.vertices[0]
    other = Mesh(2 * corner - ball.vertices, ball.faces[:, ::-1].copy())
    assert len(repaired(together(ball, other), 1.0).large_pieces(0.2)) == 2


def test_an_open_sheet_as_large_as_the_organ_is_a_large_piece(ball):
    half = Mesh(ball.vertices, ball.faces[ball.vertices[ball.faces].mean(1)[:, 2] > 300])
    found = repaired(together(ball, resized(half, 1.0, (60, 0, 0))), 1.0)
    assert len(found.large_pieces(0.2)) == 2


@pytest.mark.parametrize("inward", [False, True])
def test_a_piece_inside_is_a_cavity_and_filled(ball, inward):
    inner = resized(turned(ball) if inward else ball, 0.9)
    found = repaired(together(ball, inner), 1.0)
    assert len(found.large_pieces(0.2)) == 1
    assert found.notes == (f"cavities filled: 1, {0.9**3 * ball.volume_ml:.3g} ml",)
    assert found.main.mesh.volume == pytest.approx(ball.volume)


def test_a_cavity_of_a_second_piece_is_no_third_piece(ball):
    second = resized(ball, 0.9, (60, 0, 0))
    found = repaired(together(ball, second, resized(turned(second), 0.8)), 1.0)
    assert (len(found.others), len(found.cavities)) == (1, 1)


def test_many_specks_are_debris(ball):
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    speck = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    specks = [resized(speck, 1.0, (200.0 + 3 * n, 0, 0)) for n in range(80)]
    found = repaired(together(ball, *specks), 1.0)
    assert found.notes == ("pieces beside the largest dropped: 80",)
    assert found.fault == ""


def test_edges_of_three_triangles_are_counted(ball):
    a, b, _ = ball.faces[0]
    fin = Mesh(
        np.vstack([ball.vertices, ball.vertices[a] + [0, 0, 5]]),
        np.vstack([ball.faces, [[a, b, len(ball.vertices)]]]),
    )
    assert "not a manifold: 1 edges" in repaired(fin, 10.0).fault


def test_a_surface_that_cannot_be_turned_one_way_is_refused():
    around, across = 24, 3
    turn = np.repeat(2 * np.pi * np.arange(around) / around, across)
    side = np.tile([-1.0, 0.0, 1.0], around)
    points = np.stack(
        [
            (5 + side * np.cos(turn / 2)) * np.cos(turn),
            (5 + side * np.cos(turn / 2)) * np.sin(turn),
            side * np.sin(turn / 2),
        ],
        axis=1,
    )
    faces = []
    for i in range(around):
        for j in range(across - 1):
            here, there = i * across, (i + 1) * across
            a, b = here + j, here + j + 1
            c, d = there + j, there + j + 1
            if i == around - 1:  # the band of Moebius closes upside down
                c, d = across - 1 - j, across - 2 - j
            faces += [[a, b, d], [a, d, c]]
    assert repaired(Mesh(points, np.array(faces)), inf).fault != ""


def test_a_flat_surface_encloses_nothing(ball):
    flat = Mesh(ball.vertices * [1, 1, 1e-9], ball.faces)
    assert "encloses no volume" in repaired(flat, 10.0).fault
