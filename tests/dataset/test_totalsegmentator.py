"""Subjects of a folder in TotalSegmentator v1's layout."""

import pytest

from massm.dataset.totalsegmentator import HEART_CHAMBERS, find_subjects
from massm.io.errors import DataError
from tests.dataset.cohorts import ANATOMIES, blob, write_subject


def test_subjects_come_in_the_order_of_their_names(tmp_path):
    for name in ("s0010", "s0002", "s0001"):
        write_subject(tmp_path, name)
    (tmp_path / "truth").mkdir()
    found = find_subjects(tmp_path, ANATOMIES)
    assert [subject.name for subject in found] == ["s0001", "s0002", "s0010"]
    assert found[0].image == tmp_path / "s0001/ct.nii.gz"
    assert [anatomy.name for anatomy in found[0].anatomies] == ANATOMIES
    assert found[0].split == ""


@pytest.mark.parametrize("separator", [";", ","])
def test_the_split_of_meta_csv_is_read(tmp_path, separator):
    write_subject(tmp_path, "s0001")
    write_subject(tmp_path, "s0002")
    rows = [["image_id", "age", "split"], ["s0001", "61", "train"], ["s0002", "", "val"]]
    (tmp_path / "meta.csv").write_text("\n".join(separator.join(row) for row in rows))
    assert [subject.split for subject in find_subjects(tmp_path, ANATOMIES)] == ["train", "val"]


def test_numbers_as_names_keep_their_zeros(tmp_path):
    write_subject(tmp_path, "0012")
    (tmp_path / "meta.csv").write_text("image_id;split\n0012;test\n")
    (subject,) = find_subjects(tmp_path, ANATOMIES)
    assert (subject.name, subject.split, subject.fault) == ("0012", "test", "")


def test_two_rows_of_one_name_are_a_fault(tmp_path):
    write_subject(tmp_path, "s0001")
    write_subject(tmp_path, "s0002")
    (tmp_path / "meta.csv").write_text("image_id;split\ns0001;train\ns0001;test\ns0002;train\n")
    first, second = find_subjects(tmp_path, ANATOMIES)
    assert first.fault == "two subjects of one name: meta.csv has 2 rows for s0001"
    assert second.fault == ""


def test_names_that_differ_in_case_alone_are_one_name(tmp_path):
    write_subject(tmp_path, "s0001")
    write_subject(tmp_path, "S0001")
    for subject in find_subjects(tmp_path, ANATOMIES):
        assert subject.fault == "two subjects of one name: S0001, s0001; rename one"


