"""One color for each place of an anatomy, on all of its subjects."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from massm.geometry.mesh import Mesh
from massm.report.figures.correspondence import ShownShape, place_colors, spread_ranks
from massm.report.figures.rendering import draw_mesh, draw_particles, in_sight, view
from massm.report.figures.shape_plates import particle_plate
from tests.evaluate.synthetic import closed_sphere
from tests.toy_cohort import sphere_points

FRONT = view(0.0, 0.0)


def disks(axes):
    """The particles that were drawn on a picture, and their colors."""
    drawn = [c for c in axes.collections if isinstance(c, PolyCollection)]
    return np.vstack([c.get_facecolor()[:, :3] for c in drawn])


def test_near_places_have_near_colors_and_far_places_far_ones(rng):
    places = 40 * sphere_points(500) * [1.0, 0.8, 0.5]
    colors = place_colors(places)
    assert colors.min() >= 0
    assert colors.max() <= 1
    place, color = (
        np.linalg.norm(values[:, None] - values[None], axis=2) for values in (places, colors)
    )
    assert color[place < 6].max() < 0.4
    assert color[place > 60].min() > 0.3
    assert np.corrcoef(place.ravel(), color.ravel())[0, 1] > 0.8


def test_colors_follow_the_place_in_the_box_not_its_size():
    places = sphere_points(60) * [3.0, 2.0, 1.0]
    np.testing.assert_allclose(place_colors(places), place_colors(7 * places + 5))


def test_a_flat_shape_has_colors():
    assert np.isfinite(place_colors(sphere_points(20) * [1.0, 1.0, 0.0])).all()


def test_a_particle_has_the_same_color_on_every_subject():
    unit, dots = closed_sphere(400), sphere_points(40)
    colors = place_colors(dots)
    shapes = [
        ShownShape(f"s{i}", Mesh(unit.vertices * size, unit.faces), dots * size)
        for i, size in enumerate(([10.0, 10, 10], [14.0, 9, 12], [7.0, 11, 8]))
    ]
    figure = particle_plate(shapes, colors)
    panels = np.array(figure.axes).reshape(2, 3)
    for axes, shape in zip(panels[0], shapes, strict=True):
        found = disks(axes)
        number = np.abs(found[:, None] - colors[None]).max(2).argmin(1)
        np.testing.assert_allclose(found, colors[number])
        assert len(set(number)) == len(number)
        assert shape.particles[number, 1].max() < 1.5  # all of them at the front
    seen = [{tuple(color) for color in disks(axes).round(6)} for axes in panels[0]]
    assert len(set.intersection(*seen)) > 12


def test_the_near_half_of_a_ball_is_in_sight(style):
    ball, dots = closed_sphere(600), sphere_points(80)
    figure = Figure()
    axes = figure.add_subplot()
    draw_mesh(axes, ball, np.full((600, 3), 0.5), direction=FRONT)
    colors = np.where(dots[:, 1:2] < 0, [0.0, 0, 1], [1.0, 0, 0])
    draw_particles(axes, dots, colors, ball, direction=FRONT, radius_mm=0.1)
    found = disks(axes)
    np.testing.assert_array_equal(found, np.tile([0.0, 0, 1], (len(found), 1)))
    assert len(found) == pytest.approx(40, abs=6)


def test_a_ball_behind_another_is_hidden():
    ball = closed_sphere(300)
    shifted = ball.vertices + [0.0, 3.0, 0.0]
    both = Mesh(np.vstack([ball.vertices, shifted]), np.vstack([ball.faces, ball.faces + 300]))
    behind = sphere_points(50)[sphere_points(50)[:, 1] < -0.5]
    assert in_sight(behind, both, FRONT).all()
    assert not in_sight(behind * 0.9 + [0.0, 3.0, 0.0], both, FRONT).any()
    beside = behind[behind[:, 0] > 0] + [0.0, 3.0, 0.0]
    assert in_sight(beside, both, view(90.0, 0.0)).all()


def test_subjects_shown_are_the_nearest_the_farthest_and_two_between():
    values = np.array([5.0, 1, 3, 9, 7, 2, 8])
    assert spread_ranks(values, 4) == [1, 2, 4, 3]
    assert spread_ranks(values[:2], 4) == [1, 0]
    assert spread_ranks(values[:1], 4) == [0]
