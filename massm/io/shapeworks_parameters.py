"""Parameter files of ShapeWorks (``.xml``), older than its projects and read by every version.

A flat list of elements without a root. Lists are words separated by white space, so that no file
name may hold any. File names are relative to the folder in which the program runs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from massm.io.atomic import replacing

Value = str | int | float | Sequence[str | int | float]


def write_parameters(values: Mapping[str, Value], path: Path) -> None:
    """Write a parameter file, whole or not at all.

    Raises:
        ValueError: If a word is empty or holds white space.
    """
    lines = [f"<{name}> {escape(_words(value))} </{name}>" for name, value in values.items()]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _words(value: Value) -> str:
    words = [str(word) for word in ([value] if isinstance(value, str | int | float) else value)]
    broken = [word for word in words if word.split() != [word]]
    if broken:
        raise ValueError(f"{broken[0]!r} is no word of a ShapeWorks parameter file")
    return " ".join(words)
