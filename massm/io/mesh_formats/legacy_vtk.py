"""Legacy VTK, text and binary: poly data of all versions, also with the offsets of 5.1."""

import numpy as np
from jaxtyping import Int

from massm.io.mesh_formats.polygons import Polygons, as_points, with_strips
from massm.io.mesh_formats.text import reals, shown, space_of, whole, whole_of

MARK = b"# vtk DataFile"
_KINDS = {
    b"char": "i1",
    b"signed_char": "i1",
    b"unsigned_char": "u1",
    b"short": "i2",
    b"unsigned_short": "u2",
    b"int": "i4",
    b"unsigned_int": "u4",
    b"long": "i8",
    b"unsigned_long": "u8",
    b"float": "f4",
    b"double": "f8",
    b"vtkidtype": "i4",
    b"vtktypeint64": "i8",
    b"vtktypeuint64": "u8",
    b"vtktypeint32": "i4",
}
_CELLS = (b"vertices", b"lines", b"polygons", b"triangle_strips")
_ATTRIBUTES = (b"point_data", b"cell_data")


def parse(content: bytes) -> Polygons:
    """Read points, polygons and strips; what is given for each point or cell is left.

    Raises:
        ValueError: If it holds other data than a surface, or the data are not as long as they say.
    """
    source = _Source(content)
    title = source.start()
    points, cells, fields = np.zeros((0, 3)), dict[bytes, _Cells](), title
    while words := source.words():
        name = words[0].lower()
        if name == b"points" and len(words) == 3:
            points = as_points(source.numbers(3 * _count(words[1]), words[2]))
        elif name in _CELLS and len(words) == 3:
            cells[name] = _read_cells(source, _count(words[1]), _count(words[2]))
        elif name == b"field" and len(words) == 3:
            fields += b"\n" + _read_fields(source, _count(words[2]))
        elif name == b"metadata":
            source.skip_block()
        elif name in _ATTRIBUTES:
            break
        else:
            raise ValueError(f"{shown(b' '.join(words))} stands where a section begins")
    space = space_of(fields)
    polygons = Polygons(points, *cells.get(b"polygons", _NONE), space)
    return with_strips(polygons, *cells.get(b"triangle_strips", _NONE))


_Cells = tuple[Int[np.ndarray, " P"], Int[np.ndarray, " C"]]
_NONE: _Cells = (np.zeros(0, np.int64), np.zeros(0, np.int64))


