"""VTK's XML poly data (``.vtp``): text, base64 and raw, compressed or not."""

import binascii
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from vtkmodules.vtkIOCore import vtkLZ4DataCompressor

from massm.io.mesh_formats.legacy_vtk import sizes_of
from massm.io.mesh_formats.polygons import Polygons, as_points, joined, with_strips
from massm.io.mesh_formats.text import reals, shown, space_of, whole, whole_of

_KINDS = {
    "Int8": "i1",
    "UInt8": "u1",
    "Int16": "i2",
    "UInt16": "u2",
    "Int32": "i4",
    "UInt32": "u4",
    "Int64": "i8",
    "UInt64": "u8",
    "Float32": "f4",
    "Float64": "f8",
    "String": "u1",
}
_TAIL = b"</VTKFile>"
_APPENDED = re.compile(rb"<AppendedData\b([^>]*)>\s*_")
_MOST_BLOCK_BYTES = 1 << 30


def parse(content: bytes) -> Polygons:
    """Read points, polygons and strips of all pieces; what is given for points or cells is left.

    Raises:
        ValueError: If it is no sound poly data.
    """
    if not content.rstrip(b" \t\r\n\0").endswith(_TAIL):
        raise ValueError("it ends early: there is no </VTKFile> at its end")
    head, payload, is_raw = _split(content)
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise ValueError("it defines entities, which no surface needs")
    try:
        root = ElementTree.fromstring(head)
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(f"its XML is broken: {error}") from error
    kind = root.get("type")
    if root.tag != "VTKFile" or kind != "PolyData":
        raise ValueError(f"it holds {kind or root.tag}; a surface is PolyData")
    arrays = _Arrays(_Storage.of(root), payload, is_raw)
    data = root.find("PolyData")
    pieces = [] if data is None else data.findall("Piece")
    if not pieces:
        raise ValueError("it holds no piece")
    found = joined([_piece(piece, arrays) for piece in pieces])
    fields = b"\n".join(arrays.text(entry) for entry in root.iterfind(".//FieldData/Array"))
    return Polygons(found.points, found.sizes, found.corners, space_of(fields))


def _split(content: bytes) -> tuple[bytes, bytes, bool]:
    """Part the XML from the data behind it, which are no XML where they are raw."""
    mark = _APPENDED.search(content)
    if mark is None:
        return content, b"", False
    encoding = re.search(rb"encoding\s*=\s*[\"'](\w+)[\"']", mark[1])
    if encoding is None or encoding[1].lower() not in (b"raw", b"base64"):
        raise ValueError("its appended data are neither raw nor base64")
    return content[: mark.start()] + _TAIL, content[mark.end() :], encoding[1].lower() == b"raw"


def _piece(piece: ElementTree.Element, arrays: "_Arrays") -> Polygons:
    points = arrays.numbers(piece.find("Points/DataArray"), 3 * _count(piece, "NumberOfPoints"))
    cells = []
    for name, count in (("Polys", "NumberOfPolys"), ("Strips", "NumberOfStrips")):
        number = _count(piece, count)
        if number == 0:
            cells.append((np.zeros(0, np.int64), np.zeros(0, np.int64)))
            continue
        parts = {entry.get("Name"): entry for entry in piece.iterfind(f"{name}/DataArray")}
        ends = whole_of(arrays.numbers(parts.get("offsets"), number))
        corners = whole_of(arrays.numbers(parts.get("connectivity"), int(ends[-1])))
        cells.append((sizes_of(np.concatenate([[0], ends]), len(corners)), corners))
    return with_strips(Polygons(as_points(points), *cells[0]), *cells[1])


def _count(piece: ElementTree.Element, name: str) -> int:
    text = piece.get(name, "0")
    if not text.isdigit() or len(text) > 15:
        raise ValueError(f"{name} is {shown(text.encode())}")
    return int(text)


