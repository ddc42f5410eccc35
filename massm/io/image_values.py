"""Values of images: unpacked in pieces, checked to their last byte, in the smallest type.

Only the array that is handed out grows with the image. Every checksum of the format is looked at,
and a stream that holds more or less than the header says is refused.
"""

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from massm.io.errors import DataError
from massm.io.image_header import Encoding, Header, Stored

_CHUNK_BYTES = 1 << 22
_WHOLE = 1e-3  # rounding of whole numbers that were stored with a scale
_EXACT_WHOLE = 2.0**53  # larger doubles skip whole numbers


def encoding_of(path: Path) -> Encoding:
    """Tell by its first bytes whether a file is packed as a whole."""
    with path.open("rb") as file:
        start = file.read(3)
    if start[:2] == b"\x1f\x8b":
        return "gzip"
    return "bzip2" if start == b"BZh" else "raw"


def first_bytes(path: Path, encoding: Encoding, count: int) -> bytes:
    """Unpack the beginning of a file.

    Raises:
        DataError: If it is damaged; fewer bytes are no error.
    """
    with _naming(path), _unpacked(path, encoding, 0) as file:
        return file.read(count)


def read_values(header: Header) -> Shaped[np.ndarray, "D H W"]:
    """Read an image's values, scaled, in the smallest of the types that hold them as they are.

    Integers without a scale keep their type. Real or scaled numbers become int16 where all are
    whole and fit, else float32; float32 is also what remains of wider reals.

    Raises:
        DataError: If the file is damaged.
    """
    stored = header.stored
    shape = header.size[::-1]
    if stored.dtype.kind in "iu" and not stored.is_scaled:
        array = np.empty(shape, stored.dtype.newbyteorder("="))
        line, place = array.reshape(-1), 0
        for chunk in stored_chunks(header):
            line[place : place + len(chunk)] = chunk
            place += len(chunk)
        return array
    scaled: np.ndarray = np.empty(header.voxels, np.int16)
    place = 0
    for values in value_chunks(header):
        if scaled.dtype == np.int16 and not _fits_int16(values):
            wider = np.empty(header.voxels, np.float32)
            wider[:place] = scaled[:place]
            scaled = wider
        with np.errstate(over="ignore"):  # a double beyond all singles is infinite, and refused so
            scaled[place : place + len(values)] = values
        place += len(values)
    return scaled.reshape(shape)


def value_chunks(header: Header) -> Iterator[Shaped[np.ndarray, " n"]]:
    """Yield the values in pieces, x fastest: as stored if not scaled, else as float64."""
    stored = header.stored
    for chunk in stored_chunks(header):
        if stored.is_scaled:
            yield chunk.astype(np.float64) * stored.slope + stored.intercept
        else:
            yield chunk


def read_labels(header: Header) -> Shaped[np.ndarray, "D H W"]:
    """Read a label map: integers of any size, none of them rounded.

    Raises:
        NotWhole: If it holds numbers that are not whole.
        DataError: If the file is damaged.
    """
    if header.stored.dtype.kind in "iu" and not header.stored.is_scaled:
        return read_values(header)
    flat: np.ndarray = np.empty(header.voxels, np.int32)
    place = 0
    for values in whole_chunks(header):
        if flat.dtype == np.int32 and np.abs(values).max() >= 1 << 31:
            wider = np.empty(header.voxels, np.int64)
            wider[:place] = flat[:place]
            flat = wider
        flat[place : place + len(values)] = values
        place += len(values)
    return flat.reshape(header.size[::-1])


def whole_chunks(header: Header) -> Iterator[Shaped[np.ndarray, " n"]]:
    """Yield the values as integers, in pieces.

    Raises:
        NotWhole: At the first piece that holds a number that is not whole.
        DataError: If the file is damaged.
    """
    for values in value_chunks(header):
        if values.dtype.kind in "iu":
            yield values
            continue
        rounded = np.rint(values)
        finite = np.isfinite(rounded)
        if not finite.all() or (np.abs(values - rounded) > _WHOLE).any():
            raise NotWhole(int(finite.size - finite.sum()))
        if np.abs(rounded).max(initial=0) > _EXACT_WHOLE:
            raise NotWhole(0)
        yield rounded.astype(np.int64)


