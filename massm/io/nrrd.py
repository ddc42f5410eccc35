"""Headers of NRRD files, attached (.nrrd) and detached (.nhdr).

Format: teem.sourceforge.net/nrrd/format.html, versions 1 to 5.
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

KIND = "NRRD"
MAGIC = b"NRRD000"
_LONGEST_HEADER = 1 << 20
_ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
_ENCODINGS |= {"bzip2": "bzip2", "bz2": "bzip2", "txt": "text", "text": "text", "ascii": "text"}
_NAMES = {
    "i1": "signed char,int8,int8_t",
    "u1": "uchar,unsigned char,uint8,uint8_t",
    "i2": "short,short int,signed short,signed short int,int16,int16_t",
    "u2": "ushort,unsigned short,unsigned short int,uint16,uint16_t",
    "i4": "int,signed int,int32,int32_t",
    "u4": "uint,unsigned int,uint32,uint32_t",
    "i8": "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t",
    "u8": "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPES = {name: code for code, names in _NAMES.items() for name in names.split(",")}
_SPACES = {  # signs that turn x, y, z to left, posterior, superior
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_UNITS = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3}
_COLORS = ("rgb-color", "rgba-color", "hsv-color", "xyz-color", "4-color", "3-color")
_LABEL = re.compile(r"Segment\d+_(LabelValue|Name)")

Fields = dict[str, str]


def read_nrrd(path: Path) -> Header:
    """Describe a NRRD file.

    Raises:
        DataError: If it cannot be used; says why.
    """
    fields, keys, end = _fields(path)
    shape, spatial, others = _axes(path, fields)
    check_spatial(path, KIND, shape, others)
    notes: list[str] = []
    affine, source = _affine(path, fields, spatial, notes)
    stored = _stored(path, fields, end, math.prod(shape))
    size = (shape[0], shape[1], shape[2])
    return make_header(
        *(path, KIND, size, affine, stored), spacing_from=source, notes=notes, labels=_labels(keys)
    )


def _fields(path: Path) -> tuple[Fields, Fields, int]:
    """Read fields, the key/value pairs, and the byte at which attached values begin."""
    with path.open("rb") as file:
        content = file.read(_LONGEST_HEADER)
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    place = 0
    while True:
        end = content.find(b"\n", place)
        line = content[place : end if end >= 0 else len(content)]
        text = line.decode("utf-8", "replace").rstrip("\r")
        place = end + 1
        if not text or end < 0:
            break
        if text.startswith(("#", "NRRD0")):
            continue
        if fields.get("datafile", "").upper().startswith("LIST"):
            values_file(path, fields["datafile"])  # what follows are names of files
        if ":=" in text:
            key, _, value = text.partition(":=")
            keys[key] = value
        elif ": " in text or text.endswith(":"):
            name, _, value = text.partition(":")
            fields[re.sub(r"\s", "", name).lower()] = value.strip()
        else:
            raise DataError(f"{path}: damaged header, line {text[:60]!r}; copy the file again")
    if end < 0 and not ({"datafile"} & fields.keys()):
        raise DataError(f"{path}: truncated, ends within its header; copy the file again")
    return fields, keys, place if end >= 0 else len(content)


def _axes(path: Path, fields: Fields) -> tuple[list[int], list[int], list[str]]:
    """Return the sizes of the axes of space, their numbers, and in words what the others are."""
    sizes = [_whole(path, "sizes", word) for word in _need(path, fields, "sizes").split()]
    count = _whole(path, "dimension", _need(path, fields, "dimension"))
    if count != len(sizes) or min(sizes) < 1:
        raise DataError(f"{path}: damaged header, dimension {count} but sizes {sizes}")
    kinds = fields.get("kinds", "").split()
    directions = _directions(path, fields)
    spacings = fields.get("spacings", "").split()
    for name, words in (("kinds", kinds), ("directions", directions), ("spacings", spacings)):
        if words and len(words) != count:
            raise DataError(f"{path}: damaged header, {len(words)} {name} for {count} axes")
    spatial, others = [], []
    for axis, size in enumerate(sizes):
        kind = kinds[axis].lower() if kinds else "domain"
        has_place = (
            directions[axis] is not None
            if directions
            else kind in ("domain", "space", "???", "none")
        )
        if kind == "time" or (count > 3 and axis >= 3 and has_place and not directions):
            others += [f"{size} times"] if size > 1 else []
        elif has_place:
            spatial.append(axis)
        elif size > 1:
            others.append(f"{size} {_word(kind)}")
    return [sizes[axis] for axis in spatial], spatial, others


def _word(kind: str) -> str:
    if kind in _COLORS:
        return f"components ({kind})"
    return "layers (axis of kind list)" if kind == "list" else f"components (axis of kind {kind})"


def _directions(path: Path, fields: Fields) -> list[np.ndarray | None]:
    """Read ``space directions``: a vector for each axis, None for one that is not of space."""
    text = fields.get("spacedirections", "")
    words = re.findall(r"\([^)]*\)|none", text)
    return [None if word == "none" else _vector(path, "space directions", word) for word in words]


def _affine(
    path: Path, fields: Fields, spatial: list[int], notes: list[str]
) -> tuple[Float[np.ndarray, "4 4"], str]:
    """Decide where the voxels lie, in LPS millimeters, and say by what."""
    affine = np.eye(4)
    directions = _directions(path, fields)
    if directions:
        source = "space directions"
        vectors = [directions[axis] for axis in spatial]
        affine[:3, :3] = np.stack([vector for vector in vectors if vector is not None], axis=1)
        if "spaceorigin" in fields:
            affine[:3, 3] = _vector(path, "space origin", fields["spaceorigin"])
    else:
        source = "spacings"
        words = fields.get("spacings", "").split()
        steps = np.array([abs(_number(path, "spacings", words[axis])) for axis in spatial if words])
        if len(steps) != 3 or not np.isfinite(steps).all() or not (steps > 0).all():
            found = f"spacings {' '.join(words)}" if words else "no spacings"
            raise DataError(
                f"{path}: does not say the size of its voxels ({found}, no space directions); "
                "write the scan again with its spacing"
            )
        affine[:3, :3] = np.diag(steps)
        minima = fields.get("axismins", "").split()
        if minima:
            origin = np.array([_number(path, "axis mins", minima[axis]) for axis in spatial])
            affine[:3, 3] = np.where(np.isfinite(origin), origin, 0.0)
        notes.append("no space directions: the axes are taken to run to the left, back and head")
    space = fields.get("space", "").lower()
    if space in _SPACES:
        affine[:3] *= np.array(_SPACES[space])[:, None]
    elif directions:
        notes.append(f"space {space or 'not given'}: taken as left, posterior, superior")
    affine[:3] *= _unit(path, fields, notes)
    return affine, source


def _unit(path: Path, fields: Fields, notes: list[str]) -> float:
    text = fields.get("spaceunits", "") or fields.get("units", "")
    units = {word.lower() for word in re.findall(r'"([^"]*)"', text)} - {"", "none"}
    if not units:
        return 1.0
    (unit, *rest) = sorted(units)
    if rest or unit not in _UNITS:
        raise DataError(f"{path}: units {text} are not understood; expected {', '.join(_UNITS)}")
    if _UNITS[unit] != 1:
        notes.append(f"header in {unit}: brought to millimeters")
    return _UNITS[unit]


def _stored(path: Path, fields: Fields, end: int, voxels: int) -> Stored:
    kind = _need(path, fields, "type").lower()
    if kind not in _TYPES:
        raise DataError(f"{path}: holds values of type {kind!r}; save it with integers or reals")
    code = _TYPES[kind]
    packing = _need(path, fields, "encoding").lower()
    if packing not in _ENCODINGS:
        known = ", ".join(sorted(set(_ENCODINGS.values())))
        raise DataError(f"{path}: encoding {packing!r} is not read here; save it as one of {known}")
    encoding = _ENCODINGS[packing]
    orders = {"little": "<", "big": ">"}
    endian = fields.get("endian", "").lower()
    if endian not in orders and code[1] != "1" and encoding != "text":
        raise DataError(f"{path}: endian {endian!r}, expected little or big; copy the file again")
    dtype = np.dtype(orders.get(endian, "<") + code)
    file = values_file(path, fields["datafile"]) if "datafile" in fields else path
    start = end if file == path else 0
    lines = _whole(path, "line skip", fields.get("lineskip", "0"))
    skip = _whole(path, "byte skip", fields.get("byteskip", "0"))
    if lines:
        start += _length_of_lines(file, start, lines)
    if skip == -1:  # the values are the last of the file
        if encoding != "raw":
            raise DataError(f"{path}: byte skip -1 has a meaning for raw values alone")
        start, skip = place_of_last(file, voxels * dtype.itemsize), 0
    if lines < 0 or skip < -1:
        raise DataError(f"{path}: damaged header, line skip {lines}, byte skip {skip}")
    if encoding == "raw":
        start, skip = start + skip, 0
    return Stored(file, dtype, encoding, start, skip, exact=encoding != "raw")


def _length_of_lines(file: Path, start: int, lines: int) -> int:
    try:
        with file.open("rb") as content:
            content.seek(start)
            return sum(len(content.readline(_LONGEST_HEADER)) for _ in range(min(lines, 100_000)))
    except OSError:
        return 0  # said by what opens it


def _labels(keys: Fields) -> dict[int, str]:
    """Read the names of a segmentation's labels (key/value pairs of .seg.nrrd)."""
    names: dict[str, dict[str, str]] = {}
    for key, value in keys.items():
        if _LABEL.fullmatch(key):
            segment, _, what = key.partition("_")
            names.setdefault(segment, {})[what] = value
    found = [entry for entry in names.values() if entry.get("LabelValue", "").strip().isdigit()]
    return {int(entry["LabelValue"]): entry.get("Name", "") for entry in found}


def _need(path: Path, fields: Fields, name: str) -> str:
    if not fields.get(name):
        raise DataError(f"{path}: damaged header, it does not say {name!r}; copy the file again")
    return fields[name]


def _whole(path: Path, name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise DataError(f"{path}: damaged header, {name} {text!r}; copy the file again")
    return int(text)


def _number(path: Path, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{path}: damaged header, {name} {text!r}; copy the file again") from None


def _vector(path: Path, name: str, text: str) -> Float[np.ndarray, "3"]:
    values = [_number(path, name, word) for word in text.strip().strip("()").split(",")]
    if len(values) != 3 or not np.isfinite(values).all():
        raise DataError(f"{path}: {name} {text!r}, expected three numbers; write the file again")
    return np.array(values)
