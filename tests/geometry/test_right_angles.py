"""The nearest right-angled grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from massm.geometry.right_angles import right_angled

SIZE = (20, 30, 40)


def affine_of(turn, spacing, origin=(1.0, 2.0, 3.0)):
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array(spacing)
    affine[:3, 3] = origin
    return affine


def test_right_angles_stay_as_they_are():
    turn = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix() * [1, 1, -1]
    grid = right_angled(affine_of(turn, (1, 2, 3)), SIZE)
    np.testing.assert_allclose(grid.direction, turn)
    np.testing.assert_allclose(grid.origin, [1, 2, 3])
    assert grid.moved_mm < 1e-9


@given(angles=st.tuples(*[st.floats(-60, 60)] * 3), shear=st.floats(0.0, 0.3))
def test_a_shear_is_halved_and_the_middle_stays(angles, shear):
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    slanted = np.eye(3)
    slanted[:, 2] = np.array([shear, 0, 1]) / np.hypot(shear, 1)
    affine = affine_of(turn @ slanted, (1, 2, 3))
    grid = right_angled(affine, SIZE)
    np.testing.assert_allclose(grid.direction.T @ grid.direction, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(grid.spacing, [1, 2, 3])
    middle = (np.array(SIZE) - 1) / 2
    kept = (grid.direction * grid.spacing) @ middle + grid.origin
    np.testing.assert_allclose(kept, (affine @ [*middle, 1])[:3], atol=1e-9)
    away = np.arccos(np.clip((turn @ slanted)[:, 2] @ grid.direction[:, 2], -1, 1))
    assert away == pytest.approx(np.arctan(shear) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("column", "words"),
    [([0, 0, 0], "no length"), ([0, 1, 0], "one plane"), ([np.nan, 0, 1], "no")],
)
def test_axes_without_a_volume_are_refused(column, words):
    affine = np.eye(4)
    affine[:3, 2] = column
    with pytest.raises(ValueError, match=words):
        right_angled(affine, SIZE)