class _Source:
    """The file, read from its beginning to its end."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place, self._is_binary = content, 0, False

    def start(self) -> bytes:
        """Read the four lines of the header; return the title."""
        self._line()
        title = self._line()
        kind = self._line().strip().lower()
        if kind not in (b"ascii", b"binary"):
            raise ValueError(f"its third line is {shown(kind)}, not ASCII or BINARY")
        self._is_binary = kind == b"binary"
        words = self.words()
        if len(words) != 2 or words[0].lower() != b"dataset":
            raise ValueError(f"{shown(b' '.join(words))} stands where DATASET belongs")
        if words[1].lower() != b"polydata":
            raise ValueError(f"it holds {shown(words[1])}; a surface is POLYDATA")
        return title

    def words(self) -> list[bytes]:
        """Read the words of the next line that is not empty; none at the end."""
        while self._place < len(self._content):
            words = self._line().split()
            if words:
                return words
        return []

    def numbers(self, count: int, kind: bytes) -> np.ndarray:
        """Read so many numbers of a kind."""
        if kind.lower() not in _KINDS:
            raise ValueError(f"{shown(kind)} is no kind of number")
        dtype = np.dtype(">" + _KINDS[kind.lower()])
        if self._is_binary:
            values = np.frombuffer(self._take(count * dtype.itemsize), dtype)
            return values if dtype.kind == "f" else whole_of(values)
        words = self._take_words(count)
        return reals(words).astype(dtype) if dtype.kind == "f" else whole(words)

    def upcoming(self) -> bytes:
        """Show the next word without reading it."""
        return b"".join(self._content[self._place : self._place + 40].split(None, 1)[:1]).lower()

    def skip_block(self) -> None:
        """Read on to the next empty line."""
        while self._place < len(self._content) and self._line().strip():
            pass

    def strings(self, count: int) -> bytes:
        """Read so many strings."""
        if count > len(self._content) - self._place:
            raise ValueError("it ends early")
        if not self._is_binary:
            return b"\n".join(self._line() for _ in range(count))
        return b"\n".join(self._take(self._string_length()) for _ in range(count))

    def _string_length(self) -> int:
        # The two highest bits of the first byte tell how many bytes the length takes.
        first = self._take(1)
        more = {3: 0, 2: 1, 1: 3, 0: 7}[first[0] >> 6]
        return int.from_bytes(bytes([first[0] & 63]) + self._take(more), "big")

    def _line(self) -> bytes:
        end = self._content.find(b"\n", self._place)
        end = len(self._content) if end < 0 else end
        line = self._content[self._place : end]
        self._place = end + 1
        return line

    def _take(self, size: int) -> bytes:
        if size > len(self._content) - self._place:
            raise ValueError(f"it ends early: {size} bytes should follow")
        start, self._place = self._place, self._place + size
        return self._content[start : self._place]

    def _take_words(self, count: int) -> list[bytes]:
        rest = self._content[self._place :]
        if 2 * count - 1 > len(rest):
            raise ValueError(f"it ends early: {count} numbers should follow")
        if count == 0:
            return []
        words = rest.split(None, count)
        if len(words) < count:
            raise ValueError(f"it ends early: {count} numbers should follow, {len(words)} do")
        self._place = len(self._content) - (len(words[count]) if len(words) > count else 0)
        return words[:count]


def _read_cells(source: _Source, count: int, size: int) -> _Cells:
    if source.upcoming() != b"offsets":
        return _counted(source.numbers(size, b"int"), count)
    found = []
    for name, length in ((b"offsets", count), (b"connectivity", size)):
        words = source.words()
        if len(words) != 2 or words[0].lower() != name:
            raise ValueError(f"{shown(b' '.join(words))} stands where {name.decode()} belong")
        found.append(source.numbers(length, words[1]).astype(np.int64))
    offsets, corners = found
    return sizes_of(offsets, len(corners)), corners


def sizes_of(offsets: Int[np.ndarray, " n"], corners: int) -> Int[np.ndarray, " P"]:
    """Turn the place where each polygon begins, and the last ends, into their sizes.

    Raises:
        ValueError: If they do not count from 0 to the number of corners.
    """
    if len(offsets) == 0:
        if corners:
            raise ValueError(f"{corners} corners belong to no polygon")
        return np.zeros(0, np.int64)
    sizes = np.diff(offsets)
    if offsets[0] != 0 or offsets[-1] != corners or (sizes < 0).any():
        raise ValueError(f"the offsets of its polygons do not lead from 0 to {corners}")
    return sizes


def _counted(values: np.ndarray, count: int) -> _Cells:
    """Take polygons that each begin with their number of corners."""
    values = values.astype(np.int64)
    if count and len(values) % count == 0:
        table = values.reshape(count, -1)
        if table.shape[1] and (table[:, 0] == table.shape[1] - 1).all():
            return np.full(count, table.shape[1] - 1), table[:, 1:].ravel()
    numbers, heads, place = values.tolist(), [], 0
    while place < len(numbers):
        heads.append(place)
        if numbers[place] < 0:
            raise ValueError(f"a polygon has {numbers[place]} corners")
        place += 1 + numbers[place]
    if place != len(numbers) or len(heads) != count:
        raise ValueError(f"its header says {count} cells in {len(values)} numbers; they do not fit")
    is_corner = np.ones(len(values), bool)
    is_corner[heads] = False
    return values[heads], values[is_corner]


def _read_fields(source: _Source, count: int) -> bytes:
    """Read arrays that belong to the whole file; return those of text as NAME=text."""
    found = []
    for _ in range(count):
        words = source.words()
        if len(words) != 4:
            raise ValueError(f"{shown(b' '.join(words))} stands where a field begins")
        size = _count(words[1]) * _count(words[2])
        if words[3].lower() == b"string":
            found.append(words[0] + b"=" + source.strings(size))
        else:
            source.numbers(size, words[3])
        if source.upcoming() == b"metadata":
            source.skip_block()
    return b"\n".join(found)


def _count(word: bytes) -> int:
    if not word.isdigit() or len(word) > 15:
        raise ValueError(f"{shown(word)} is no count")
    return int(word)
