"""A plain table as cohort: masks, label maps, meshes."""

import numpy as np
import pytest

from massm.dataset.checks import check_subject
from massm.dataset.table import find_subjects
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.images import write_image
from tests.dataset.cohorts import ANATOMIES, ORIGIN, SHAPE, SPACING, blob, ct, dataset_config


def write_rows(path, *rows):
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def check(path, anatomies=ANATOMIES):
    config = dataset_config(path, layout="table")
    return [check_subject(config, subject) for subject in find_subjects(path, anatomies)]


HEADER = ("subject", "anatomy", "image", "mask", "label", "split")


def test_masks_are_found_beside_the_table(tmp_path):
    write_image(ct(), tmp_path / "a.mha")
    write_image(blob(), tmp_path / "masks/a.nrrd")
    row = ("0007", "spleen", "a.mha", "masks/a.nrrd", "", "train")
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, row))
    assert (subject.subject.name, subject.subject.split) == ("0007", "train")
    assert [(anatomy.status, anatomy.reason) for anatomy in subject.anatomies] == [
        ("used", ""),
        ("excluded", "no mask file"),
    ]
    assert [anatomy.source for anatomy in subject.anatomies] == ["mask", None]


def test_a_label_map_gives_each_organ_its_label(tmp_path):
    labels = np.zeros(SHAPE, np.int16)
    labels[2:5, 3:6, 3:6] = 3
    labels[6:9, 3:6, 3:7] = 12
    write_image(Volume(labels, SPACING, ORIGIN), tmp_path / "labels.nii.gz")
    write_image(ct(), tmp_path / "ct.nii.gz")
    rows = [
        ("a", "spleen", "ct.nii.gz", "labels.nii.gz", "3", ""),
        ("a", "liver", "ct.nii.gz", "labels.nii.gz", "12", ""),
        ("a", "kidney", "ct.nii.gz", "labels.nii.gz", "5", ""),
    ]
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, *rows), [*ANATOMIES, "kidney"])
    voxels = [round(anatomy.volume_ml / 0.045) for anatomy in subject.anatomies]
    assert voxels == [27, 36, 0]
    assert {anatomy.source for anatomy in subject.anatomies} == {"label_map"}
    assert subject.anatomies[2].status == "absent"
    assert subject.anatomies[2].reason == "label map has no 5"


@pytest.mark.parametrize("label", ["x", "0", "1.5"])
def test_a_label_that_is_no_label_is_told(tmp_path, label):
    write_image(blob(), tmp_path / "labels.nii.gz")
    row = ("a", "spleen", "", "labels.nii.gz", label, "")
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, row))
    assert "no whole number" in subject.anatomies[0].reason


def test_meshes_need_no_image(tmp_path, cube):
    meshes.write(cube, tmp_path / "a.vtp")
    a, b, _ = cube.faces[0]
    fin = np.vstack([cube.faces, [[a, b, 8]]])
    meshes.write(Mesh(np.vstack([cube.vertices, [[9.0, 9, 9]]]), fin), tmp_path / "b.vtp")
    rows = [("a", "spleen", "a.vtp"), ("b", "spleen", "b.vtp"), ("c", "spleen", "c.vtp")]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    found = [subject.anatomies[0] for subject in check(path, ["spleen"])]
    assert [anatomy.status for anatomy in found] == ["used", "excluded", "excluded"]
    assert found[0].volume_ml == pytest.approx(0.008)
    assert "1 edges belong to three triangles" in found[1].reason
    assert "no mask file" in found[2].reason


def ball_distance(center, radius=6.0):
    """A signed distance, negative inside, on a grid of its own around the ball."""
    spacing, count = np.array([1.0, 1.5, 2.0]), np.array([19, 13, 11])
    volume = Volume(np.zeros(count[::-1]), spacing, center - (count - 1) / 2 * spacing)
    index = np.indices(volume.array.shape, float)[::-1].reshape(3, -1).T
    away = np.linalg.norm(volume.index_to_point(index) - center, axis=1) - radius
    return volume.with_array(away.reshape(volume.array.shape).astype(np.float32))


