"""Chance handles go, the rest of the object stays."""

import numpy as np
import pytest
from skimage.measure import euler_number

from massm.groom.antialias import smooth_field
from massm.groom.handles import remove_handles
from tests.groom.shapes import draw, ellipsoid, slab, torus


def field_of(inside):
    return smooth_field(draw(inside, spacing=(2, 2, 2)), spacing_mm=2.0, iterations=10)


def test_a_hole_through_a_plate_is_filled():
    def pierced(points):
        return slab(24, 24, 3)(points) & (np.hypot(points[:, 0], points[:, 1]) > 3)

    field = field_of(pierced)
    assert euler_number(field.array > 0.5, 3) == 0

    changed = remove_handles(field, 0.5, 12.0)

    assert euler_number(changed.array > 0.5, 3) == 1
    different = changed.array != field.array
    assert 0 < different.sum() < 200
    assert (changed.array[different] > 0.5).all()


def test_a_thin_bridge_across_a_wide_gap_is_cut():
    def bridged(points):
        arc = torus(22, 8)(points) & (points[:, 0] < 15)
        return arc | slab(1, 28, 1)(points - [14, 0, 0])

    field = field_of(bridged)
    assert euler_number(field.array > 0.5, 3) == 0

    changed = remove_handles(field, 0.5, 12.0)

    assert euler_number(changed.array > 0.5, 3) == 1
    assert (changed.array[changed.array != field.array] < 0.5).all()


@pytest.mark.parametrize("inside", [ellipsoid(20, 10, 10), torus(24, 8)])
def test_what_has_no_small_handle_is_left_alone(inside):
    field = field_of(inside)
    np.testing.assert_array_equal(remove_handles(field, 0.5, 8.0).array, field.array)
