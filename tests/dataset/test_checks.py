"""Each kind of bad input: found, told in words, and confined to its subject."""

import re

import nibabel
import numpy as np
import pytest

from massm.dataset import checks
from massm.dataset.checks import check_subject, touched_sides
from massm.dataset.cohort import FoundAnatomy, FoundSubject
from massm.dataset.totalsegmentator import find_subjects
from massm.geometry.pieces import largest_piece
from massm.geometry.volume import Volume
from massm.io.images import read_label_map, write_image
from tests.dataset.cohorts import (
    ANATOMIES,
    ORIGIN,
    SHAPE,
    SPACING,
    blob,
    ct,
    dataset_config,
    truncate,
    write_dicom_series,
    write_subject,
)


def check(root, name="s0001", **changes):
    """Look at one subject of a folder."""
    found = {subject.name: subject for subject in find_subjects(root, ANATOMIES)}
    return check_subject(dataset_config(root, **changes), found[name])


def spleen(checked):
    return next(anatomy for anatomy in checked.anatomies if anatomy.found.name == "spleen")


def test_a_sound_subject_is_used_with_its_volumes(tmp_path):
    write_subject(tmp_path, "s0001")
    checked = check(tmp_path)
    assert checked.fault == ""
    assert checked.size == SHAPE[::-1]
    assert checked.spacing == tuple(SPACING)
    assert [anatomy.status for anatomy in checked.anatomies] == ["used", "used"]
    assert spleen(checked).volume_ml == pytest.approx(4 * 5 * 6 * 45 / 1000)


def test_a_truncated_image_excludes_the_subject(tmp_path):
    write_subject(tmp_path, "s0001")
    truncate(tmp_path / "s0001/ct.nii.gz")
    checked = check(tmp_path)
    assert "image cannot be used" in checked.fault
    assert "truncated" in checked.fault
    assert {anatomy.status for anatomy in checked.anatomies} == {"excluded"}


def test_a_truncated_mask_excludes_its_organ_alone(tmp_path):
    noisy = blob()
    noisy.array[3:7, 3:8, 3:9] = np.random.default_rng(0).random((4, 5, 6)) < 0.9
    write_subject(tmp_path, "s0001", {"spleen": noisy})
    truncate(tmp_path / "s0001/segmentations/spleen.nii.gz")
    checked = check(tmp_path)
    assert checked.fault == ""
    assert "mask cannot be read" in spleen(checked).reason
    assert [anatomy.status for anatomy in checked.anatomies] == ["excluded", "used"]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (Volume(np.ones((11, 12, 14), bool), SPACING, ORIGIN), "size 14 x 12 x 11 against 14 x"),
        (Volume(blob().array, SPACING * 2, ORIGIN), r"spacing \(6, 6, 10\) against \(3, 3, 5\)"),
        (Volume(blob().array, SPACING, ORIGIN + 30), r"origin \(10, 40, -270\) against"),
        (
            Volume(blob().array, SPACING, ORIGIN, np.diag([-1.0, -1.0, 1.0])),
            r"direction \[\(-1, 0, 0\)",
        ),
    ],
    ids=["size", "spacing", "origin", "direction"],
)
def test_a_mask_on_another_grid_is_excluded(tmp_path, mask, words):
    write_subject(tmp_path, "s0001", {"spleen": mask})
    anatomy = spleen(check(tmp_path))
    assert anatomy.status == "excluded"
    assert anatomy.reason.startswith("geometry of mask and CT differ: ")
    assert re.search(words, anatomy.reason)


def test_a_mask_cropped_to_its_organ_lies_where_its_header_says(tmp_path):
    whole = blob()
    part = (slice(2, 8), slice(2, 9), slice(1, 12))
    origin = whole.index_to_point(np.array([1.0, 2, 2]))
    write_subject(tmp_path, "s0001", {"spleen": Volume(whole.array[part], SPACING, origin)})
    anatomy = spleen(check(tmp_path))
    assert (anatomy.status, anatomy.volume_ml) == ("used", pytest.approx(4 * 5 * 6 * 45 / 1000))
    assert anatomy.note == "its grid is a part of the CT's, or turned by right angles: put on it"


def test_a_mask_whose_axes_run_the_other_way_over_the_same_places_is_used(tmp_path):
    whole = blob()
    last = np.array(whole.size) - 1.0
    turned = Volume(
        whole.array[:, ::-1, ::-1].transpose(1, 0, 2),
        SPACING[[0, 2, 1]],
        whole.index_to_point(last * [1, 1, 0]),
        np.diag([-1.0, -1.0, 1.0])[:, [0, 2, 1]],
    )
    write_subject(tmp_path, "s0001", {"spleen": turned})
    assert spleen(check(tmp_path)).status == "used"


@pytest.mark.parametrize("moved", [(1, 0, 0), (0, -2, 0)])
def test_a_mask_moved_by_whole_voxels_has_lost_its_place(tmp_path, moved):
    origin = blob().index_to_point(np.array(moved, float))
    write_subject(tmp_path, "s0001", {"spleen": Volume(blob().array, SPACING, origin)})
    assert "origin" in spleen(check(tmp_path)).reason


