"""PLY, text and binary of both byte orders: vertices and faces; what else there is is left."""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from massm.io.mesh_formats.polygons import Polygons, as_points
from massm.io.mesh_formats.text import reals, shown, space_of, whole_of

_END = re.compile(rb"^end_header[ \t]*(\r\n|\n|\r)", re.MULTILINE)
_ORDERS = {b"ascii": "", b"binary_little_endian": "<", b"binary_big_endian": ">"}
_KINDS = {
    b"char": "i1",
    b"uchar": "u1",
    b"short": "i2",
    b"ushort": "u2",
    b"int": "i4",
    b"uint": "u4",
    b"float": "f4",
    b"double": "f8",
    b"int8": "i1",
    b"uint8": "u1",
    b"int16": "i2",
    b"uint16": "u2",
    b"int32": "i4",
    b"uint32": "u4",
    b"int64": "i8",
    b"uint64": "u8",
    b"float32": "f4",
    b"float64": "f8",
}
_INDEX_NAMES = (b"vertex_indices", b"vertex_index")
_MOST_PROPERTIES = 500


@dataclass(frozen=True)
class _Property:
    name: bytes
    kind: str
    length: str = ""  # kind of the number before a list; empty for one value

    def width(self, size: int) -> int:
        """Count the words or fields that it takes in a row where its list is so long."""
        return 1 + size if self.length else 1


@dataclass
class _Element:
    name: bytes
    count: int
    properties: list[_Property]


@dataclass(frozen=True)
class _Lists:
    """One list of each row, one after the other."""

    sizes: Int[np.ndarray, " n"]
    values: np.ndarray


_Columns = dict[bytes, "np.ndarray | _Lists"]


def parse(content: bytes) -> Polygons:
    """Read vertices and faces.

    Raises:
        ValueError: If the header is not sound or the data are not as long as it says.
    """
    end = _END.search(content)
    if end is None:
        raise ValueError("its header has no end")
    order, elements, comments = _read_header(content[: end.start()])
    body = content[end.end() :]
    source = _Binary(body, order) if order else _Text(body)
    found = {element.name: source.read(element) for element in elements}
    source.check_end()
    for name in (b"vertex", b"face"):
        if name not in found:
            names = b", ".join(element.name for element in elements).decode("latin-1")
            raise ValueError(f"it has no element `{name.decode()}`, only {names or 'none'}")
    return Polygons(_points(found[b"vertex"]), *_faces(found[b"face"]), space_of(comments))


def _points(columns: _Columns) -> np.ndarray:
    axes = [columns.get(name) for name in (b"x", b"y", b"z")]
    if not all(isinstance(axis, np.ndarray) for axis in axes):
        raise ValueError("its vertices lack x, y or z")
    return as_points(np.stack([np.asarray(axis) for axis in axes], axis=1))


def _faces(columns: _Columns) -> tuple[np.ndarray, np.ndarray]:
    lists = next((columns[name] for name in _INDEX_NAMES if name in columns), None)
    if not isinstance(lists, _Lists):
        raise ValueError("its faces have no list `vertex_indices`")
    return lists.sizes, whole_of(lists.values)


def _read_header(header: bytes) -> tuple[str, list[_Element], bytes]:
    order: str | None = None
    elements: list[_Element] = []
    comments = []
    for line in header.splitlines()[1:]:
        words = line.split()
        if not words:
            continue
        if words[0] in (b"comment", b"obj_info"):
            comments.append(line)
        elif words[0] == b"format" and len(words) == 3 and words[1] in _ORDERS:
            order = _ORDERS[words[1]]
        elif words[0] == b"element" and len(words) == 3 and words[2].isdigit():
            elements.append(_Element(words[1], int(words[2][:18]), []))
        elif words[0] == b"property" and elements:
            elements[-1].properties.append(_property(words[1:]))
        else:
            raise ValueError(f"its header has the line {shown(line)}")
    if order is None:
        raise ValueError("its header names no format")
    names = [element.name for element in elements]
    if len(set(names)) < len(names):
        raise ValueError("its header names an element twice")
    if sum(len(element.properties) for element in elements) > _MOST_PROPERTIES:
        raise ValueError(f"its header names more than {_MOST_PROPERTIES} properties")
    return order, elements, b"\n".join(comments)


def _property(words: list[bytes]) -> _Property:
    if len(words) == 2 and words[0] in _KINDS:
        return _Property(words[1], _KINDS[words[0]])
    if len(words) == 4 and words[0] == b"list" and words[1] in _KINDS and words[2] in _KINDS:
        return _Property(words[3], _KINDS[words[2]], _KINDS[words[1]])
    raise ValueError(f"its header has the property {shown(b' '.join(words))}")


