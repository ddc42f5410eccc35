"""What counts as an anatomy in an image file."""

import pickle

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from massm.io.errors import DataError, SeveralLabelsError
from massm.io.images import read_label_map, read_scan, read_segmentation

AFFINE = np.diag([-2.0, -3.0, 4.0, 1.0])


def write(folder, array, **fields):
    image = nibabel.Nifti1Image(array.T, AFFINE, dtype=array.dtype)
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    (folder / "mask.nii").write_bytes(content)
    return folder / "mask.nii"


def filled(*values, dtype=np.int16):
    """A slice of each value among zeros."""
    array = np.zeros((len(values) + 2, 5, 6), dtype)
    for place, value in enumerate(values, start=1):
        array[place] = value
    return array


@pytest.mark.parametrize("value", [1, 5, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float64])
def test_one_value_above_zero_is_a_mask(tmp_path, value, dtype):
    array = filled(value, dtype=dtype)
    np.testing.assert_array_equal(read_segmentation(write(tmp_path, array)).inside.array, array > 0)


def test_several_labels_without_one_named_are_refused_with_what_to_give(tmp_path):
    with pytest.raises(
        SeveralLabelsError, match=r"holds the labels 1, 2, 5, .*; give the anatomy's la"
    ):
        read_segmentation(write(tmp_path, filled(1, 5, 2)))


def test_who_asked_for_one_of_several_labels_says_how_it_is_given():
    error = SeveralLabelsError("a.nii: holds the labels 1, 2").asking("give --label")
    expected = (
        "a.nii: holds the labels 1, 2; give --label, or save the anatomy as a mask of 0 and 1"
    )
    assert str(error) == expected
    assert str(pickle.loads(pickle.dumps(error))) == expected


def test_many_labels_are_listed_in_short(tmp_path):
    with pytest.raises(DataError, match=r"labels 1, 2, .*, 12 and 28 others"):
        read_segmentation(write(tmp_path, filled(*range(1, 41))))


def test_255_in_signed_bytes_is_the_organ_and_never_absent(tmp_path):
    array = filled(-1, dtype=np.int8)
    found = read_segmentation(write(tmp_path, array))
    np.testing.assert_array_equal(found.volume.array, array != 0)
    assert "255 in signed bytes" in found.notes[-1]


@pytest.mark.parametrize("array", [filled(-1), filled(-5, -3, dtype=np.int8), filled(-1024)])
def test_negative_values_alone_are_refused_with_what_was_found(tmp_path, array):
    with pytest.raises(DataError, match=r"mask holds -\d+.* and nothing above 0"):
        read_segmentation(write(tmp_path, array))


@pytest.mark.parametrize(
    "read", [read_segmentation, lambda path, label: read_label_map(path).take(label)]
)
def test_a_label_that_overflowed_is_not_absent(tmp_path, read):
    path = write(tmp_path, filled(1, -56, dtype=np.int8))
    with pytest.raises(
        DataError, match="label 200 does not fit into the map, which holds numbers up to 127"
    ):
        read(path, 200)
    assert not read_segmentation(write(tmp_path, filled(1, 2)), 200).inside.array.any()


def test_minus_one_outside_and_one_inside_is_a_mask(tmp_path):
    array = np.where(filled(1) > 0, 1, -1).astype(np.int16)
    np.testing.assert_array_equal(read_segmentation(write(tmp_path, array)).inside.array, array > 0)


def test_an_image_is_no_mask(tmp_path, rng):
    array = rng.integers(-1000, 1000, (9, 9, 9)).astype(np.int16)
    with pytest.raises(DataError, match="Give the anatomy's mask, not the image"):
        read_segmentation(write(tmp_path, array))


@pytest.mark.parametrize("label", [None, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_mask_with_values_that_are_no_number_is_refused(tmp_path, label, value):
    array = filled(1.0, dtype=np.float32)
    array[0, 0, 0] = value
    with pytest.raises(DataError, match=r"holds .*voxels that are no number"):
        read_segmentation(write(tmp_path, array), label)


@pytest.mark.parametrize(("label", "words"), [(None, "neither a mask"), (2, "after resampling")])
def test_a_resampled_label_map_is_refused(tmp_path, label, words):
    with pytest.raises(DataError, match=words):
        read_segmentation(write(tmp_path, filled(1, 2, 1.5, 0.3, dtype=np.float32)), label)


def test_labels_with_a_scale_are_whole_numbers_again(tmp_path):
    path = write(tmp_path, filled(10, 30, dtype=np.uint8), scl_slope=0.1, scl_inter=0)
    for found in (read_segmentation(path, 3).inside, read_label_map(path).take(3).volume):
        assert found.array.sum() == 30
        assert found.array[2].all()


@settings(max_examples=30, deadline=None)
@given(
    array=arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32]),
        st.tuples(*[st.integers(2, 4)] * 3),
        elements=st.integers(0, 200),
    ),
    slope=st.sampled_from([1.0, 2.0, 0.5]),
    intercept=st.sampled_from([0.0, -1024.0, 0.25]),
)
def test_values_come_out_as_the_standard_says(tmp_path_factory, array, slope, intercept):
    folder = tmp_path_factory.mktemp("x")
    path = write(folder, array, scl_slope=slope, scl_inter=intercept)
    expected = array.astype(float) * slope + intercept
    np.testing.assert_array_equal(read_scan(path).volume.array, expected)
