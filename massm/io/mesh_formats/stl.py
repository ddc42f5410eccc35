"""STL: binary by its size, text by its words."""

import numpy as np
from jaxtyping import Float

from massm.io.mesh_formats.polygons import Polygons, as_points, fans
from massm.io.mesh_formats.text import reals, shown, space_of

_HEAD = 84
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("color", "<u2")])
# One triangle in words; a point stands for any word.
_FACET = b"facet normal . . . outer loop vertex . . . vertex . . . vertex . . . endloop endfacet"
_WORDS = _FACET.split()
_NUMBERS = [place for place, word in enumerate(_WORDS) if word == b"."][3:]


def is_binary(start: bytes, size: int) -> bool:
    """Tell whether the size is that of a binary file with as many triangles as its header says.

    Args:
        start: The first bytes, the header at least.
        size: How many there are in all.
    """
    return len(start) >= _HEAD and size == _HEAD + _count(start) * _TRIANGLE.itemsize


def is_text(content: bytes) -> bool:
    """Tell whether the words are those of a text file."""
    head = content[:1000].lower()
    return head.lstrip().startswith(b"solid") and (b"facet" in head or b"endsolid" in head)


def parse(content: bytes) -> Polygons:
    """Read triangles.

    Raises:
        ValueError: If the size is not what the header says, or a word is not what it has to be.
    """
    if is_binary(content, len(content)):
        corners = np.frombuffer(content, _TRIANGLE, offset=_HEAD)["corners"]
        return _soup(as_points(corners), content[:80])
    if is_text(content):
        return _parse_text(content)
    if len(content) < _HEAD:
        raise ValueError(f"{len(content)} bytes, too few for the header of a binary STL")
    raise ValueError(
        f"its header says {_count(content)} triangles, which take "
        f"{_HEAD + _count(content) * _TRIANGLE.itemsize} bytes; it has {len(content)}"
    )


def _parse_text(content: bytes) -> Polygons:
    lines = [line.strip().lower() for line in content.splitlines()]
    lines = [line for line in lines if line]
    starts = [line for line in lines if line.startswith(b"solid")]
    ends = sum(line.startswith(b"endsolid") for line in lines)
    if not lines[-1].startswith(b"endsolid") or ends != len(starts):
        raise ValueError("it ends early: there is no `endsolid` at its end")
    inner = [line for line in lines if not line.startswith((b"solid", b"endsolid"))]
    words = b" ".join(inner).split()
    if len(words) % len(_WORDS):
        raise ValueError("it ends within a facet, or a word is missing")
    for place, expected in enumerate(_WORDS):
        found = set(words[place :: len(_WORDS)])
        if expected != b"." and found - {expected}:
            wrong = min(found - {expected})
            raise ValueError(f"{shown(wrong)} stands where {expected.decode()!r} belongs")
    numbers = [reals(words[place :: len(_WORDS)]) for place in _NUMBERS]
    points = np.stack(numbers, axis=1) if words else np.zeros((0, 9))
    return _soup(points.reshape(-1, 3), b"\n".join(starts))


def _soup(points: Float[np.ndarray, "n 3"], header: bytes) -> Polygons:
    return fans(points, np.arange(len(points)).reshape(-1, 3), space_of(header))


def _count(content: bytes) -> int:
    return int.from_bytes(content[80:84], "little")