@dataclass(frozen=True)
class _Storage:
    """How numbers are stored in the whole file.

    Attributes:
        order: ``<`` or ``>``.
        head: Kind of the numbers before data: bytes, or blocks and their sizes.
        unpack: Takes a compressed block and the size that it has to have; None: not compressed.
    """

    order: str
    head: np.dtype
    unpack: Callable[[bytes, int], bytes] | None

    @classmethod
    def of(cls, root: ElementTree.Element) -> "_Storage":
        orders = {"LittleEndian": "<", "BigEndian": ">"}
        heads = {"UInt32": "u4", "UInt64": "u8"}
        order = root.get("byte_order", "LittleEndian")
        head = root.get("header_type", "UInt32")
        compressor = root.get("compressor", "")
        if order not in orders or head not in heads or compressor not in _UNPACK:
            words = f"byte_order {order}, header_type {head}, compressor {compressor or 'none'}"
            raise ValueError(f"its storage is unknown: {words}")
        dtype = np.dtype(orders[order] + heads[head])
        return cls(orders[order], dtype, _UNPACK[compressor])


class _Arrays:
    """The arrays of a file, wherever they stand in it."""

    def __init__(self, storage: _Storage, payload: bytes, is_raw: bool) -> None:
        self._storage, self._payload, self._is_raw = storage, payload, is_raw

    def numbers(self, entry: ElementTree.Element | None, count: int) -> np.ndarray:
        """Read an array that has to have so many numbers."""
        if entry is None:
            raise ValueError("an array is missing")
        name = entry.get("Name") or "an array"
        kind = _KINDS.get(entry.get("type", ""))
        if kind is None or entry.get("type") == "String":
            raise ValueError(f"{name} is of the kind {shown(entry.get('type', '').encode())}")
        dtype = np.dtype(self._storage.order + kind)
        if entry.get("format") == "ascii":
            words = (entry.text or "").encode().split()
            if len(words) == count:
                return reals(words).astype(dtype) if dtype.kind == "f" else whole(words)
            raise ValueError(f"{name} has {len(words)} numbers instead of {count}")
        data = self._bytes(entry, count * dtype.itemsize)
        if len(data) != count * dtype.itemsize:
            raise ValueError(f"{name} has {len(data)} bytes instead of {count * dtype.itemsize}")
        return np.frombuffer(data, dtype)

    def text(self, entry: ElementTree.Element) -> bytes:
        """Read what names the frame, as SPACE=text; empty for anything else."""
        if entry.get("type") != "String" or (entry.get("Name") or "").upper() != "SPACE":
            return b""
        if entry.get("format") == "ascii":
            codes = whole((entry.text or "").encode().split())
            data = bytes(code for code in codes.tolist() if 0 < code < 128)
        else:
            data = self._bytes(entry, 64)
        return b"SPACE=" + data.replace(b"\0", b" ").strip()

    def _bytes(self, entry: ElementTree.Element, most: int) -> bytes:
        stream = self._stream(entry)
        if self._storage.unpack is None:
            return stream.plain(self._storage.head)
        heads = stream.heads(self._storage.head)
        return _unpacked(stream, heads, self._storage.unpack, most)

    def _stream(self, entry: ElementTree.Element) -> "_Raw | _Base64":
        style = entry.get("format")
        if style == "binary":
            return _Base64((entry.text or "").strip().encode())
        offset = entry.get("offset", "")
        if style != "appended" or not offset.isdigit() or len(offset) > 15:
            raise ValueError(f"an array is stored as {shown(str(style).encode())}")
        rest = self._payload[int(offset) :]
        return _Raw(rest) if self._is_raw else _Base64(rest)


