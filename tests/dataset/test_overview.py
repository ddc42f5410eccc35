"""A look at a cohort counts what its names promise and says what is odd."""

import pytest

from massm.dataset.overview import look_at
from massm.io.errors import DataError


@pytest.fixture
def cohort(tmp_path):
    for name, organs in {"s1": ["liver", "spleen"], "s2": ["liver"], "s3": []}.items():
        folder = tmp_path / name / "segmentations"
        folder.mkdir(parents=True)
        for organ in organs:
            (folder / f"{organ}.nii.gz").touch()
        if name != "s3":
            (tmp_path / name / "ct.nii.gz").touch()
    (tmp_path / "meta.csv").write_text("image_id;split\ns1;train\ns2;test\n")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "old").mkdir()
    return tmp_path


def test_a_folder_is_counted_without_opening_an_image(cohort):
    found = look_at(cohort)
    assert (found.layout, found.subjects, found.with_image) == ("totalsegmentator", 3, 2)
    assert found.masks == {"liver": 2, "spleen": 1}
    assert found.splits == {"train": 1, "test": 1}
    assert found.formats == {".nii.gz": 5}
    odd = "\n".join(found.odd)
    assert "s3: no ct.nii.gz" in odd
    assert "notes.txt: a file, not read" in odd
    assert "old: a folder without CT and segmentations, not read" in odd


def test_a_table_is_counted_and_files_that_are_not_there_are_named(cohort):
    table = cohort / "cohort.csv"
    rows = ["subject,anatomy,mask,image", "a,liver,s1/segmentations/liver.nii.gz,s1/ct.nii.gz"]
    table.write_text("\n".join([*rows, "b,liver,none.stl,"]))
    found = look_at(table)
    assert (found.layout, found.subjects, found.with_image) == ("table", 2, 1)
    assert found.masks == {"liver": 1}
    assert any("none.stl" in text for text in found.odd)


def test_anatomies_that_are_asked_for_are_counted_alone(cohort):
    assert look_at(cohort, anatomies=["spleen", "kidney"]).masks == {"spleen": 1, "kidney": 0}


def test_what_is_no_cohort_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder or table"):
        look_at(tmp_path / "none")
    with pytest.raises(DataError, match="layout is bids, expected one of"):
        look_at(tmp_path, layout="bids")
    with pytest.raises(DataError, match="no mask of any anatomy"):
        look_at(tmp_path)
