"""The smooth field keeps every voxel center on its side, and the level keeps the volume."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.groom.antialias import level_of_volume, smooth_field
from tests.groom.shapes import draw, ellipsoid, slab


def test_voxel_centers_stay_on_their_side():
    mask = draw(slab(25, 25, 1.2), spacing=(4.0, 4.0, 2.0))

    field = smooth_field(mask, spacing_mm=2.0, iterations=20)

    at_centers = field.array[:, ::2, ::2]  # in this grid every voxel center is a grid point
    depth, height, width = at_centers.shape
    np.testing.assert_array_equal(at_centers > 0.5, mask.array[:depth, :height, :width])


def test_a_plain_spline_would_lose_a_thin_rod():
    mask = draw(slab(25, 0.5, 0.5), spacing=(3.0, 3.0, 3.0))

    assert mask.array.any()
    assert smooth_field(mask, spacing_mm=1.5, iterations=0).array.max() < 0.5
    assert smooth_field(mask, spacing_mm=1.5, iterations=10).array.max() > 0.5


def test_a_flat_side_lies_between_the_voxels():
    array = np.zeros((12, 12, 12), bool)
    array[:, :, 6:] = True
    field = smooth_field(Volume(array, np.full(3, 2.0)), spacing_mm=1.0, iterations=10)

    row = field.array[11, 11]
    assert row[11] == pytest.approx(0.5)  # 11 mm: halfway between voxels 5 and 6
    assert (np.diff(row[6:18]) >= 0).all()


def test_level_encloses_the_wanted_volume():
    mask = draw(ellipsoid(20, 15, 10), spacing=(2.0, 2.0, 2.0))
    field = smooth_field(mask, spacing_mm=1.0, iterations=0)

    level = level_of_volume(field, 9.0)

    assert (field.array > level).sum() * field.voxel_ml == pytest.approx(9.0, abs=0.02)


def test_a_volume_larger_than_the_grid_is_refused():
    field = Volume(np.zeros((3, 3, 3)), np.ones(3))
    with pytest.raises(ValueError, match="spacing_mm"):
        level_of_volume(field, 1.0)
