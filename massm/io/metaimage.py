"""Headers of MetaImage files, in one file (.mha) or with the values beside (.mhd).

Format: docs.itk.org, "MetaIO: medical image and object data". As in ITK, coordinates are LPS
millimeters and each row of ``TransformMatrix`` is the direction of one axis.
"""

import math
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.io.errors import DataError
from massm.io.image_header import (
    Encoding,
    Header,
    Stored,
    check_spatial,
    make_header,
    place_of_last,
    values_file,
)

KIND = "MetaImage"
_LONGEST_HEADER = 1 << 20
_TYPES = {"CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4"}
_TYPES |= {"LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4", "DOUBLE": "f8"}
_TYPES |= {"LONG": "i4", "ULONG": "u4"}  # of four bytes in this format, whatever the machine
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_START = re.compile(rb"\s*(ObjectType|NDims|Comment|ObjectSubType|TransformType)\s*=")

Fields = dict[str, str]


def is_metaimage(start: bytes) -> bool:
    """Tell a MetaImage by its first bytes."""
    return _START.match(start) is not None


def read_metaimage(path: Path) -> Header:
    """Describe a MetaImage.

    Raises:
        DataError: If it cannot be used; says why.
    """
    fields, end = _fields(path)
    if fields.get("ObjectType", "Image").lower() != "image":
        raise DataError(f"{path}: holds a {fields['ObjectType']}, not an image")
    shape = [int(value) for value in _numbers(path, fields, "DimSize")]
    count = [int(value) for value in _numbers(path, fields, "NDims")]
    if [len(shape)] != count:
        raise DataError(f"{path}: damaged header, NDims {count} but DimSize {shape}")
    channels = int(_numbers(path, fields, "ElementNumberOfChannels", "1")[0])
    others = [f"{channels} components"] if channels != 1 else []
    others += [f"{n} times" for n in shape[3:] if n > 1]
    check_spatial(path, KIND, shape[:3], others)
    size = (shape[0], shape[1], shape[2])
    notes: list[str] = []
    affine, source = _affine(path, fields, len(shape), notes)
    stored = _stored(path, fields, end, math.prod(size), notes)
    return make_header(path, KIND, size, affine, stored, spacing_from=source, notes=notes)


def _fields(path: Path) -> tuple[Fields, int]:
    """Read the fields and the byte after them; ``ElementDataFile`` is the last."""
    with path.open("rb") as file:
        content = file.read(_LONGEST_HEADER)
    fields: Fields = {}
    place = 0
    while "ElementDataFile" not in fields:
        end = content.find(b"\n", place)
        line = content[place : end if end >= 0 else len(content)].decode("utf-8", "replace")
        name, sign, value = line.partition("=")
        if sign:
            fields[name.strip()] = value.strip()
        elif line.strip():
            raise DataError(f"{path}: damaged header, line {line[:60]!r}; copy the file again")
        place = end + 1
        if end < 0:
            break
    if not fields.get("ElementDataFile"):
        raise DataError(f"{path}: truncated, its header names no ElementDataFile; copy it again")
    return fields, place if end >= 0 else len(content)


def _affine(
    path: Path, fields: Fields, axes: int, notes: list[str]
) -> tuple[Float[np.ndarray, "4 4"], str]:
    """Decide where the voxels lie, in LPS millimeters, and say by what."""
    source = next((name for name in ("ElementSpacing", "ElementSize") if name in fields), "")
    if not source:
        raise DataError(
            f"{path}: does not say the size of its voxels (no ElementSpacing); write the scan "
            "again with its spacing"
        )
    steps = np.array(_numbers(path, fields, source))
    if len(steps) < 3 or not np.isfinite(steps).all() or not (steps[:3] > 0).all():
        raise DataError(
            f"{path}: does not say the size of its voxels ({source} = {fields[source]}); write the "
            "scan again with its spacing"
        )
    if source == "ElementSize":
        notes.append("no ElementSpacing: ElementSize is the voxel size")
    affine = np.eye(4)
    matrix = _first_of(fields, "TransformMatrix", "Orientation", "Rotation")
    turn = np.eye(axes)
    if matrix:
        values = _numbers(path, fields, matrix)
        if len(values) != axes * axes or not np.isfinite(values).all():
            raise DataError(f"{path}: damaged header, {matrix} = {fields[matrix]}")
        turn = np.array(values).reshape(axes, axes)
    lengths = np.linalg.norm(turn[:3, :3], axis=1, keepdims=True)
    if not (np.abs(lengths - 1) < 0.01).all():
        raise DataError(f"{path}: {matrix} = {fields[matrix]}, expected rows of length 1")
    affine[:3, :3] = (turn[:3, :3] / lengths).T * steps[:3]
    origin = _first_of(fields, "Offset", "Position", "Origin")
    if origin:
        place = np.array(_numbers(path, fields, origin))
        if len(place) != axes or not np.isfinite(place).all():
            raise DataError(f"{path}: damaged header, {origin} = {fields[origin]}")
        affine[:3, 3] = place[:3]
    return affine, source


def _stored(path: Path, fields: Fields, end: int, voxels: int, notes: list[str]) -> Stored:
    kind = fields.get("ElementType", "").upper().removeprefix("MET_")
    if kind not in _TYPES:
        raise DataError(
            f"{path}: ElementType {fields.get('ElementType')!r}; save it with integers or reals"
        )
    order = _first_of(fields, "ElementByteOrderMSB", "BinaryDataByteOrderMSB")
    is_big = _flag(path, fields, order) if order else False
    dtype = np.dtype((">" if is_big else "<") + _TYPES[kind])
    is_binary = _flag(path, fields, "BinaryData") if "BinaryData" in fields else True
    is_packed = _flag(path, fields, "CompressedData") if "CompressedData" in fields else False
    if not is_packed and "CompressedDataSize" in fields:
        raise DataError(f"{path}: damaged header, a CompressedDataSize but no CompressedData")
    if not order and is_binary and dtype.itemsize > 1:
        notes.append("header does not say the order of bytes: taken as little-endian")
    encoding: Encoding = "zlib" if is_packed else "raw" if is_binary else "text"
    name = fields["ElementDataFile"]
    file = path if name.upper() == "LOCAL" else values_file(path, name)
    start = end if file == path else 0
    skip = int(_numbers(path, fields, "HeaderSize", "0")[0])
    if skip > 0:
        start += skip
    elif skip == -1 and encoding == "raw":  # the values are the last of the file
        start = place_of_last(file, voxels * dtype.itemsize)
    return Stored(file, dtype, encoding, start, exact=encoding != "raw")


def _first_of(fields: Fields, *names: str) -> str:
    return next((name for name in names if name in fields), "")


def _flag(path: Path, fields: Fields, name: str) -> bool:
    if fields[name].lower() not in _FLAGS:
        raise DataError(f"{path}: damaged header, {name} = {fields[name]}; expected True or False")
    return _FLAGS[fields[name].lower()]


def _numbers(path: Path, fields: Fields, name: str, otherwise: str = "") -> list[float]:
    text = fields.get(name, otherwise)
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    whole = name in ("NDims", "DimSize", "ElementNumberOfChannels", "HeaderSize")
    if not values or (whole and not all(abs(v) < 1e15 and v == int(v) for v in values)):
        raise DataError(f"{path}: damaged header, {name} = {text!r}; copy the file again")
    return values
