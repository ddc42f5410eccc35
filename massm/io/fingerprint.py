"""Has a file changed since it was read? Told by size and time of change, without reading it."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_HEADER_BYTES = 65536
# Headers whose voxels lie in files of their own, and the line that names these.
_DETACHED = {
    ".mhd": re.compile(r"^\s*ElementDataFile\s*=\s*(.*)$", re.IGNORECASE | re.MULTILINE),
    ".nhdr": re.compile(r"^\s*data ?file\s*:\s*(.*)$", re.IGNORECASE | re.MULTILINE),
}
_PAIRS = {".hdr": (".img", ".img.gz"), ".img": (".hdr",)}


def fingerprint(paths: Iterable[Path], *facts: Any) -> str:
    """Return a hash that changes when a file does, is added or is removed.

    Size and time of change to the nanosecond stand for the content; an older time counts as a
    change too, as where a file is put back from a copy. Of a folder, as of a DICOM series, all
    files count; of a header with detached voxels, these too.

    Args:
        paths: Files and folders; the order and repetitions make no difference.
        facts: What else belongs to the hash, as JSON takes it.
    """
    states = [state for path in sorted({str(path) for path in paths}) for state in _states(path)]
    return hashlib.sha256(json.dumps([facts, states]).encode()).hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(path: Path) -> list[Path]:
    """List the files that an image is made of: itself, voxels that lie apart, a folder's files."""
    path = Path(path)
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    suffix = path.suffix.lower()
    parts = [path]
    if suffix in _DETACHED:
        parts += _detached(path, _DETACHED[suffix])
    others = (path.with_name(f"{path.stem}{other}") for other in _PAIRS.get(suffix, ()))
    return parts + [other for other in others if other.is_file()]


def digest_of_all(paths: Iterable[Path]) -> str:
    """Return one SHA-256 of several files: of a line ``digest  name`` for each, sorted by name.

    It is what ``sha256sum * | sha256sum`` says in a folder that holds these files alone.
    """
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(paths, key=lambda one: one.name)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _states(path: str) -> Iterator[tuple[str, int, int]]:
    if os.path.isdir(path):  # noqa: PTH112 - thousands of files: Path costs more than the question
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (_state(f"{folder}/{name}") for name in sorted(names))
        return
    yield _state(path)
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if suffix in _DETACHED:
        yield from (_state(str(part)) for part in _detached(Path(path), _DETACHED[suffix]))
    for other in _PAIRS.get(suffix, ()):
        yield _state(path[: -len(suffix)] + other)


def _state(path: str) -> tuple[str, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return path, -1, error.errno or 0
    return path, found.st_size, found.st_mtime_ns


def _detached(header: Path, line: re.Pattern[str]) -> list[Path]:
    """List the files that a header names: one, a list below it, or a pattern with a number."""
    try:
        with header.open("rb") as file:
            text = file.read(_HEADER_BYTES).decode("latin-1")
    except OSError:
        return []
    found = line.search(text)
    name = found[1].strip().strip('"') if found else ""
    if not found or not name or name.upper() == "LOCAL":
        return []
    if name.upper().startswith("LIST"):
        names = text[found.end() :].split("\n")
        return [header.parent / part.strip() for part in names if part.strip()]
    if "%" in name:  # slices, numbered from, to and by what stands behind: all that could be meant
        pattern = re.sub(r"%[-+ 0#]*\d*[di]", "*", name.split()[0])
        return sorted(header.parent.glob(pattern)) if not pattern.startswith("/") else []
    return [header.parent / name]
