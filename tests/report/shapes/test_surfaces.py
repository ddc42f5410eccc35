"""Decimation, shape modes, cases and pictures of surfaces."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from massm.evaluate.rows import to_table
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.reconstruct.from_particles import Warp
from massm.report.figures.rendering import draw_mesh, view
from massm.report.shapes.cases import load_case, rank_cases, typical_subject
from massm.report.shapes.decimation import carried, decimated
from massm.report.shapes.modes import shape_modes
from tests.evaluate.synthetic import closed_sphere
from tests.toy_cohort import sphere_points


def test_decimation_keeps_a_closed_surface_of_about_the_volume():
    ball = closed_sphere(2000)
    light = decimated(ball, 500)
    assert len(light.faces) <= 500
    assert light.is_closed
    assert light.volume == pytest.approx(ball.volume, rel=0.03)
    assert decimated(light, 500) is light


def test_a_linear_field_is_carried_exactly(rng):
    ball = closed_sphere(300)
    turn = rng.normal(size=(3, 2))
    corners = ball.vertices[ball.faces]
    points = np.einsum("nkc,k->nc", corners, [0.2, 0.5, 0.3])
    np.testing.assert_allclose(carried(ball.vertices @ turn, ball, points), points @ turn)


def test_a_known_mode_is_found_again():
    dots, ball = sphere_points(60), closed_sphere(400)
    amounts = np.array([-2.0, -1, 0, 1, 2])
    stretch = np.array([3.0, 0, 0])
    world = np.stack([10 * dots + a * dots * stretch for a in amounts])
    homogeneous = [np.hstack([p, np.ones((len(p), 1))]) for p in (ball.vertices, dots)]
    weights = homogeneous[0] @ np.linalg.pinv(homogeneous[1])
    modes = shape_modes(world, Warp(weights, ball.faces), modes=3, faces=300)
    assert len(modes.shares) == 1
    assert modes.shares[0] == pytest.approx(1)
    ends = [np.ptp(modes.shape(0, step).vertices[:, 0]) for step in (-1.0, 0.0, 1.0)]
    sd = amounts.std(ddof=1) * 3
    np.testing.assert_allclose(sorted(ends), [20 - 2 * sd, 20, 20 + 2 * sd], rtol=0.02)
    assert np.abs(modes.outward(0)).max() == pytest.approx(sd, rel=0.03)


def test_mirrored_particles_give_an_outward_surface():
    dots, ball = sphere_points(60), closed_sphere(100)
    world = np.stack([dots * [-1.0, 1, 1], dots * [-1.2, 1, 1]])
    homogeneous = [np.hstack([p, np.ones((len(p), 1))]) for p in (ball.vertices, dots)]
    weights = homogeneous[0] @ np.linalg.pinv(homogeneous[1])
    assert shape_modes(world, Warp(weights, ball.faces), modes=1, faces=200).mean.volume > 0


def values(*rows):
    return to_table(("massm", "local", s, a, "test", "surface_mean", v) for s, a, v in rows)


def test_best_median_and_worst_are_ranked_by_distance():
    table = values(*((f"s{i}", "liver", d) for i, d in enumerate([3.0, 1, 2, 9, 4])))
    assert rank_cases(table, "massm", "liver") == [
        ("best", "s1", 1),
        ("median", "s0", 3),
        ("worst", "s3", 9),
    ]


def test_of_two_there_is_no_median_of_one_nothing_else():
    two = values(("s", "liver", 2.0), ("t", "liver", 1.0))
    assert [r for r, *_ in rank_cases(two, "massm", "liver")] == ["best", "worst"]
    assert [r for r, *_ in rank_cases(values(("s", "liver", 1.0)), "massm", "liver")] == ["median"]
    assert rank_cases(values(), "massm", "liver") == []


def test_the_typical_subject_has_most_anatomies_and_the_middle_distance():
    rows = [(s, a, d) for s, d in (("a", 1.0), ("b", 5.0), ("c", 2.0)) for a in ("liver", "heart")]
    assert typical_subject(values(*rows, ("d", "liver", 1.9)), "massm") == "c"
    assert typical_subject(values(), "massm") is None


def test_error_of_a_shifted_ball_is_largest_at_its_ends(tmp_path):
    ball = closed_sphere(500)
    true = Mesh(ball.vertices * 20, ball.faces)
    meshes.write(true, tmp_path / "true.vtp")
    meshes.write(Mesh(true.vertices + [2.0, 0, 0], ball.faces), tmp_path / "predicted.vtp")
    case = load_case(
        "best",
        "s",
        1.0,
        true=tmp_path / "true.vtp",
        predicted=tmp_path / "predicted.vtp",
        faces=400,
    )
    side = np.abs(case.true.vertices[:, 0]) / 20
    assert case.error[side > 0.95].min() > 1.7
    assert case.error[side < 0.1].max() < 0.5


def test_front_view_has_the_patients_left_on_the_right_and_the_head_up():
    left, back, head = np.eye(3)
    np.testing.assert_allclose(view(0.0, 0.0) @ left, [1, 0, 0])
    np.testing.assert_allclose(view(180.0, 0.0) @ left, [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(view(180.0, 0.0) @ back, [0, -1, 0], atol=1e-12)
    assert (view(0.0, 30.0) @ head)[2] > 0


def test_a_ball_is_drawn_as_a_disk(style):
    ball = closed_sphere(400)
    figure = Figure(figsize=(1, 1), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_mesh(axes, ball, np.full((400, 3), 0.3), direction=view(0.0, 0.0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3].mean(-1)
    assert (picture < 250).mean() == pytest.approx(np.pi / 4 / 1.06**2, abs=0.03)