def test_signed_distances_need_not_lie_on_the_images_grid(tmp_path):
    write_image(ct(), tmp_path / "ct.nii.gz")
    middle = ct().corners().mean(0)
    away, cut = ball_distance(middle + 400), ball_distance(middle)
    write_image(ball_distance(middle), tmp_path / "in.nrrd")
    write_image(away, tmp_path / "out.nii.gz")
    write_image(cut.with_array(cut.array - 4), tmp_path / "cut.nrrd")
    rows = [
        (name, "spleen", "ct.nii.gz", file, "", "")
        for name, file in (("a", "in.nrrd"), ("b", "out.nii.gz"), ("c", "cut.nrrd"))
    ]
    path = write_rows(tmp_path / "t.tsv", HEADER, *rows)
    found = [subject.anatomies[0] for subject in check(path, ["spleen"])]
    assert [anatomy.status for anatomy in found] == ["used", "excluded", "excluded"]
    assert found[0].volume_ml == pytest.approx(4 / 3 * np.pi * 0.216, rel=0.05)
    assert {anatomy.source for anatomy in found} == {"distance"}
    assert "out of the CT" in found[1].reason
    assert "cut by the field of view" in found[2].reason


def test_real_numbers_that_are_no_distance_exclude_the_organ_with_what_was_found(tmp_path):
    write_image(ct(), tmp_path / "ct.nii.gz")
    smooth = np.where(blob().array, np.float32(0.7), np.float32(0.0))
    smooth[4, 5, 6] = 0.4
    write_image(Volume(smooth, SPACING, ORIGIN), tmp_path / "p.nii.gz")
    rows = [
        ("a", "spleen", "ct.nii.gz", "p.nii.gz", "", ""),
        ("a", "liver", "ct.nii.gz", "ct.nii.gz", "", ""),
    ]
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, *rows))
    assert [anatomy.status for anatomy in subject.anatomies] == ["excluded", "excluded"]
    assert {anatomy.source for anatomy in subject.anatomies} == {None}
    assert "save where it is above 0.5 as a mask" in subject.anatomies[0].reason
    assert "Give the anatomy's mask, not the image" in subject.anatomies[1].reason


@pytest.mark.parametrize(
    ("center", "status", "words"),
    [
        ((0, 25, -280), "used", ""),
        ((-15, 25, -280), "excluded", "cut by the field of view"),
        ((-200, 25, -280), "excluded", "voxels out of the CT"),
    ],
)
def test_a_mesh_must_lie_in_its_image(tmp_path, cube, center, status, words):
    write_image(ct(), tmp_path / "ct.nii.gz")
    moved = Mesh(5 * (cube.vertices - [10, 20, 30]) + center, cube.faces)
    meshes.write(moved, tmp_path / "a.vtp")
    row = ("a", "spleen", "ct.nii.gz", "a.vtp", "", "")
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, row))
    assert subject.anatomies[0].status == status
    assert subject.anatomies[0].source == "surface"
    assert words in subject.anatomies[0].reason


def test_two_images_of_one_name_are_two_subjects(tmp_path):
    rows = [("a", "spleen", "1.nii.gz", "m", "", ""), ("a", "liver", "2.nii.gz", "m", "", "")]
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, *rows))
    assert subject.fault == ("two subjects of one name: rows name 2 images, 1.nii.gz and 2.nii.gz")


def test_two_rows_of_one_organ_exclude_it(tmp_path):
    write_image(blob(), tmp_path / "m.nii.gz")
    rows = [("a", "spleen", "", "m.nii.gz", "", ""), ("a", "spleen", "", "m.nii.gz", "", "")]
    rows += [("a", "liver", "", "m.nii.gz", "", "")]
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, *rows))
    assert [anatomy.status for anatomy in subject.anatomies] == ["excluded", "used"]
    assert "2 rows for one subject and anatomy" in subject.anatomies[0].reason


def test_an_image_that_is_not_there_is_told(tmp_path):
    row = ("a", "spleen", "gone.nii.gz", "m", "", "")
    (subject,) = check(write_rows(tmp_path / "t.tsv", HEADER, row))
    assert "no image" in subject.fault


def test_a_table_without_masks_is_refused(tmp_path):
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy"), ("a", "spleen"))
    with pytest.raises(DataError, match="no column mask; found subject, anatomy"):
        find_subjects(path, ANATOMIES)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="no table"):
        find_subjects(tmp_path / "t.tsv", ANATOMIES)
    with pytest.raises(DataError, match=r"a folder: set dataset\.layout to totalsegmentator"):
        find_subjects(tmp_path, ANATOMIES)


