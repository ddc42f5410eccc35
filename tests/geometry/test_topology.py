"""Pieces, borders and handles are counted and repaired."""

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.geometry.topology import (
    boundary_edge_count,
    compacted,
    component_labels,
    edge_component_labels,
    fanned,
    genus,
    hole_borders,
    largest_component,
    nonmanifold_edge_count,
    nonmanifold_vertex_count,
    oriented,
    width,
)


def join(*meshes):
    offsets = np.cumsum([0, *[len(mesh.vertices) for mesh in meshes]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, offsets, strict=False)]),
    )


def torus(around=12, across=8):
    u, v = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = 2 * np.pi * u / around, 2 * np.pi * v / across
    vertices = np.stack(
        [(3 + np.cos(b)) * np.cos(a), (3 + np.cos(b)) * np.sin(a), np.sin(b)], axis=-1
    ).reshape(-1, 3)

    def number(i, j):
        return (i % around) * across + j % across

    one, two, three, four = number(u, v), number(u + 1, v), number(u + 1, v + 1), number(u, v + 1)
    faces = np.concatenate(
        [
            np.stack([one, two, three], -1).reshape(-1, 3),
            np.stack([one, three, four], -1).reshape(-1, 3),
        ]
    )
    return Mesh(vertices, faces)


def test_a_closed_cube_has_no_fault(cube):
    assert boundary_edge_count(cube) == 0
    assert nonmanifold_edge_count(cube) == 0
    assert nonmanifold_vertex_count(cube) == 0
    assert genus(cube) == 0


def test_a_torus_has_one_handle():
    assert torus().is_closed
    assert genus(torus()) == 1


def test_the_larger_of_two_pieces_is_kept(cube):
    small = Mesh(cube.vertices * 0.5 - 40, cube.faces)
    both = join(small, cube)

    assert component_labels(both).max() == 1
    kept = largest_component(both)
    np.testing.assert_array_equal(kept.vertices, cube.vertices)
    np.testing.assert_array_equal(kept.faces, cube.faces)


def test_unused_vertices_are_dropped(cube):
    spare = Mesh(np.vstack([cube.vertices, [[0.0, 0, 0]]]), cube.faces)
    assert len(compacted(spare).vertices) == 8


def test_a_missing_triangle_is_an_open_border_and_can_be_filled(cube):
    opened = Mesh(cube.vertices, cube.faces[1:])

    assert boundary_edge_count(opened) == 3
    filled = fanned(opened, hole_borders(opened))
    assert filled.is_closed
    assert filled.volume == pytest.approx(8)


def test_a_hole_is_as_wide_as_the_circle_around_its_middle(cube):
    turn = 2 * np.pi * np.arange(20) / 20
    circle = np.stack([3 * np.cos(turn), 3 * np.sin(turn), np.full(20, 7.0)], axis=1)
    jagged = circle * np.where(np.arange(20) % 2, 1.2, 0.8)[:, None] * [1, 1, 0]
    assert width(circle) == pytest.approx(6)
    assert width(jagged) == pytest.approx(6)
    (border,) = hole_borders(Mesh(cube.vertices, cube.faces[1:]))
    assert len(border) == 3


def test_holes_that_share_a_corner_have_a_border_each(cube):
    corner = int(cube.faces[0, 0])
    faces = [face for face in range(12) if corner in cube.faces[face]]
    one = faces[0]
    other = next(f for f in faces if len(set(cube.faces[f]) & set(cube.faces[one])) == 1)
    opened = Mesh(cube.vertices, np.delete(cube.faces, [one, other], axis=0))
    assert [len(loop) for loop in hole_borders(opened)] == [3, 3]


def test_pieces_that_share_a_corner_are_two_by_their_edges(cube):
    mirrored = Mesh(2 * cube.vertices[0] - cube.vertices, cube.faces[:, ::-1].copy())
    both = join(cube, mirrored)
    faces = np.where(both.faces == 8, 0, both.faces)  # the corner that they share
    assert component_labels(Mesh(both.vertices, faces)).max() == 0
    assert np.bincount(edge_component_labels(Mesh(both.vertices, faces))).tolist() == [12, 12]


def test_an_edge_of_three_triangles_is_found(cube):
    a, b, _ = cube.faces[0]
    fin = Mesh(np.vstack([cube.vertices, [[9.0, 9, 9]]]), np.vstack([cube.faces, [[a, b, 8]]]))
    assert nonmanifold_edge_count(fin) == 1


def test_two_cubes_that_share_one_corner_touch_there(cube):
    other = cube.vertices + 2  # its lower corner is the upper corner of the first
    shared = int(np.argmax((cube.vertices - other[0] == 0).all(1)))
    number = np.concatenate([[shared], np.arange(8, 15)])
    touching = Mesh(
        np.vstack([cube.vertices, other[1:]]), np.vstack([cube.faces, number[cube.faces]])
    )

    assert touching.is_closed
    assert nonmanifold_vertex_count(touching) == 1


def test_mixed_triangles_are_turned_outward(cube):
    mixed = cube.faces.copy()
    mixed[[1, 4, 7]] = mixed[[1, 4, 7]][:, ::-1]

    assert oriented(Mesh(cube.vertices, mixed)).volume == pytest.approx(8)
    assert oriented(Mesh(cube.vertices, cube.faces[:, ::-1].copy())).is_closed
