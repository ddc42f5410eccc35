import numpy as np
import pytest

from massm.evaluate.surface import spread_points, surface_measures
from massm.geometry.mesh import Mesh
from tests.evaluate.synthetic import closed_sphere


def box(low, high):
    """A box of twelve triangles with outward faces."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    return Mesh(np.array(low, float) + corners * (np.array(high) - low), np.array(faces))


def measure(a, b, tolerances=(1.0, 3.0)):
    return surface_measures(a, b, samples=20000, tolerances_mm=tolerances)


def test_points_spread_evenly_by_area_and_the_same_each_time():
    mesh = box((0, 0, 0), (10, 20, 30))
    points = spread_points(mesh, 22000)
    on_top = np.isclose(points[:, 2], 30).sum()
    assert on_top == pytest.approx(22000 * 200 / mesh.area, abs=3)
    np.testing.assert_array_equal(points, spread_points(mesh, 22000))
    half = points[np.isclose(points[:, 2], 30)]
    assert (half[:, 0] < 5).mean() == pytest.approx(0.5, abs=0.01)


def test_a_surface_has_no_distance_to_itself():
    mesh = closed_sphere(200)
    found = measure(mesh, mesh)
    assert found["surface_mean"] == pytest.approx(0, abs=1e-9)
    assert found["surface_hausdorff"] == pytest.approx(0, abs=1e-9)
    assert found["surface_dice_1mm"] == 1


def test_a_grown_box_has_the_distances_worked_out_by_hand():
    small, large = box((0, 0, 0), (20, 20, 20)), box((-2, -2, -2), (22, 22, 22))
    found = measure(small, large, (1.0, 2.5))
    # from the small one every point is 2 mm away; from the large one faces are 2 mm away over the
    # small face, more along its rim: int over the rim and corners, per face of 24 x 24
    t = (np.arange(2000) + 0.5) / 2000 * 24 - 2
    over = np.maximum(np.maximum(-t, t - 20), 0)
    back = np.sqrt(4 + over[:, None] ** 2 + over[None] ** 2)
    assert found["surface_mean"] == pytest.approx((2 + back.mean()) / 2, abs=2e-3)
    assert found["surface_hausdorff"] == pytest.approx(np.sqrt(12))
    assert found["surface_p95"] == pytest.approx(np.percentile(back, 95), abs=0.01)
    assert found["surface_dice_1mm"] == 0
    near = (back <= 2.5).mean()
    expected = (small.area + near * large.area) / (small.area + large.area)
    assert found["surface_dice_2.5mm"] == pytest.approx(expected, abs=2e-3)


def test_both_directions_count():
    near, far = box((0, 0, 0), (10, 10, 10)), box((0, 0, 0), (10, 10, 50))
    assert measure(near, far)["surface_hausdorff"] == pytest.approx(40)
    assert measure(near, far) == pytest.approx(measure(far, near))


def test_a_shift_along_a_flat_face_is_seen_at_the_ends_alone():
    found = measure(box((0, 0, 0), (100, 100, 100)), box((2, 0, 0), (102, 100, 100)))
    assert found["surface_hausdorff"] == pytest.approx(2)
    # one end is 2 mm off, the other too but for its rim, which is nearer to the sides; the sides
    # run along themselves but for their last 2 mm, on average 1 mm off
    ends = 2 + (2 - 4 * 2 / 100)
    assert found["surface_mean"] == pytest.approx((ends + 4 * 0.02) / 6, abs=0.003)


def test_a_surface_without_area_is_refused():
    with pytest.raises(ValueError, match="without area"):
        spread_points(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]])), 10)