class _Raw:
    """Bytes as they are."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def plain(self, head: np.dtype) -> bytes:
        """Read bytes that follow their number."""
        return self.take(int(np.frombuffer(self.take(head.itemsize), head)[0]))

    def heads(self, head: np.dtype) -> list[int]:
        """Read the numbers before compressed blocks."""
        first = np.frombuffer(self.take(3 * head.itemsize), head).tolist()
        sizes = np.frombuffer(self.take(first[0] * head.itemsize), head).tolist()
        return [*first, *sizes]

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        if size > len(self._content) - self._place:
            raise ValueError("its data end early")
        start, self._place = self._place, self._place + size
        return self._content[start : self._place]


class _Base64:
    """Groups of four letters for three bytes; what is written at once ends with a whole group."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def plain(self, head: np.dtype) -> bytes:
        """Read bytes that follow their number; both were written at once."""
        start = self._place
        size = int(np.frombuffer(self.take(head.itemsize), head)[0])
        self._place = start
        return self.take(head.itemsize + size)[head.itemsize :]

    def heads(self, head: np.dtype) -> list[int]:
        """Read the numbers before compressed blocks, written at once."""
        start = self._place
        count = int(np.frombuffer(self.take(3 * head.itemsize), head)[0])
        self._place = start
        return list(np.frombuffer(self.take((3 + count) * head.itemsize), head).tolist())

    def take(self, size: int) -> bytes:
        """Read so many bytes, and the rest of their last group."""
        letters = -(-size // 3) * 4
        if letters > len(self._content) - self._place:
            raise ValueError("its data end early")
        start, self._place = self._place, self._place + letters
        try:
            # Where more was written at once, the last group is whole, and longer than asked for.
            found = binascii.a2b_base64(self._content[start : self._place], strict_mode=True)
        except binascii.Error as error:
            raise ValueError(f"its data are no base64: {error}") from error
        if len(found) < size:
            raise ValueError("its data end early")
        return found[:size]


def _unpacked(
    stream: _Raw | _Base64, heads: list[int], unpack: Callable[[bytes, int], bytes], most: int
) -> bytes:
    count, size, last = heads[:3]
    packed = heads[3:]
    if count == 0:
        return b""
    sizes = [size] * (count - 1) + [last or size]
    if size > _MOST_BLOCK_BYTES or last > size or sum(sizes) > most:
        raise ValueError(f"its blocks hold {sum(sizes)} bytes where {most} belong")
    data = stream.take(sum(packed))
    starts = np.cumsum([0, *packed]).tolist()
    blocks = [
        unpack(data[start : start + length], wanted)
        for start, length, wanted in zip(starts, packed, sizes, strict=False)
    ]
    if any(len(block) != wanted for block, wanted in zip(blocks, sizes, strict=True)):
        raise ValueError("a compressed block has another length than it says")
    return b"".join(blocks)


def _unpack_zlib(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"a compressed block is damaged: {error}") from error
    if not stream.eof:
        raise ValueError("a compressed block is damaged: it has no end")
    return found


def _unpack_lzma(data: bytes, size: int) -> bytes:
    stream = lzma.LZMADecompressor()
    try:
        found = stream.decompress(data, size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(f"a compressed block is damaged: {error}") from error
    if not stream.eof:
        raise ValueError("a compressed block is damaged: it has no end")
    return found


def _unpack_lz4(data: bytes, size: int) -> bytes:
    # vtk gives LZ4 both sizes: a damaged block ends with an error of vtk's, not beyond them.
    errors: list[str] = []
    lz4 = vtkLZ4DataCompressor()
    lz4.AddObserver("ErrorEvent", lambda *event: errors.append(str(event[1])))
    found = np.zeros(size, np.uint8)
    if lz4.Uncompress(data, len(data), found, size) != size or errors:
        raise ValueError("a compressed block is damaged")
    return found.tobytes()


_UNPACK: dict[str, Callable[[bytes, int], bytes] | None] = {
    "": None,
    "vtkZLibDataCompressor": _unpack_zlib,
    "vtkLZMADataCompressor": _unpack_lzma,
    "vtkLZ4DataCompressor": _unpack_lz4,
}
