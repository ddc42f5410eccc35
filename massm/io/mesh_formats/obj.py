"""Wavefront OBJ: positions and faces; colors, textures and groups are left."""

import re

import numpy as np

from massm.io.mesh_formats.polygons import Polygons
from massm.io.mesh_formats.text import reals, shown, space_of, whole

_LEFT = (
    b"vt vn vp l p g o s mg usemtl mtllib usemap maplib lod bevel c_interp d_interp shadow_obj "
    b"trace_obj ctech stech cstype deg bmat step curv curv2 surf parm trim hole scrv sp end con "
    b"call"
)
_OTHERS = frozenset(_LEFT.split())
_FIRST = re.compile(rb"^\s*(?:#|(?:v|vt|vn|vp|f|l|p|g|o|s|usemtl|mtllib)\s)", re.MULTILINE)


def is_text(content: bytes) -> bool:
    """Tell whether the beginning looks like this format; it has no mark of its own."""
    head = content[:1000]
    return b"\0" not in head and _FIRST.match(head.lstrip()) is not None


def parse(content: bytes) -> Polygons:
    """Read positions and faces.

    Raises:
        ValueError: If a line begins with an unknown word or a number is none.
    """
    points: list[list[bytes]] = []
    sizes: list[int] = []
    corners: list[bytes] = []
    last: list[int] = []  # points before each corner: negative numbers count back from there
    comments: list[bytes] = []
    for line in content.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").splitlines():
        body, _, comment = line.partition(b"#")
        comments.append(comment)
        words = body.split()
        if not words:
            continue
        if words[0] == b"v":
            if len(words) < 4:
                raise ValueError(f"a position has {len(words) - 1} numbers")
            points.append(words[1:4])
        elif words[0] == b"f":
            sizes.append(len(words) - 1)
            corners += [word.split(b"/", 1)[0] for word in words[1:]]
            last += [len(points)] * (len(words) - 1)
        elif words[0] not in _OTHERS:
            raise ValueError(f"a line begins with {shown(words[0])}, which is no word of OBJ")
    place = reals([word for point in points for word in point]).reshape(-1, 3)
    number = whole(corners)
    if (number == 0).any():
        raise ValueError("a face has the corner 0; the first is 1")
    number = np.where(number > 0, number - 1, number + np.array(last, np.int64))
    return Polygons(place, np.array(sizes, np.int64), number, space_of(b"\n".join(comments)))
