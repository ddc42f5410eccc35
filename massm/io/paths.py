"""Paths as people and other programs write them into tables and projects."""

import os
import unicodedata
from pathlib import Path, PureWindowsPath


def find_named(folder: Path, text: str) -> Path:
    """Find a file or folder by its name in a table, relative to a folder.

    Taken as it stands if that exists; else ``~`` is the home folder, a backslash separates folders,
    as on Windows, and an accented letter may be written in either of two ways, as macOS does.

    Returns:
        What exists, or else where it would be.
    """
    spelled = folder / text
    if os.path.lexists(spelled):
        return spelled
    plain = text.replace("\\", "/")
    path = folder / (os.path.expanduser(plain) if plain.startswith("~/") else plain)  # noqa: PTH111
    return path if path.name.isascii() else _spelled_alike(path)


def _spelled_alike(path: Path) -> Path:
    """Find the one file whose name has the same letters, composed or not."""
    try:
        found = [
            one for one in path.parent.iterdir() if _composed(one.name) == _composed(path.name)
        ]
    except OSError:
        return path
    return found[0] if len(found) == 1 else path


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def find_moved(folder: Path, text: str) -> Path:
    r"""Find a file that a moved folder names by where it once lay: by the longest tail left.

    ``C:\study\groomed\s1.vtp`` is ``groomed/s1.vtp`` below the folder if that exists.

    Returns:
        What exists, or else where it would be.
    """
    found = find_named(folder, text)
    if exists(found) or not is_absolute(text):
        return found
    parts = PureWindowsPath(text.replace("/", "\\")).parts[1:]
    tails = (folder.joinpath(*parts[start:]) for start in range(len(parts)))
    return next(filter(exists, tails), found)


def is_absolute(text: str) -> bool:
    """Tell whether a path begins at a root, of this system or of Windows."""
    return text.startswith(("/", "\\")) or bool(PureWindowsPath(text).drive)


def exists(path: Path) -> bool:
    """Tell whether a path exists; one that no file system could hold does not."""
    return os.path.exists(path)  # noqa: PTH110 (Path.exists raises for names that are too long)


def why_missing(folder: Path, text: str) -> str:
    """Say how a path that was not found might be written; empty if nothing is known."""
    path = find_named(folder, text)
    if PureWindowsPath(text).drive or text.startswith("\\\\"):
        return "; it is a path of Windows: write it relative to the table's folder, as a/b.nii.gz"
    if any(mark in text for mark in "\"'"):
        return "; the quotation marks are taken as a part of its name"
    try:
        others = [one.name for one in path.parent.iterdir()]
    except OSError:
        return f"; there is no folder {path.parent}"
    near = [name for name in others if name.lower() == path.name.lower()]
    return f"; there is {near[0]}, upper and lower case differ" if near else ""
