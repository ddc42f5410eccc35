"""Zip archives: unpacked where they are told, or refused with the reason."""

import stat
import zipfile

import pytest

from massm.io import zips
from massm.io.errors import DataError


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def names(folder):
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_files_are_unpacked_and_what_file_systems_leave_is_not(tmp_path):
    path = archive(
        tmp_path / "a.zip",
        {"s/1.dcm": b"one", "s\\2.dcm": b"two", "__MACOSX/s/._1.dcm": b"", "s/.DS_Store": b"x"},
    )
    assert zips.is_zip(path)
    zips.extract(path, tmp_path / "to")
    assert names(tmp_path / "to") == {"s/1.dcm", "s/2.dcm"}
    assert (tmp_path / "to/s/2.dcm").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", "..\\out", "c:/out", "c:\\out"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    path = archive(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match="written outside of its folder"):
        zips.extract(path, tmp_path / "to")
    assert names(tmp_path) == {"a.zip"}


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="'link' is a link"):
        zips.extract(path, tmp_path / "to")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", {"zeros": bytes(2**20)})
    monkeypatch.setattr(zips, "MOST_BYTES", 2**20 - 1)
    with pytest.raises(DataError, match=r"unpacks from \d+ to 1048576 bytes, .* at most 1048575"):
        zips.extract(path, tmp_path / "to")
    monkeypatch.setattr(zips, "MOST_FILES", 0)
    with pytest.raises(DataError, match="1 files, expected one scan of at most 0"):
        zips.extract(path, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/1", b"1")
        file.writestr("a\\1", b"2")
    with pytest.raises(DataError, match="twice"):
        zips.extract(path, tmp_path / "to")


def test_a_damaged_archive_and_one_that_lies_about_its_size_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", {"a": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    cut = tmp_path / "cut.zip"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="not a zip archive that can be read"):
        zips.extract(cut, tmp_path / "cut")
    content[60] ^= 0xFF  # in the packed bytes
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a zip archive that can be read"):
        zips.extract(path, tmp_path / "to")


def test_no_more_is_unpacked_than_an_archive_says_it_holds(tmp_path):
    path = archive(tmp_path / "a.zip", {"a": bytes(10_000)})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24  # unpacked size, in the list at the end
    content[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a zip archive that can be read"):
        zips.extract(path, tmp_path / "to")
    assert all(file.stat().st_size <= 100 for file in (tmp_path / "to").iterdir())


def test_an_encrypted_archive_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", {"a": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the list at the end
    path.write_bytes(content)
    with pytest.raises(DataError, match="'a' is encrypted"):
        zips.extract(path, tmp_path / "to")


def test_other_files_are_no_archives(tmp_path):
    assert not zips.is_zip(tmp_path)
    (tmp_path / "a").write_bytes(b"\x1f\x8b")
    assert not zips.is_zip(tmp_path / "a")