def test_an_anatomy_in_another_case_is_read_and_said(tmp_path, caplog):
    write_image(blob(), tmp_path / "m.nii.gz")
    rows = [(f"s{i}", word, "m.nii.gz") for i, word in enumerate(["Spleen", "spleen ", "SPLEEN"])]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    found = check(path, ["spleen"])
    assert [subject.anatomies[0].status for subject in found] == ["used"] * 3
    notes = [subject.anatomies[0].found.note for subject in found]
    assert notes == ["the table says 'Spleen'", "", "the table says 'SPLEEN'"]
    assert "1 rows of 'Spleen' are read as spleen" in caplog.text


def test_rows_of_unknown_anatomies_are_named_with_the_nearest(tmp_path, caplog):
    caplog.set_level("INFO")
    names = ["kidney_left", "Left Kidney", "left kidny", "kidney_left", "colon"]
    rows = [(f"s{i}", name, "m.nii.gz") for i, name in enumerate(names)]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    found = find_subjects(path, ["kidney_left", "kidney_right"])
    has_mask = [bool(subject.anatomies[0].mask) for subject in found]
    assert has_mask == [True, False, False, True, False]
    assert "1 rows of 'Left Kidney' are not used" in caplog.text
    assert "1 rows of 'left kidny' are not used" in caplog.text
    assert caplog.text.count("the nearest is kidney_left") == 2
    assert "rows of names that are not in `anatomies` are not used: colon (1)" in caplog.text


def test_a_table_of_other_anatomies_alone_is_refused(tmp_path):
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), ("a", "colon", "m"))
    with pytest.raises(DataError, match=r"no row names an anatomy .*: colon; expected one of spl"):
        find_subjects(path, ANATOMIES)


def test_two_spellings_of_one_organ_are_two_rows_of_it(tmp_path):
    rows = [("a", "spleen", "1.nii.gz"), ("a", "Spleen", "2.nii.gz")]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    (subject,) = find_subjects(path, ANATOMIES)
    fault = subject.anatomies[0].fault
    assert fault == "2 rows for one subject and anatomy (line 2, 3); keep one"


def test_backslashes_separate_folders_where_no_file_is_called_so(tmp_path):
    write_image(ct(), tmp_path / "ct" / "a.mha")
    write_image(blob(), tmp_path / "masks" / "a.nrrd")
    write_image(blob(), tmp_path / "masks\\b.nrrd")
    rows = [("a", "spleen", "ct\\a.mha", "masks\\a.nrrd", "", "")]
    rows += [("b", "spleen", "", "masks\\b.nrrd", "", "")]
    first, second = check(write_rows(tmp_path / "t.tsv", HEADER, *rows), ["spleen"])
    assert (first.subject.image, first.anatomies[0].status) == (tmp_path / "ct/a.mha", "used")
    assert second.anatomies[0].found.mask == tmp_path / "masks\\b.nrrd"
    assert second.anatomies[0].status == "used"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("C:\\data\\m.nii.gz", "it is a path of Windows: write it relative to the table's folder"),
        ("\\\\server\\m.nii.gz", "it is a path of Windows"),
        ("M.nii.gz", "there is m.nii.gz, upper and lower case differ"),
        ("'m.nii.gz'", "the quotation marks are taken as a part of its name"),
        ("gone/m.nii.gz", "there is no folder"),
        ("x" * 300, "no mask file"),
    ],
)
def test_a_mask_that_is_not_found_is_told_with_how_to_write_it(tmp_path, name, words):
    write_image(blob(), tmp_path / "m.nii.gz")
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), ("a", "spleen", name))
    (subject,) = check(path, ["spleen"])
    assert subject.anatomies[0].status == "excluded"
    assert "no mask file" in subject.anatomies[0].reason
    assert words in subject.anatomies[0].reason


def test_a_file_whose_name_begins_with_a_quotation_mark_is_found_as_tables_write_it(tmp_path):
    write_image(blob(), tmp_path / '"m.nii.gz')
    head = ("subject", "anatomy", "mask")
    path = write_rows(tmp_path / "t.tsv", head, ("a", "spleen", '"""m.nii.gz"'))
    assert check(path, ["spleen"])[0].anatomies[0].status == "used"
    write_rows(path, head, ("a", "spleen", '"m.nii.gz'))
    with pytest.raises(DataError, match=r"t\.tsv, line 2: .*each one in it doubled"):
        find_subjects(path, ["spleen"])


