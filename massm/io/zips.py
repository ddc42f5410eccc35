"""Zip archives of scans: unpacked with nothing believed that they say."""

import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from massm.io.damage import named
from massm.io.errors import DataError

MOST_BYTES = 16 * 2**30  # unpacked: forty CTs of 512 x 512 x 700
MOST_FILES = 100_000
MOST_PACKED = 1000.0  # times smaller than unpacked: deflate's own limit is 1032
_SMALL_BYTES = 2**26  # below this an archive may be packed as well as it can
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_IGNORED = ("__MACOSX",)
_WHAT, _ADVICE = "not a zip archive that can be read", "pack it anew or unpack it yourself"


def is_zip(path: Path) -> bool:
    """Tell by content whether a file is a zip archive."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def extract(path: Path, folder: Path) -> None:
    """Unpack an archive into an empty folder; what file systems leave beside files is not.

    Args:
        path: The archive.
        folder: Where to.

    Raises:
        DataError: If the archive is damaged or encrypted, would write outside of the folder, holds
            links, two files of one name, or unpacks to more than a scan can be.
    """
    with named(path, _WHAT, _ADVICE), zipfile.ZipFile(path) as archive:
        members = list(_members(archive, path))
        _refuse_too_much([member for member, _ in members], path)
        for member, place in members:
            _unpack(archive, member, folder / place)


def _members(
    archive: zipfile.ZipFile, path: Path
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """List files and where they go, one place each."""
    seen = set()
    for member in archive.infolist():
        place = PurePosixPath(member.filename.replace("\\", "/"))
        parts = place.parts
        if member.is_dir() or not parts or parts[0] in _IGNORED or parts[-1].startswith("."):
            continue
        if place.is_absolute() or ".." in parts or ":" in parts[0] or "\0" in member.filename:
            raise DataError(
                f"{path}: {member.filename!r} would be written outside of its folder; {_ADVICE}"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{path}: {member.filename!r} is a link, expected files; {_ADVICE}")
        if member.flag_bits & 1:
            raise DataError(f"{path}: {member.filename!r} is encrypted; unpack it yourself")
        if place in seen:
            raise DataError(f"{path}: holds {member.filename!r} twice; {_ADVICE}")
        seen.add(place)
        yield member, place


def _refuse_too_much(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse an archive that says itself that it holds more bytes or files than a scan has."""
    if len(members) > MOST_FILES:
        raise DataError(
            f"{path}: {len(members)} files, expected one scan of at most {MOST_FILES}; {_ADVICE}"
        )
    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    if unpacked > MOST_BYTES or unpacked > max(_SMALL_BYTES, MOST_PACKED * packed):
        raise DataError(
            f"{path}: unpacks from {packed} to {unpacked} bytes, expected one scan of at most "
            f"{MOST_BYTES}; {_ADVICE}"
        )


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path) -> None:
    """Unpack one file; zipfile stops at the size it was said to have, and compares checksums."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed, file.open("xb") as target:
        shutil.copyfileobj(packed, target, 2**20)
