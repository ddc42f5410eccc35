import numpy as np

from massm.geometry.sampling import along_curve


def test_along_the_curve_octants_come_one_after_the_other(rng):
    points = rng.uniform(0, 8, (4000, 3)) + [100.0, -50.0, 3.0]
    points = np.vstack([points, [[100.0, -50, 3], [108.0, -42, 11]]])  # the ends of the cube
    order = along_curve(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(points)))
    octant = ((points - points.min(0)) / np.ptp(points, axis=0) >= 512 / 1023) @ [1, 2, 4]
    np.testing.assert_array_equal(octant[order], np.sort(octant))


def test_neighbors_on_the_curve_lie_together(rng):
    points = rng.uniform(0, 1, (5000, 3))
    step = np.linalg.norm(np.diff(points[along_curve(points)], axis=0), axis=1).mean()
    assert step < 0.15 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()


def test_points_of_one_place_keep_their_order_and_none_have_none():
    assert along_curve(np.ones((5, 3))).tolist() == [0, 1, 2, 3, 4]
    assert along_curve(np.zeros((0, 3))).tolist() == []
