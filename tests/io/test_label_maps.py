"""Label maps with names: ``.seg.nrrd``."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from massm.geometry.volume import Volume
from massm.io import images
from massm.io.errors import DataError
from massm.io.label_maps import Segment, write_nifti, write_seg_nrrd

SEGMENTS = [Segment(1, "Liver", (1.0, 0.5, 0.25)), Segment(300, "Spleen", (0.0, 0.0, 1.0))]


def test_labels_of_two_bytes_are_read_back_by_simpleitk_and_by_us(volume, tmp_path):
    labels = np.zeros(volume.array.shape, np.uint16)
    labels[1:3, 2:5, 1:4], labels[4, 0, 6] = 1, 300
    path = tmp_path / "a.seg.nrrd"
    write_seg_nrrd(volume.with_array(labels), SEGMENTS, path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labels)
    np.testing.assert_allclose(image.GetOrigin(), volume.origin)
    np.testing.assert_allclose(np.reshape(image.GetDirection(), (3, 3)), volume.direction)
    assert image.GetMetaData("Segment1_LabelValue") == "300"
    assert image.GetMetaData("Segment0_Color") == "1 0.5 0.25"
    ours = images.read_label_map(path)
    assert ours.header.labels == {1: "Liver", 300: "Spleen"}
    np.testing.assert_array_equal(ours.take(300).volume.array, labels == 300)


def test_a_nifti_is_read_back_by_nibabel_simpleitk_and_us(volume, tmp_path):
    labels = np.zeros(volume.array.shape, np.uint16)
    labels[1:3, 2:5, 1:4], labels[4, 0, 6] = 1, 300
    path = tmp_path / "a.nii.gz"
    write_nifti(volume.with_array(labels), path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labels)
    np.testing.assert_allclose(image.GetOrigin(), volume.origin, atol=1e-4)
    np.testing.assert_allclose(image.GetSpacing(), volume.spacing, atol=1e-6)
    np.testing.assert_allclose(
        np.reshape(image.GetDirection(), (3, 3)), volume.direction, atol=1e-6
    )
    header = nibabel.load(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert header.get_xyzt_units()[0] == "mm"
    assert header.get_intent()[0] == "label"
    found = images.read_label_map(path)
    np.testing.assert_array_equal(found.array, labels)
    np.testing.assert_allclose(found.take(1).volume.affine, volume.affine, atol=1e-4)


@pytest.mark.parametrize(
    "write", [write_nifti, lambda volume, path: write_seg_nrrd(volume, [], path)]
)
def test_other_numbers_are_refused(tmp_path, write):
    volume = Volume(np.zeros((2, 2, 2)), np.ones(3))
    with pytest.raises(DataError, match="labels are float64, expected uint8 or uint16"):
        write(volume, tmp_path / "a.nii.gz")
    assert not list(tmp_path.iterdir())
