"""What a NIfTI header means, whatever its writer left out."""

import gzip

import nibabel
import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.images import read_header, read_image, read_scan, read_segmentation

AFFINE = np.array([[-2.0, 0, 0, 60], [0, -3, 0, 50], [0, 0, 4, -300], [0, 0, 0, 1]])


@pytest.fixture
def values(rng):
    return rng.integers(-1000, 1500, (5, 6, 7)).astype(np.int16)


def write(path, array, affine=AFFINE, *, sform=1, qform=1, sizes=None, raw=None, **fields):
    """Write what nibabel would not: fields are set in the file itself afterwards."""
    image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    if sizes is not None:
        header["pixdim"][1:4] = sizes
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    path.write_bytes(bytes(content))
    return path


def test_a_small_shear_is_turned_to_right_angles_and_said(tmp_path, values):
    affine = AFFINE.copy()
    affine[0, 2] = -0.02
    header = read_header(write(tmp_path / "ct.nii", values, affine, qform=0))
    np.testing.assert_allclose(header.direction.T @ header.direction, np.eye(3), atol=1e-12)
    assert (
        0.02 < header.shear_mm < 0.04
    )  # half of 0.02 at either end of 6 slices, around the middle
    assert "not at right angles" in header.notes[0]
    middle = (np.array(header.size) - 1) / 2
    kept = header.volume(np.zeros(header.size[::-1])).index_to_point(middle)
    np.testing.assert_allclose(kept, (np.diag([-1, -1, 1, 1]) @ affine @ [*middle, 1])[:3])


def test_the_sform_says_a_size_that_pixdim_does_not(tmp_path, values):
    header = read_header(write(tmp_path / "ct.nii", values, sizes=(2, 3, 0)))
    np.testing.assert_allclose(header.spacing, [2, 3, 4])
    assert header.spacing_from == "sform"
    assert any("that of the sform used, 2 x 3 x 4 mm" in note for note in header.notes)


@pytest.mark.parametrize("sizes", [(2, 3, 0), (0, 0, 0), (2, np.nan, 4), (2, 3, np.inf)])
@pytest.mark.parametrize("qform", [0, 1])
def test_an_unknown_size_never_becomes_one_millimeter(tmp_path, values, sizes, qform):
    path = write(tmp_path / "ct.nii", values, sform=0, qform=qform, sizes=sizes)
    with pytest.raises(DataError, match=r"ct\.nii: does not say the size of its voxels"):
        read_header(path)


def test_without_any_form_pixdim_counts_and_the_axes_are_said(tmp_path, values):
    header = read_header(write(tmp_path / "ct.nii", values, sform=0, qform=0))
    np.testing.assert_allclose(header.spacing, [2, 3, 4])
    assert header.spacing_from == "pixdim"
    assert "neither sform nor qform" in header.notes[0]


@pytest.mark.parametrize(
    ("sform", "qform", "used"), [(1, 1, "sform"), (1, 2, "sform"), (2, 1, "qform"), (4, 2, "sform")]
)
def test_forms_that_disagree_are_said_with_the_one_used(tmp_path, values, sform, qform, used):
    path = write(tmp_path / "ct.nii", values, sform=sform, qform=qform, qoffset_x=98)
    header = read_header(path)
    assert header.spacing_from == used
    assert header.origin[0] == pytest.approx(-60 if used == "sform" else -98)
    assert "disagree by up to 38 mm" in header.notes[0]
    assert f"{used} used" in header.notes[0]


def test_an_sform_of_zeros_gives_way_to_the_qform(tmp_path, values):
    path = write(tmp_path / "ct.nii", values, srow_x=0, srow_y=0, srow_z=0)
    header = read_header(path)
    assert header.spacing_from == "qform"
    np.testing.assert_allclose(header.origin, [-60, -50, -300])


def test_sizes_that_disagree_are_said(tmp_path, values):
    header = read_header(write(tmp_path / "ct.nii", values, qform=0, sizes=(2, 3, 8)))
    np.testing.assert_allclose(header.spacing, [2, 3, 4])
    assert "voxels of 2 x 3 x 8 mm by pixdim, of 2 x 3 x 4 mm by sform" in header.notes[0]


@pytest.mark.parametrize(("unit", "scale"), [(1, 1000.0), (3, 0.001)])
def test_other_units_become_millimeters(tmp_path, values, unit, scale):
    affine = np.diag([*(np.array([2.0, 3, 4]) / scale), 1])
    header = read_header(write(tmp_path / "ct.nii", values, affine, qform=0, xyzt_units=unit))
    np.testing.assert_allclose(header.spacing, [2, 3, 4], rtol=1e-6)
    assert "brought to millimeters" in header.notes[0]