class _Text:
    """Rows of words."""

    def __init__(self, body: bytes) -> None:
        self._words = body.split()
        self._start = 0

    def check_end(self) -> None:
        """Refuse what the header does not speak of."""
        if self._start != len(self._words):
            raise ValueError(f"{len(self._words) - self._start} words follow that its header omits")

    def read(self, element: _Element) -> _Columns:
        """Read all rows of an element."""
        if not element.properties:
            return {}
        left = len(self._words) - self._start
        if element.count * len(element.properties) > left:
            raise ValueError(_too_short(element))
        if element.count == 0:
            return _empty(element)
        return self._even(element) or self._uneven(element)

    def _even(self, element: _Element) -> _Columns | None:
        """Read rows that are all as long as the first; None if they are not."""
        sizes, place = [], self._start
        for entry in element.properties:
            sizes.append(_list_size(reals(self._words[place : place + 1])) if entry.length else 1)
            place += entry.width(sizes[-1])
            if place > len(self._words):
                raise ValueError(_too_short(element))
        width = place - self._start
        if self._start + element.count * width > len(self._words):
            return None
        rows = self._words[self._start : self._start + element.count * width]
        table = reals(rows).reshape(element.count, width)
        columns: _Columns = {}
        column = 0
        for entry, size in zip(element.properties, sizes, strict=True):
            if not entry.length:
                columns[entry.name] = table[:, column]
            elif (table[:, column] != size).any():
                return None
            else:
                values = table[:, column + 1 : column + 1 + size].ravel()
                columns[entry.name] = _Lists(np.full(element.count, size), values)
            column += entry.width(size)
        self._start += element.count * width
        return columns

    def _uneven(self, element: _Element) -> _Columns:
        collected: dict[bytes, list[bytes]] = {entry.name: [] for entry in element.properties}
        sizes: dict[bytes, list[int]] = {entry.name: [] for entry in element.properties}
        place = self._start
        for _ in range(element.count):
            for entry in element.properties:
                size = 1
                if entry.length:
                    size = _list_size(reals(self._words[place : place + 1]))
                    place += 1
                collected[entry.name] += self._words[place : place + size]
                sizes[entry.name].append(size)
                place += size
                if place > len(self._words):
                    raise ValueError(_too_short(element))
        self._start = place
        return {
            entry.name: _Lists(np.array(sizes[entry.name]), reals(collected[entry.name]))
            if entry.length
            else reals(collected[entry.name])
            for entry in element.properties
        }


class _Binary:
    """Rows of bytes."""

    def __init__(self, body: bytes, order: str) -> None:
        self._body, self._order, self._start = body, order, 0

    def check_end(self) -> None:
        """Refuse what the header does not speak of."""
        rest = self._body[self._start :]
        if rest.strip():
            raise ValueError(f"{len(rest)} bytes follow that its header omits")

    def read(self, element: _Element) -> _Columns:
        """Read all rows of an element."""
        if not element.properties:
            return {}
        least = sum(np.dtype(entry.length or entry.kind).itemsize for entry in element.properties)
        if element.count * least > len(self._body) - self._start:
            raise ValueError(_too_short(element))
        if element.count == 0:
            return _empty(element)
        return self._even(element) or self._uneven(element)

    def _even(self, element: _Element) -> _Columns | None:
        fields, sizes, place = [], [], self._start
        for number, entry in enumerate(element.properties):
            size = 1
            if entry.length:
                size = _list_size(self._take(entry.length, place, 1, element))
                fields.append((f"n{number}", self._order + entry.length))
                place += np.dtype(entry.length).itemsize
            if size * np.dtype(entry.kind).itemsize > len(self._body) - place:
                raise ValueError(_too_short(element))
            fields.append((f"v{number}", f"({size},){self._order}{entry.kind}"))
            place += size * np.dtype(entry.kind).itemsize
            sizes.append(size)
        row = np.dtype(fields)
        if element.count * row.itemsize > len(self._body) - self._start:
            return None
        table = np.frombuffer(self._body, row, element.count, self._start)
        columns: _Columns = {}
        for number, (entry, size) in enumerate(zip(element.properties, sizes, strict=True)):
            values = table[f"v{number}"].ravel()
            if entry.length and (table[f"n{number}"] != size).any():
                return None
            whole = np.full(element.count, size)
            columns[entry.name] = _Lists(whole, values) if entry.length else values
        self._start += element.count * row.itemsize
        return columns

    def _uneven(self, element: _Element) -> _Columns:
        parts: dict[bytes, list[np.ndarray]] = {entry.name: [] for entry in element.properties}
        place = self._start
        for _ in range(element.count):
            for entry in element.properties:
                size = 1
                if entry.length:
                    size = _list_size(self._take(entry.length, place, 1, element))
                    place += np.dtype(entry.length).itemsize
                parts[entry.name].append(self._take(entry.kind, place, size, element))
                place += size * np.dtype(entry.kind).itemsize
        self._start = place
        return {
            entry.name: _Lists(
                np.array([len(part) for part in parts[entry.name]]),
                np.concatenate(parts[entry.name]),
            )
            if entry.length
            else np.concatenate(parts[entry.name])
            for entry in element.properties
        }

    def _take(self, kind: str, start: int, count: int, element: _Element) -> np.ndarray:
        dtype = np.dtype(self._order + kind)
        if count * dtype.itemsize > len(self._body) - start:
            raise ValueError(_too_short(element))
        return np.frombuffer(self._body, dtype, count, start)


def _empty(element: _Element) -> _Columns:
    none = np.zeros(0)
    return {
        entry.name: _Lists(np.zeros(0, np.int64), none) if entry.length else none
        for entry in element.properties
    }


def _list_size(values: np.ndarray) -> int:
    """Take the length of a list."""
    if len(values) == 0:
        raise ValueError("it ends within a list")
    value = float(values[0])
    if not (value >= 0 and value == int(min(value, 2.0**53))):
        raise ValueError(f"a list has the length {value:g}")
    return int(value)


def _too_short(element: _Element) -> str:
    name = element.name.decode("latin-1")
    return f"it ends early: its header says {element.count} of `{name}`"