def test_a_row_without_folder_is_a_fault(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("image_id\ns0001\ns0002\n")
    assert "there is no folder" in find_subjects(tmp_path, ANATOMIES)[1].fault


def test_version_2_is_recognized(tmp_path):
    masks = {"spleen": blob(), "heart": blob(), "atrial_appendage_left": blob()}
    write_subject(tmp_path, "s0001", masks)
    with pytest.raises(DataError, match="version 2 .* no heart chambers .* get version 1"):
        find_subjects(tmp_path, [HEART_CHAMBERS[0], "spleen"])


def test_version_2_serves_where_no_chamber_is_asked_for(tmp_path):
    write_subject(tmp_path, "s0001", {"heart": blob()})
    assert len(find_subjects(tmp_path, ["spleen"])) == 1


@pytest.mark.parametrize(("make", "words"), [(False, "no folder"), (True, "no subject in")])
def test_a_folder_without_subjects_is_refused(tmp_path, make, words):
    root = tmp_path / "cohort"
    if make:
        root.mkdir()
    with pytest.raises(DataError, match=words):
        find_subjects(root, ANATOMIES)


def test_a_table_in_the_place_of_a_folder_is_told_its_layout(tmp_path):
    (tmp_path / "t.tsv").write_text("subject\tanatomy\tmask\n")
    with pytest.raises(DataError, match=r"it is a file: set dataset\.layout to table"):
        find_subjects(tmp_path / "t.tsv", ANATOMIES)


def test_meta_csv_without_names_is_refused(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("name;split\ns0001;train\n")
    with pytest.raises(DataError, match="no column image_id, found name, split"):
        find_subjects(tmp_path, ANATOMIES)


@pytest.mark.parametrize("column", ["Split", "SPLIT ", " split"])
@pytest.mark.parametrize("end", ["", ";"])
def test_the_split_is_read_however_its_column_is_spelled_and_rows_end(tmp_path, column, end):
    for name in ("s0001", "s0002"):
        write_subject(tmp_path, name)
    rows = [f"Image_ID;age;{column}", f"s0001;61;Train{end}", f"s0002;;TEST{end}"]
    (tmp_path / "meta.csv").write_text("\n".join(rows))
    assert [subject.split for subject in find_subjects(tmp_path, ANATOMIES)] == ["Train", "TEST"]


@pytest.mark.parametrize("column", ["subset", "set", "fold", "Group"])
def test_a_split_in_a_column_of_another_name_stops(tmp_path, column):
    for name in ("s0001", "s0002"):
        write_subject(tmp_path, name)
    (tmp_path / "meta.csv").write_text(f"image_id;{column}\ns0001;train\ns0002;val\n")
    with pytest.raises(DataError, match=f"column {column.lower()} holds a split .train, val."):
        find_subjects(tmp_path, ANATOMIES)


def test_a_column_that_might_be_a_split_and_holds_none_is_said(tmp_path, caplog):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("image_id;fold\ns0001;3\n")
    assert find_subjects(tmp_path, ANATOMIES)[0].split == ""
    assert "column fold is not used (3)" in caplog.text


def test_a_row_without_a_name_is_said_and_belongs_to_nobody(tmp_path, caplog):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("image_id;split\ns0001;train\n;test\n")
    assert len(find_subjects(tmp_path, ANATOMIES)) == 1
    assert "meta.csv, line 3: without image_id" in caplog.text


def test_a_name_with_folders_in_it_is_no_other_subject(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("image_id;split\n../s0001;test\ns0001;train\n")
    bad, good = find_subjects(tmp_path, ANATOMIES)
    assert (bad.name, good.name, good.split, good.fault) == ("../s0001", "s0001", "train", "")
    assert bad.fault


def test_a_mask_that_is_spelled_otherwise_is_named(tmp_path):
    write_subject(tmp_path, "s0001", {"spleen": None, "Spleen": blob()})
    anatomy = find_subjects(tmp_path, ["spleen"])[0].anatomies[0]
    assert "no mask file spleen.nii.gz" in anatomy.fault
    assert anatomy.fault.endswith("but Spleen.nii.gz; rename it")


@pytest.mark.parametrize(
    ("name", "separator"), [("META.CSV", ";"), ("Meta.csv", ","), ("meta.tsv", "\t")]
)
def test_the_table_of_the_split_is_found_however_it_is_called(tmp_path, name, separator):
    write_subject(tmp_path, "s0001")
    (tmp_path / name).write_text(f"image_id{separator}split\ns0001{separator}test\n")
    (subject,) = find_subjects(tmp_path, ANATOMIES)
    assert subject.split == "test"


def test_two_tables_of_the_split_stop(tmp_path):
    write_subject(tmp_path, "s0001")
    for name in ("meta.csv", "meta.tsv"):
        (tmp_path / name).write_text("image_id\ns0001\n")
    with pytest.raises(DataError, match=r"meta\.csv and meta\.tsv, expected one"):
        find_subjects(tmp_path, ANATOMIES)


def test_a_spreadsheet_beside_the_subjects_is_said_not_to_be_read(tmp_path, caplog):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.xlsx").write_bytes(b"PK\x03\x04")
    find_subjects(tmp_path, ANATOMIES)
    assert "meta.xlsx is not read: save it as meta.csv" in caplog.text


@pytest.mark.parametrize("written", ["S0012", "s0012/", "12", "12.0"])
def test_a_subject_that_the_table_writes_otherwise_is_its_folder(tmp_path, caplog, written):
    write_subject(tmp_path, "s0012")
    (tmp_path / "meta.csv").write_text(f"image_id;split\n{written};test\n")
    (subject,) = find_subjects(tmp_path, ANATOMIES)
    assert (subject.name, subject.split) == ("s0012", "test")
    assert f"1 names of the meta table are read as folders: {written!r} as s0012" in caplog.text


def test_a_number_that_two_folders_might_be_is_neither(tmp_path):
    write_subject(tmp_path, "s12")
    write_subject(tmp_path, "s0012")
    (tmp_path / "meta.csv").write_text("image_id;split\n12;test\n")
    assert [subject.split for subject in find_subjects(tmp_path, ANATOMIES)] == ["test", "", ""]


def test_a_subject_without_its_folder_of_segmentations_says_so(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "s0001/segmentations").rename(tmp_path / "s0001/masks")
    (subject,) = find_subjects(tmp_path, ANATOMIES)
    assert {anatomy.fault for anatomy in subject.anatomies} == {
        f"no folder {tmp_path}/s0001/segmentations"
    }
