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
    assert [organ.anatomy for organ in found[0].organs] == ANATOMIES
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


def test_meta_csv_without_names_is_refused(tmp_path):
    write_subject(tmp_path, "s0001")
    (tmp_path / "meta.csv").write_text("name;split\ns0001;train\n")
    with pytest.raises(DataError, match="no column image_id, found name, split"):
        find_subjects(tmp_path, ANATOMIES)
