"""DICOM told by content."""

import pytest

from massm.io.dicom import is_dicom, read_series
from massm.io.errors import DataError
from tests.io.dicom.files import smooth, stack, write


def test_content_tells_what_is_dicom(tmp_path):
    folder = write(tmp_path / "ct", stack(smooth(2), [0, 3]), ["one", "two.nii"])
    (folder / "notes.txt").write_text("not a slice")
    (tmp_path / "empty").mkdir()
    (tmp_path / "fake.dcm").write_bytes(b"no DICOM at all" * 20)
    assert is_dicom(folder)
    assert is_dicom(folder / "one")
    assert is_dicom(folder / "two.nii")
    assert not is_dicom(folder / "notes.txt")
    assert not is_dicom(tmp_path / "empty")
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "fake.dcm")
    assert not is_dicom(tmp_path / "nothing")


def test_bytes_that_begin_like_dicom_are_not_enough(tmp_path):
    (tmp_path / "a").write_bytes(b"\x08\x00" * 300)
    (tmp_path / "b").write_bytes(b"\0" * 128 + b"DICM")
    assert not is_dicom(tmp_path / "a")
    assert not is_dicom(tmp_path / "b")


def test_other_files_of_the_folder_are_passed_over(tmp_path):
    folder = write(tmp_path, stack(smooth(3), [0, 3, 6]), ["IM1", "IM2", "IM3"])
    (folder / "Thumbs.db").write_bytes(b"\0" * 1000)
    (folder / "._IM1").write_bytes(b"\0" * 100)
    (folder / "DICOMDIR").write_bytes(b"broken")
    (folder / "readme.txt").write_text("three slices")
    (folder / "more").mkdir()
    found = read_series(folder)
    assert found.volume.size[2] == 3
    assert found.notes == ()


@pytest.mark.parametrize("name", ["IM4", "other.dcm", "slice.IMA"])
def test_a_file_meant_as_dicom_that_is_none_is_refused_by_name(tmp_path, name):
    folder = write(tmp_path, stack(smooth(3), [0, 3, 6]), ["IM1", "IM2", "IM3"])
    (folder / name).write_bytes(b"")
    with pytest.raises(DataError, match=f"1 of 4 files cannot be read as DICOM .{name}"):
        read_series(folder)


def test_a_folder_above_the_series_says_where_it_is(tmp_path):
    write(tmp_path / "S0001", stack(smooth(2), [0, 3]))
    with pytest.raises(DataError, match="found 0.*S0001 holds some"):
        read_series(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing: no such file or folder"):
        read_series(tmp_path / "nothing")
