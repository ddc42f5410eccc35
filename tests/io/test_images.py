"""Images and masks as files."""

import gzip
import re

import itk
import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.images import (
    read_header,
    read_image,
    read_label_map,
    read_segmentation,
    write_image,
)


def test_a_mask_of_real_numbers_is_a_mask(tmp_path, volume):
    mask = volume.with_array((volume.array > 0).astype(np.float64))
    for name in ("mask.nii.gz", "mask.nrrd"):
        write_image(mask, tmp_path / name)
        assert not read_segmentation(tmp_path / name).is_distance
        np.testing.assert_array_equal(
            read_segmentation(tmp_path / name).inside.array, mask.array > 0
        )


def test_an_image_of_noise_is_no_mask(tmp_path, volume):
    write_image(volume, tmp_path / "noise.nrrd")
    with pytest.raises(DataError, match=r"noise\.nrrd: real numbers .* neither a mask nor"):
        read_segmentation(tmp_path / "noise.nrrd")


@pytest.fixture
def dicom_folder(tmp_path, rng):
    """A folder with one CT series of four slices, and the volume they hold."""
    return tmp_path / "dicom", write_series(tmp_path / "dicom", rng, "1.2.826.0.1.3680043.8.498.1")


def write_series(folder, rng, uid):
    """Write slices 3 mm apart, as a scanner would: one file each, shuffled names."""
    folder.mkdir(exist_ok=True)
    values = rng.integers(-1000, 2000, (4, 8, 6)).astype(np.int16)
    names = ["c.dcm", "a.dcm", "d.dcm", "b.dcm"]
    for k, name in enumerate(names):
        image = itk.image_from_array(values[k : k + 1])
        image.SetSpacing([0.9, 0.7, 3.0])
        place = [-120.0, -80.5, 40.0 + 3 * k]
        image.SetOrigin(place)
        tags = image.GetMetaDataDictionary()
        tags["0008|0060"] = "CT"
        tags["0020|000d"] = uid + ".1"
        tags["0020|000e"] = uid + ".2"
        tags["0020|0013"] = str(k + 1)
        tags["0020|0032"] = "\\".join(str(x) for x in place)
        tags["0020|0037"] = "1\\0\\0\\0\\1\\0"
        tags["0028|0030"] = "0.7\\0.9"
        tags["0018|0050"] = "3.0"
        gdcm = itk.GDCMImageIO.New()
        gdcm.KeepOriginalUIDOn()
        writer = itk.ImageFileWriter[type(image)].New(image, FileName=str(folder / name))
        writer.SetImageIO(gdcm)
        writer.Update()
    return values


def assert_same(found, expected):
    np.testing.assert_array_equal(found.array, expected.array)
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-4)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_an_oblique_image_comes_back_in_the_same_place(tmp_path, volume, suffix):
    write_image(volume, tmp_path / f"ct{suffix}")
    assert_same(read_image(tmp_path / f"ct{suffix}"), volume)


def test_all_formats_hand_out_the_same_millimeters(tmp_path, volume):
    point = volume.index_to_point(np.array([3.0, 2, 1]))
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        write_image(volume, tmp_path / f"ct{suffix}")
        found = read_image(tmp_path / f"ct{suffix}")
        np.testing.assert_allclose(found.point_to_index(point), [3, 2, 1], atol=1e-4)


def test_the_header_says_size_and_place_without_the_values(tmp_path, volume):
    write_image(volume, tmp_path / "ct.nii.gz")
    header = read_header(tmp_path / "ct.nii.gz")
    assert header.size == volume.size
    np.testing.assert_allclose(header.spacing, volume.spacing, rtol=1e-6)
    np.testing.assert_allclose(header.origin, volume.origin, rtol=1e-6)
    np.testing.assert_allclose(header.direction, volume.direction, atol=1e-6)


def test_a_mask_comes_back_as_booleans(tmp_path, volume):
    mask = volume.with_array(volume.array > 0.3)
    write_image(mask, tmp_path / "mask.nii.gz")
    found = read_segmentation(tmp_path / "mask.nii.gz").inside
    assert found.array.dtype == bool
    assert_same(found, mask)


