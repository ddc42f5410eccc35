import numpy as np
import pytest

from massm.evaluate.surface import (
    MeasuredSurface,
    mask_surface,
    spread_points,
    surface_measures,
)
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
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
    points = spread_points(mesh, 22000).points
    on_top = np.isclose(points[:, 2], 30).sum()
    assert on_top == pytest.approx(22000 * 200 / mesh.area, abs=3)
    np.testing.assert_array_equal(points, spread_points(mesh, 22000).points)
    half = points[np.isclose(points[:, 2], 30)]
    assert (half[:, 0] < 5).mean() == pytest.approx(0.5, abs=0.01)


def test_every_region_has_its_share_of_points_whatever_the_order_of_the_triangles(rng):
    """Without an order in space a region's number of points would scatter by ten or more."""
    sphere = closed_sphere(4000)
    mesh = Mesh(sphere.vertices, sphere.faces[rng.permutation(len(sphere.faces))])
    points = spread_points(mesh, 1000).points
    corners = mesh.vertices[mesh.faces].mean(1)
    for axis in range(3):
        for sign in (-1, 1):
            area = mesh.face_areas[sign * corners[:, axis] > 0].sum() / mesh.area
            assert abs((sign * points[:, axis] > 0).sum() - 1000 * area) < 8


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


@pytest.mark.parametrize("samples", [30, 2000])
@pytest.mark.parametrize("vertices", [50, 900])
def test_the_largest_distance_is_that_of_all_vertices_and_points(rng, samples, vertices):
    """Also where most are left out, with fewer points than triangles and with more."""
    sphere = closed_sphere(vertices)
    for _ in range(5):
        bumps = 1 + 0.3 * np.sin(sphere.vertices @ rng.normal(0, 3, 3))
        bent = Mesh(sphere.vertices * 20 * bumps[:, None] + rng.normal(0, 3, 3), sphere.faces)
        plain = Mesh(sphere.vertices * 20, sphere.faces)
        source, target = MeasuredSurface(bent, samples), MeasuredSurface(plain, samples)
        distance, farthest = source.distances_to(target)
        asked = np.concatenate([spread_points(bent, samples).points, bent.vertices])
        every = SurfaceIndex(plain).closest(asked).distance
        np.testing.assert_array_equal(distance, every[:samples])
        assert farthest == every.max()


def test_vertices_that_no_triangle_uses_do_not_count():
    mesh = box((0, 0, 0), (10, 10, 10))
    stray = Mesh(np.vstack([mesh.vertices, [[500.0, 0, 0]]]), mesh.faces)
    assert measure(stray, mesh)["surface_hausdorff"] == pytest.approx(0, abs=1e-9)


def test_the_masks_own_surface_is_that_of_the_whole_grid(rng):
    array = np.zeros((12, 15, 18), bool)
    array[3:7, 2:9, 11:18] = rng.random((4, 7, 7)) < 0.7
    turned = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    mask = Volume(array, np.array([1.0, 2, 3]), np.array([5.0, -4, 9]), turned)
    cropped, whole = mask_surface(mask), isosurface(mask, 0.5)
    np.testing.assert_allclose(np.sort(cropped.vertices, 0), np.sort(whole.vertices, 0))
    assert len(cropped.faces) == len(whole.faces)
    with pytest.raises(ValueError, match="empty"):
        mask_surface(Volume(np.zeros((3, 3, 3), bool), np.ones(3)))


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