def test_an_image_smaller_than_any_scan_is_noted(tmp_path):
    small = [Volume(one.array, SPACING / 10, ORIGIN) for one in (ct(), blob())]
    write_subject(tmp_path, "s0001", dict.fromkeys(ANATOMIES, small[1]), small[0])
    checked = check(tmp_path)
    assert checked.note == (
        "image is 4.2 x 3.6 x 5 mm large, as if its voxel size were in another unit"
    )


def test_rounding_of_an_affine_is_no_difference(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": Volume(blob().array, SPACING, ORIGIN + 0.01)})
    assert spleen(check(tmp_path)).status == "used"


def test_an_empty_mask_is_an_absent_organ(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": Volume(np.zeros(SHAPE, bool), SPACING, ORIGIN)})
    anatomy = spleen(check(tmp_path))
    assert (anatomy.status, anatomy.reason, anatomy.volume_ml) == ("absent", "mask is empty", 0.0)


def test_a_missing_mask_is_unknown_not_absent(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": None})
    anatomy = spleen(check(tmp_path))
    assert (anatomy.status, anatomy.reason) == ("excluded", "no mask file")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_number_exclude_the_subject(tmp_path, value):
    image = ct()
    image.array[2, 3, 4] = value
    write_subject(tmp_path, "s0001", image=image)
    assert "image holds 1 voxels that are no number" in check(tmp_path).fault


def test_a_2d_image_excludes_the_subject(tmp_path):
    flat = Volume(ct().array[:1], SPACING, ORIGIN)
    write_subject(tmp_path, "s0001", image=flat)
    assert "expected a 3D image" in check(tmp_path).fault


def test_a_missing_image_excludes_the_subject(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "s0001/ct.nii.gz").unlink()
    assert "no ct.nii.gz in" in check(tmp_path).fault


def test_an_image_without_air_is_no_ct(tmp_path):
    shifted = Volume(ct().array + 5000, SPACING, ORIGIN)
    write_subject(tmp_path, "s0001", image=shifted)
    assert "values must be Hounsfield units" in check(tmp_path).fault


def test_a_constant_image_is_empty(tmp_path):
    write_subject(tmp_path, "s0001", image=Volume(np.full(SHAPE, -1024.0), SPACING, ORIGIN))
    assert "image is empty: every voxel is -1024" in check(tmp_path).fault


def test_a_name_that_is_no_file_name_is_refused(tmp_path):
    write_subject(tmp_path, "s 0001")
    assert "use letters, digits" in check(tmp_path, "s 0001").fault


def test_a_dicom_series_is_an_image(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "s0001/ct.nii.gz").unlink()
    write_dicom_series(tmp_path / "s0001/ct", ct())
    checked = check(tmp_path)
    assert checked.fault == ""
    assert checked.size == SHAPE[::-1]
    assert [anatomy.status for anatomy in checked.anatomies] == ["used", "used"]


def test_a_folder_that_is_no_dicom_series_excludes_the_subject(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "s0001/ct.nii.gz").unlink()
    (tmp_path / "s0001/ct").mkdir()
    (tmp_path / "s0001/ct/000.dcm").write_bytes(b"no DICOM at all")
    assert "expected one DICOM series, found 0" in check(tmp_path).fault


def test_an_organ_at_the_border_is_cut(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": blob(high=(10, 8, 9))})
    anatomy = spleen(check(tmp_path))
    assert anatomy.status == "excluded"
    assert anatomy.reason == "cut by the field of view: touches the image's border (z+)"
    assert spleen(check(tmp_path, allow_cut=True)).status == "used"


def test_several_large_pieces_are_told_from_debris(tmp_path):
    debris, halves = blob(), blob()
    debris.array[8, 10, 2:4] = True
    halves.array[7:9, 9:11, 1:12] = True
    halves.array[7, 8, 9] = False
    write_subject(tmp_path, "s0001", {"spleen": debris, "liver": halves})
    first, second = check(tmp_path).anatomies
    assert first.status == "used"
    assert second.status == "excluded"
    assert "several large pieces: 2, the largest two of 120 and 44 voxels" in second.reason


def test_a_few_voxels_are_no_organ(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": blob((4, 4, 4), (5, 5, 7))})
    assert spleen(check(tmp_path)).reason == "mask has 3 voxels, fewer than 5"


def test_sides_are_named_by_index_axis():
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 0:3, 3:5] = True
    assert touched_sides(largest_piece(mask), mask.shape) == ["x+", "y-"]


def test_a_mask_of_another_format_is_read(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": None})
    write_image(blob(), tmp_path / "s0001/segmentations/spleen.nrrd")
    assert spleen(check(tmp_path)).status == "used"


def test_stray_voxels_at_the_border_are_left_out_and_counted(tmp_path):
    strewn = blob()
    strewn.array[0, 0, 0] = strewn.array[9, 11, 13] = strewn.array[9, 11, 12] = True
    write_subject(tmp_path, "s0001", {"spleen": strewn})
    anatomy = spleen(check(tmp_path))
    assert (anatomy.status, anatomy.reason) == ("used", "")
    assert anatomy.note == "2 stray pieces (3 of 123 voxels) left out, as by grooming"
    assert anatomy.volume_ml == pytest.approx(4 * 5 * 6 * 45 / 1000)


def test_a_mask_of_strays_alone_is_no_organ(tmp_path):
    strewn = Volume(np.zeros(SHAPE, bool), SPACING, ORIGIN)
    strewn.array[1:8:2, 1:8:2, 1:8:2] = True
    write_subject(tmp_path, "s0001", {"spleen": strewn})
    assert "mask has 1 voxels, fewer than 5" in spleen(check(tmp_path)).reason


def void_ct(slices):
    """An image whose first slices were not scanned."""
    image = ct()
    image.array[:slices] = -1024
    return image


def test_a_mask_in_constant_fill_is_cut_with_its_share(tmp_path):
    write_subject(tmp_path, "s0001", image=void_ct(5))
    anatomy = spleen(check(tmp_path))
    assert anatomy.status == "excluded"
    assert "50% of the mask lies in constant fill (-1024)" in anatomy.reason
    anatomy = spleen(check(tmp_path, allow_cut=True))
    assert anatomy.status == "used"
    assert "50% of the mask lies in constant fill (-1024)" in anatomy.note


def test_a_little_of_a_mask_in_constant_fill_is_noted(tmp_path):
    write_subject(tmp_path, "s0001", image=void_ct(5))
    anatomy = spleen(check(tmp_path, void_fraction=0.6))
    assert anatomy.status == "used"
    assert "50% of the mask lies in constant fill" in anatomy.note


def test_gas_of_the_fills_value_inside_the_body_is_scanned(tmp_path):
    image = void_ct(2)
    image.array[3:7, 3:8, 3:9] = -1024
    write_subject(tmp_path, "s0001", image=image)
    anatomy = spleen(check(tmp_path))
    assert (anatomy.status, anatomy.note) == ("used", "")


def sheared(root, slope, names=("ct", "segmentations/spleen", "segmentations/liver")):
    """Shear the files of a subject by so many mm per slice."""
    for name in names:
        path = root / "s0001" / f"{name}.nii.gz"
        image = nibabel.load(path)
        affine = image.affine.copy()
        affine[0, 2] += slope
        image.set_sform(affine, 1)
        image.set_qform(None, 0)
        image.header["qform_code"] = 0
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), path)


def test_a_small_shear_is_said_once_and_used(tmp_path):
    write_subject(tmp_path, "s0001")
    sheared(tmp_path, 0.05)
    checked = check(tmp_path)
    assert checked.fault == ""
    assert "axes not at right angles" in checked.note
    assert [(anatomy.status, anatomy.note) for anatomy in checked.anatomies] == [("used", "")] * 2


def test_a_large_shear_is_refused_in_millimeters(tmp_path):
    write_subject(tmp_path, "s0001")
    sheared(tmp_path, 0.5)
    fault = check(tmp_path).fault
    assert re.search(r"moves voxels by up to 1\.\d+ mm \(.* dataset\.shear_voxel = 0\.1\)", fault)
    assert check(tmp_path, shear_voxel=1.0).fault == ""


def test_a_label_map_is_read_once_for_all_its_organs(tmp_path, monkeypatch):
    write_subject(tmp_path, "s0001", {"spleen": None, "liver": None})
    labels = blob().with_array(blob().array * np.uint8(3))
    labels.array[8, 4:8, 4:8] = 0
    labels.array[1, 4:9, 4:8] = 7
    write_image(labels, tmp_path / "labels.nrrd")
    path = tmp_path / "labels.nrrd"
    anatomies = tuple(FoundAnatomy(name, path, k) for name, k in (("a", 3), ("b", 7)))
    subject = FoundSubject("s0001", tmp_path / "s0001/ct.nii.gz", "", anatomies)
    read = []
    monkeypatch.setattr(
        checks, "read_label_map", lambda path: read.append(path) or read_label_map(path)
    )
    checked = check_subject(dataset_config(tmp_path), subject)
    assert [anatomy.status for anatomy in checked.anatomies] == ["used", "used"]
    assert len(read) == 1


def test_a_label_map_without_its_label_says_which_column_is_missing(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": None})
    labels = blob().with_array(blob().array * np.uint8(3))
    labels.array[1, 4:9, 4:8] = 7
    write_image(labels, tmp_path / "labels.nrrd")
    anatomies = (FoundAnatomy("spleen", tmp_path / "labels.nrrd", None),)
    subject = FoundSubject("s0001", tmp_path / "s0001/ct.nii.gz", "", anatomies)
    (checked,) = check_subject(dataset_config(tmp_path), subject).anatomies
    assert checked.status == "excluded"
    assert "holds the labels 3, 7, " in checked.reason
    assert "name the anatomy's label in the table's column `label`" in checked.reason
