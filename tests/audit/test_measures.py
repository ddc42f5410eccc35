"""Measures of single masks, with values by hand."""

import numpy as np

from massm.audit.measures import DIRECTIONS, REACH, SIDES, measure_masks
from massm.geometry.volume import Volume


def brick() -> Volume:
    """4 x 6 x 8 voxels along x, y, z of 2 mm, the first at (10, 12, 14) mm."""
    array = np.zeros((30, 30, 30), bool)
    array[7:15, 6:12, 5:9] = True
    return Volume(array, np.full(3, 2.0))


def test_a_bricks_center_volume_and_lengths_are_its_own():
    found = measure_masks(None, {"brick": brick()})["brick"]
    np.testing.assert_allclose(found.center, [13, 17, 21])
    assert found.volume_ml == 4 * 6 * 8 * 8 / 1000
    np.testing.assert_allclose(found.extent, [6, 10, 14])
    along_x = np.flatnonzero((DIRECTIONS == [1, 0, 0]).all(axis=1))
    np.testing.assert_allclose(found.support[along_x], 3)
    np.testing.assert_allclose(found.turn, 0, atol=1e-9)


def test_a_single_voxel_has_measures_too():
    mask = Volume(np.zeros((9, 9, 9), bool), np.full(3, 2.0))
    mask.array[4, 4, 4] = True
    found = measure_masks(None, {"dot": mask})["dot"]
    np.testing.assert_allclose(found.center, [8, 8, 8])
    assert np.isfinite(found.turn).all()
    assert np.isfinite(found.flat).all()


def test_every_side_of_a_brick_is_flat_and_none_of_a_cross_is_whole():
    np.testing.assert_allclose(measure_masks(None, {"b": brick()})["b"].flat, 1)
    cross = brick()
    cross.array[14, :, :] = False
    cross.array[14, 8:10, 6:8] = True  # of 24 voxels across, four end one plane higher
    flat = measure_masks(None, {"b": cross})["b"].flat
    np.testing.assert_allclose(flat[SIDES.index("top")], 20 / 24)


def test_sides_are_the_patients_where_the_grid_is_mirrored():
    mask = brick()
    mask.array[14, :, :] = False
    mask.array[14, 8:10, 6:8] = True
    mirrored = Volume(mask.array, mask.spacing, np.zeros(3), np.diag([1.0, 1.0, -1.0]))
    flat = measure_masks(None, {"b": mirrored})["b"].flat
    assert flat[SIDES.index("bottom")] < 1
    assert flat[SIDES.index("top")] == 1


def test_shared_voxels_are_counted_with_the_mask_that_has_most():
    other = Volume(brick().array.copy(), np.full(3, 2.0))
    other.array[:, :, 5:8] = False  # a quarter is left
    found = measure_masks(None, {"a": brick(), "b": other})
    assert (found["a"].shared, found["a"].shared_with) == (0.25, "b")
    assert (found["b"].shared, found["b"].shared_with) == (1.0, "a")


def test_the_image_inside_around_and_beside_is_read():
    mask = brick()
    array = np.zeros(mask.array.shape, np.float32)
    array[:, :, 9:] = 100  # to the patient's left of the brick
    array[mask.array] = 40
    found = measure_masks(mask.with_array(array), {"b": mask})["b"]
    np.testing.assert_allclose(found.hu, [40, 0, 40, 40, 40])
    assert found.rim[SIDES.index("left")] == 100
    assert found.rim[SIDES.index("right")] == 5  # an eighth of the way back to the brick's 40
    middle = found.around[REACH, REACH, REACH]
    assert middle == 40
    assert found.around[0, 0, 0] == -200  # beyond the image, at the window's end


def test_without_an_image_what_is_seen_is_not_a_number():
    found = measure_masks(None, {"b": brick()})["b"]
    assert np.isnan(found.hu).all()
    assert np.isnan(found.around).all()