def test_voxels_of_meters_are_refused(tmp_path, values):
    with pytest.raises(DataError, match="voxels of 2000 x 3000 x 4000 mm .* is the unit wrong"):
        read_header(write(tmp_path / "ct.nii", values, qform=0, xyzt_units=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
def test_slope_and_intercept_are_applied(tmp_path, rng, dtype):
    stored = rng.integers(0, 200, (5, 6, 7)).astype(dtype)
    path = write(tmp_path / "ct.nii", stored, scl_slope=2, scl_inter=-1024)
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.volume.array, stored.T.astype(float) * 2 - 1024)
    assert scan.volume.array.dtype == np.int16


def test_a_slope_of_zero_means_no_scaling(tmp_path, values):
    path = write(tmp_path / "ct.nii", values, scl_slope=0, scl_inter=-1024)
    np.testing.assert_array_equal(read_image(path).array, values.T)
    assert "scl_inter -1024 left out" in read_header(path).notes[0]


@pytest.mark.parametrize("intercept", [0, np.nan])
def test_a_slope_that_was_never_set_means_no_scaling_and_is_said(tmp_path, values, intercept):
    path = write(tmp_path / "ct.nii", values, scl_slope=np.nan, scl_inter=intercept)
    np.testing.assert_array_equal(read_image(path).array, values.T)
    assert read_header(path).notes == ("scl_slope is NaN, as where none was set: no scaling",)


@pytest.mark.parametrize(
    ("field", "value"), [("scl_slope", np.inf), ("scl_inter", np.inf), ("scl_inter", np.nan)]
)
def test_a_scale_that_is_no_number_is_refused(tmp_path, values, field, value):
    scaling = {"scl_slope": 1, "scl_inter": 0} | {field: value}
    with pytest.raises(DataError, match="scale no value"):
        read_header(write(tmp_path / "ct.nii", values, **scaling))


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz", "CT.NII.GZ", "ct.img.bak", "ct"])
@pytest.mark.parametrize("packed", [True, False])
def test_content_decides_whether_a_file_is_packed(tmp_path, values, name, packed):
    content = write(tmp_path / "plain", values).read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    np.testing.assert_array_equal(read_image(tmp_path / name).array, values.T)


def test_a_pair_of_files_is_read_and_its_missing_half_named(tmp_path, values):
    nibabel.Nifti1Pair(values, AFFINE).to_filename(tmp_path / "ct.hdr")
    np.testing.assert_array_equal(read_image(tmp_path / "ct.hdr").array, values.T)
    np.testing.assert_array_equal(read_image(tmp_path / "ct.img").array, values.T)
    (tmp_path / "ct.img").unlink()
    with pytest.raises(DataError, match=r"ct\.hdr: its values should be in ct\.img"):
        read_image(tmp_path / "ct.hdr")


@pytest.mark.parametrize("order", ["<", ">"])
def test_version_2_and_either_order_of_bytes_are_read(tmp_path, values, order):
    image = nibabel.Nifti2Image(values, AFFINE, nibabel.Nifti2Header(endianness=order))
    nibabel.save(image, tmp_path / "ct.nii")
    np.testing.assert_array_equal(read_image(tmp_path / "ct.nii").array, values.T)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32])
def test_neighboring_labels_of_any_size_stay_apart(tmp_path, dtype):
    label = np.iinfo(dtype).max - 1
    labels = np.zeros((4, 5, 6), dtype)
    labels[1], labels[2] = label, label + 1
    path = write(tmp_path / "labels.nii", labels)
    np.testing.assert_array_equal(
        read_segmentation(path, int(label)).inside.array, (labels == label).T
    )


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 5, 6, 3), np.int16), "3 times"),
        (np.zeros((4, 5, 6, 1, 3), np.float32), "3 components"),
        (np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")]), r"3 components \(RGB"),
        (np.zeros((4, 5, 6), np.complex64), "complex numbers"),
        (np.zeros((4, 5), np.int16), "expected a 3D image, found size 4 x 5"),
    ],
)
def test_more_or_less_than_one_value_a_voxel_is_named(tmp_path, array, words):
    nibabel.save(nibabel.Nifti1Image(array, AFFINE, dtype=array.dtype), tmp_path / "ct.nii")
    with pytest.raises(DataError, match=rf"ct\.nii: .*{words}"):
        read_header(tmp_path / "ct.nii")


def test_a_claimed_size_beyond_the_file_asks_for_no_memory(tmp_path, values):
    huge = [3, 30000, 30000, 30000, 1, 1, 1, 1]
    with pytest.raises(DataError, match="truncated, holds"):
        read_image(write(tmp_path / "ct.nii", values, dim=huge))
    (tmp_path / "ct.nii.gz").write_bytes(gzip.compress((tmp_path / "ct.nii").read_bytes()))
    with pytest.raises(DataError, match="truncated, holds"):
        read_image(tmp_path / "ct.nii.gz")


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x5c\x01\0\0" + b"\0" * 400])
def test_what_is_no_nifti_file_is_refused(tmp_path, content):
    (tmp_path / "ct.nii").write_bytes(content)
    with pytest.raises(DataError, match=r"ct\.nii: "):
        read_header(tmp_path / "ct.nii")
