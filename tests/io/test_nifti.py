"""NaN in a NIfTI file is found, which itk hides."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.images import write_image
from massm.io.nifti import count_not_finite


@pytest.fixture
def broken(volume):
    """Three voxels of three kinds of no number."""
    volume.array[0, 0, 0] = np.nan
    volume.array[2, 3, 4] = np.inf
    volume.array[4, 5, 6] = -np.inf
    return volume


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_values_that_are_no_number_are_counted(tmp_path, broken, suffix, kind):
    path = tmp_path / f"ct{suffix}"
    write_image(Volume(broken.array.astype(kind), broken.spacing, broken.origin), path)
    assert count_not_finite(path) == 3


def test_whole_numbers_are_all_finite(tmp_path, volume):
    path = tmp_path / "ct.nii.gz"
    write_image(volume.with_array(volume.array.astype(np.int16)), path)
    assert count_not_finite(path) == 0


def test_other_formats_are_left_to_their_readers(tmp_path, broken):
    path = tmp_path / "ct.nrrd"
    write_image(broken, path)
    assert count_not_finite(path) == 0


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"x" * 1000])
def test_what_is_no_nifti_file_is_refused(tmp_path, content):
    path = tmp_path / "ct.nii"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"ct\.nii"):
        count_not_finite(path)