def test_rows_without_a_subject_are_said(tmp_path, caplog):
    rows = [("a", "spleen", "m"), ("", "spleen", "n")]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    assert len(find_subjects(path, ANATOMIES)) == 1
    assert "rows without a subject are not used: line 3" in caplog.text


def test_a_split_under_another_name_stops(tmp_path):
    rows = [("a", "spleen", "m", "train"), ("b", "spleen", "n", "test")]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask", "subset"), *rows)
    with pytest.raises(DataError, match=r"column subset holds a split \(test, train\).*rename it"):
        find_subjects(path, ANATOMIES)


@pytest.mark.parametrize("label", ["3", "3.0", "3,0", "3.", str(2**40 + 1)])
def test_labels_are_whole_numbers_however_written(tmp_path, label):
    write_image(blob(), tmp_path / "m.nii.gz")
    row = ("a", "spleen", "", "m.nii.gz", label, "")
    (subject,) = find_subjects(write_rows(tmp_path / "t.tsv", HEADER, row), ["spleen"])
    assert subject.anatomies[0].label in (3, 2**40 + 1)


@pytest.mark.parametrize("label", ["inf", "nan", "-1", "1e400", "2_0", str(2**63), "\u0663"])
def test_other_labels_are_refused(tmp_path, label):
    write_image(blob(), tmp_path / "m.nii.gz")
    row = ("a", "spleen", "", "m.nii.gz", label, "")
    (subject,) = find_subjects(write_rows(tmp_path / "t.tsv", HEADER, row), ["spleen"])
    assert "no whole number above 0" in subject.anatomies[0].fault


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("template", ""),
        ("manifest.json", ""),
        ("index.tsv", ""),
        ("con", "Windows keeps it"),
        ("NUL.x", "Windows keeps it"),
        ("a.", "drop the dot"),
        ("-a", "a letter or digit first"),
        ("a b", "use letters"),
        ("\u00e9", "use letters"),
        ("a/b", "use letters"),
        ("..", "use letters"),
        ("a" * 129, "129 characters, at most 128"),
    ],
)
def test_names_of_subjects_are_those_that_every_file_system_takes(tmp_path, name, words):
    row = (name, "spleen", "m")
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), row)
    (subject,) = find_subjects(path, ANATOMIES)
    assert (words in subject.fault) if words else (subject.fault == "")


def test_one_name_in_two_forms_of_unicode_is_one(tmp_path):
    rows = [("e\u0301", "spleen", "m"), ("\u00e9", "spleen", "n")]
    path = write_rows(tmp_path / "t.tsv", ("subject", "anatomy", "mask"), *rows)
    for subject in find_subjects(path, ANATOMIES):
        assert "two subjects of one name" in subject.fault


def test_two_spellings_of_one_image_or_split_are_one(tmp_path):
    (tmp_path / "a.nii").touch()
    rows = [("s1", "spleen", "a.nii", "", "", "train"), ("s1", "liver", "./a.nii", "", "", "Train")]
    (subject,) = find_subjects(write_rows(tmp_path / "t.tsv", HEADER, *rows), ANATOMIES)
    assert (subject.fault, subject.split) == ("", "train")


def test_one_image_of_two_subjects_is_said(tmp_path, caplog):
    (tmp_path / "a.nii").touch()
    rows = [(name, "spleen", "a.nii", "", "", "") for name in ("s1", "s2")]
    find_subjects(write_rows(tmp_path / "t.tsv", HEADER, *rows), ANATOMIES)
    assert "subjects s1 and s2 have one image" in caplog.text


@pytest.mark.parametrize(("name", "meant"), [("ct", "image"), ("labels", "label")])
def test_a_column_that_may_be_meant_for_a_missing_one_is_said(tmp_path, caplog, name, meant):
    header, row = ("subject", "anatomy", "mask", name), ("s1", "spleen", "a.nii", "1")
    find_subjects(write_rows(tmp_path / "t.tsv", header, row), ANATOMIES)
    assert f"column {name} is not used; if {meant} is meant, rename it so" in caplog.text
