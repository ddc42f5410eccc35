"""Values that are no Hounsfield units are noticed, and what they seem to be is said."""

import numpy as np
import pytest

from massm.dataset.intensity import fill_value, image_fault
from tests.dataset.cohorts import dataset_config


@pytest.fixture
def hu(rng):
    """A body of soft tissue in air, with a little bone."""
    array = rng.normal(-1000, 12, (20, 24, 28))
    array[3:17, 4:20, 4:24] = rng.normal(40, 15, (14, 16, 20))
    array[8:10, 9:11, :] = 700
    return np.rint(array).astype(np.int16)


def fault(array, tmp_path):
    return image_fault(array, dataset_config(tmp_path))


def test_hounsfield_units_have_no_fault(hu, tmp_path):
    for fill in (None, -1024, -2000, -3024):
        array = hu.copy()
        if fill is not None:
            array[:, :3], array[:, -3:] = fill, fill
        assert fault(array, tmp_path) == ""
        assert fault(array.astype(np.float32), tmp_path) == ""


@pytest.mark.parametrize(
    ("shift", "fill"),
    [
        *((1024, fill) for fill in (None, 0, -1024, -2000, -3024)),
        *((-1024, fill) for fill in (None, -2048, -3072, -4048)),
    ],
)
def test_a_shift_is_noticed_whatever_the_fill(hu, tmp_path, shift, fill):
    array = hu + np.int16(shift)
    if fill is not None:
        array[:, :3] = fill
    found = fault(array, tmp_path)
    assert "image is shifted" in found
    assert f"HU {'+' if shift > 0 else '-'} 1024" in found


def test_bone_and_contrast_are_no_shift(hu, tmp_path):
    hu[3:17, 4:20, 4:24] = 1050  # a cast that fills the field, in air
    assert fault(hu, tmp_path) == ""


def test_an_image_without_air_beside_its_fill_is_refused(hu, tmp_path):
    array = np.abs(hu // 4)
    array[:2] = -2000
    assert "no air: lowest value beside the fill of -2000" in fault(array, tmp_path)


def test_values_that_are_no_number_are_counted(hu, tmp_path):
    array = hu.astype(np.float32)
    array[0, 0, 0], array[1, 2, 3] = np.nan, np.inf
    assert "image holds 2 voxels that are no number" in fault(array, tmp_path)


def test_the_fill_is_the_constant_of_the_border(hu):
    assert fill_value(hu) is None
    hu[:, :3] = -1024
    assert fill_value(hu) == -1024