class NotWhole(Exception):  # noqa: N818 - a finding, not an error
    """An image holds numbers that are not whole."""

    def __init__(self, not_finite: int) -> None:
        super().__init__(not_finite)
        self.not_finite = not_finite


def stored_chunks(header: Header) -> Iterator[Shaped[np.ndarray, " n"]]:
    """Yield the stored numbers in pieces, x fastest, and check the file to its end."""
    stored = header.stored
    with _naming(stored.path):
        if stored.encoding == "text":
            yield _numbers_of_text(header)
            return
        with _unpacked(stored.path, stored.encoding, stored.start) as file:
            _leave_out(file, stored)
            left = header.voxels * stored.dtype.itemsize
            total = left
            while left:
                content = file.read(min(left, _CHUNK_BYTES))
                if len(content) < min(left, _CHUNK_BYTES):
                    raise DataError(
                        f"{stored.path}: truncated, holds {total - left + len(content)} of "
                        f"{total} bytes of values; copy the file again"
                    )
                left -= len(content)
                yield np.frombuffer(content, stored.dtype)
            _check_end(file, stored)


def _leave_out(file: io.BufferedIOBase, stored: Stored) -> None:
    left = stored.skip
    while left:
        content = file.read(min(left, _CHUNK_BYTES))
        if not content:
            raise DataError(f"{stored.path}: truncated, no values in it; copy the file again")
        left -= len(content)


def _check_end(file: io.BufferedIOBase, stored: Stored) -> None:
    """Read to the end, since the checksums stand there."""
    if stored.encoding == "raw":
        return
    extra = 0
    while content := file.read(_CHUNK_BYTES):
        extra += len(content)
    if extra and stored.exact:
        raise DataError(
            f"{stored.path}: damaged, holds {extra} bytes more than its header says; copy the file "
            "again"
        )


def _numbers_of_text(header: Header) -> Shaped[np.ndarray, " n"]:
    stored = header.stored
    with stored.path.open("rb") as file:
        file.seek(stored.start)
        words = file.read().split()
    if len(words) != header.voxels:
        raise DataError(
            f"{stored.path}: truncated or damaged, {len(words)} numbers for {header.voxels} voxels"
        )
    return np.array(words).astype(stored.dtype.newbyteorder("="))


def _fits_int16(values: Shaped[np.ndarray, " n"]) -> bool:
    low, high = values.min(), values.max()  # NaN if one is
    is_inside = bool(low >= -32768 and high <= 32767)
    return is_inside and bool((values == np.rint(values)).all())


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError, ValueError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        raise DataError(f"{path}: truncated or damaged ({error}); copy the file again") from error


@contextmanager
def _unpacked(path: Path, encoding: Encoding, start: int) -> Iterator[io.BufferedIOBase]:
    """Open what is packed in a file from some byte on."""
    with path.open("rb") as file:
        file.seek(start)
        if encoding == "gzip":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        elif encoding == "bzip2":
            with bz2.BZ2File(file) as unpacked:
                yield unpacked
        elif encoding == "zlib":
            yield io.BufferedReader(_Zlib(file), 1 << 16)
        else:
            yield file


class _Zlib(io.RawIOBase):
    """A zlib (or gzip) stream as a file; its checksum is compared at the end."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._stream = zlib.decompressobj(wbits=47)  # either of both kinds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._stream.eof:
            packed = self._stream.unconsumed_tail or self._file.read(1 << 16)
            content = self._stream.decompress(packed, len(buffer))
            if content:
                buffer[: len(content)] = content
                return len(content)
            if not packed:
                raise EOFError("the compressed stream ends early")
        return 0
