import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.report.figures.slices import (
    Frame,
    anatomy_frame,
    best_position,
    outlines,
    region_frame,
    slice_pixels,
)
from tests.evaluate.synthetic import closed_sphere

FRAME = Frame(np.array([0.0, 0, 0]), np.array([40.0, 60, 80]), 0.5)


def area(line):
    x, y = line[:-1].T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_an_outline_is_where_the_plane_cuts(cube):
    (line,) = outlines(cube, "axial", 30.2, FRAME)
    np.testing.assert_allclose(line[0], line[-1])
    assert {tuple(p) for p in np.round(line / 2, 6).tolist()} == {
        (9.0, 19.0),
        (11.0, 19.0),
        (11.0, 21.0),
        (9.0, 21.0),
    } | {(tuple(p)) for p in np.round(line[:1] / 2, 6).tolist()}
    assert area(line) == pytest.approx(4 * 4)


def test_up_is_the_head_in_coronal_and_sagittal_slices(cube):
    for plane, across in (("coronal", 10), ("sagittal", 20)):
        position = 20.1 if plane == "coronal" else 10.1
        (line,) = outlines(cube, plane, position, FRAME)
        assert line[:, 1].min() == pytest.approx((80 - 31) / 0.5)
        assert line[:, 0].min() == pytest.approx((across - 1) / 0.5)


def test_a_plane_through_vertices_and_one_beside_give_closed_lines_or_none(cube):
    assert all(np.allclose(line[0], line[-1]) for line in outlines(cube, "axial", 29.0, FRAME))
    assert outlines(cube, "axial", 50.0, FRAME) == []


def test_two_pieces_give_two_lines():
    ball = closed_sphere(200)
    two = Mesh(
        np.vstack([ball.vertices * 5 + 10, ball.vertices * 5 + [30, 10, 10]]),
        np.vstack([ball.faces, ball.faces + len(ball.vertices)]),
    )
    lines = outlines(two, "axial", 10.0, FRAME, tolerance_pixels=0.0)
    assert len(lines) == 2
    assert area(lines[0]) == pytest.approx(np.pi * 100, rel=0.05)


def test_pixels_come_from_the_same_place_as_outlines():
    angle = 0.3
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1.0]]
    )
    grid = Volume(np.zeros((50, 60, 70)), np.array([1.0, 1.2, 1.4]), np.array([5.0, -20, 75]), turn)
    z, y, x = np.meshgrid(*map(np.arange, grid.array.shape), indexing="ij")
    points = grid.index_to_point(np.stack([x, y, z], -1).astype(float))
    center = np.array([22.0, 30, 40])
    volume = grid.with_array(np.where(((points - center) ** 2).sum(-1) < 144, 200.0, -200.0))
    ball = closed_sphere(800)
    ball = Mesh(ball.vertices * 12 + center, ball.faces)
    for plane, position in (("axial", 41.0), ("coronal", 28.0), ("sagittal", 23.0)):
        bright = slice_pixels(volume, plane, position, FRAME, (-200.0, 200.0)) > 127
        down, right = np.nonzero(bright)
        (line,) = outlines(ball, plane, position, FRAME)
        middle = (line.min(0) + line.max(0)) / 2
        np.testing.assert_allclose([right.mean() + 0.5, down.mean() + 0.5], middle, atol=0.7)
        assert bright.sum() == pytest.approx(area(line), rel=0.05)


def test_the_region_is_around_the_anatomies_and_inside_the_body():
    array = np.full((60, 60, 100), -1000.0)
    array[5:55, 10:50, 10:90] = 0
    ball = closed_sphere(100)
    shape = Mesh(ball.vertices * 10 + [60, 60, 60], ball.faces)
    frame = region_frame(Volume(array, np.full(3, 2.0)), [shape], 100)
    np.testing.assert_allclose(frame.low, [18, 18, 8], atol=3)
    np.testing.assert_allclose(frame.high, [115, 100, 110], atol=3)
    assert frame.pixel_mm == pytest.approx((frame.high - frame.low).max() / 100)


def test_the_region_holds_an_anatomy_that_lies_outside_the_body():
    ball = closed_sphere(100)
    shape = Mesh(ball.vertices * 10 + 200, ball.faces)
    frame = region_frame(Volume(np.zeros((10, 10, 10)), np.full(3, 2.0)), [shape], 100)
    assert (frame.low < 190).all()
    assert (frame.high > 210).all()


def test_an_anatomy_has_a_margin():
    points = np.array([[0.0, 0, 0], [10, 20, 30]])
    np.testing.assert_allclose(anatomy_frame(points, 50, margin_mm=5.0).low, -5)


def test_the_cut_goes_through_as_many_anatomies_as_it_can():
    ball = closed_sphere(100)
    places = [(0, 0, 0), (0, 0, 12), (0, 0, 100)]
    anatomies = [Mesh(ball.vertices * 10 + place, ball.faces) for place in places]
    assert 2 < best_position(anatomies, "axial") < 10