def test_one_label_of_a_map_is_taken_alone(tmp_path, volume, rng):
    labels = volume.with_array(rng.integers(0, 4, volume.array.shape).astype(np.uint8))
    write_image(labels, tmp_path / "labels.nii.gz")
    for label in (1, 3):
        found = read_segmentation(tmp_path / "labels.nii.gz", label).inside
        np.testing.assert_array_equal(found.array, labels.array == label)


def test_a_dicom_series_is_sorted_by_place(dicom_folder):
    folder, values = dicom_folder
    found = read_image(folder)
    np.testing.assert_array_equal(found.array, values)
    np.testing.assert_allclose(found.spacing, [0.9, 0.7, 3.0])
    np.testing.assert_allclose(found.origin, [-120, -80.5, 40])


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("no slices here")
    with pytest.raises(DataError, match="expected one DICOM series, found 0"):
        read_image(tmp_path)


def test_a_folder_with_damaged_dicom_is_refused(dicom_folder):
    folder, _ = dicom_folder
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=re.escape(str(folder))):
        read_image(folder)


def test_two_series_in_one_folder_are_refused(dicom_folder, tmp_path, rng):
    folder, _ = dicom_folder
    write_series(tmp_path / "other", rng, "1.2.826.0.1.3680043.8.498.9")
    for path in (tmp_path / "other").iterdir():
        path.rename(folder / f"other_{path.name}")
    with pytest.raises(DataError, match="expected one DICOM series, found 2"):
        read_image(folder)


@pytest.mark.parametrize("read", [read_image, read_segmentation, read_header])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"ct\.nii\.gz: no such file"):
        read(tmp_path / "ct.nii.gz")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path, rng, suffix, share):
    path = tmp_path / f"ct{suffix}"
    write_image(Volume(rng.normal(size=(20, 20, 20)).astype(np.float32), np.ones(3)), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=re.escape(path.name)):
        read_image(path)


def test_a_file_that_ends_early_inside_whole_gzip_is_refused(tmp_path, volume):
    path = tmp_path / "ct.nii.gz"
    write_image(volume, path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-40]))
    with pytest.raises(DataError, match=r"ct\.nii\.gz: truncated, holds"):
        read_image(path)


def test_a_flat_image_is_refused(tmp_path):
    itk.imwrite(itk.image_from_array(np.zeros((4, 5), np.float32)), str(tmp_path / "ct.nii.gz"))
    with pytest.raises(DataError, match="expected a 3D image, found size 5 x 4"):
        read_image(tmp_path / "ct.nii.gz")


def test_a_single_slice_is_refused(tmp_path):
    write_image(Volume(np.zeros((1, 4, 5), np.float32), np.ones(3)), tmp_path / "ct.nii.gz")
    with pytest.raises(DataError, match="expected a 3D image"):
        read_image(tmp_path / "ct.nii.gz")


def test_a_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "ct.nii.gz").write_text("hello")
    with pytest.raises(DataError, match=r"ct\.nii\.gz"):
        read_image(tmp_path / "ct.nii.gz")


def test_a_file_packed_twice_is_called_so(tmp_path, volume):
    write_image(volume, tmp_path / "ct.nii.gz")
    (tmp_path / "twice.nii.gz").write_bytes(gzip.compress((tmp_path / "ct.nii.gz").read_bytes()))
    with pytest.raises(DataError, match="packed by gzip twice; unpack it once"):
        read_image(tmp_path / "twice.nii.gz")


def test_a_label_beyond_the_maps_type_is_refused_not_absent(tmp_path, volume):
    labels = volume.with_array(np.where(volume.array > 0, 44, 0).astype(np.uint8))
    write_image(labels, tmp_path / "labels.nii.gz")  # 300 became 44
    with pytest.raises(DataError, match=r"label 300 does not fit .* up to 255 \(uint8\)"):
        read_segmentation(tmp_path / "labels.nii.gz", 300)
    with pytest.raises(DataError, match="label 300 does not fit"):
        read_label_map(tmp_path / "labels.nii.gz").take(300)
    assert not read_segmentation(tmp_path / "labels.nii.gz", 45).volume.array.any()
