"""Text as people save it: UTF-8 or UTF-16, and what older programs write."""

import codecs
import logging
from pathlib import Path

from massm.io.errors import DataError

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 2**20  # far more than any table or document that is meant to be read
_MARKS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = {
    b"PK\x03\x04": "a spreadsheet (.xlsx, .ods) or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls)",
    b"\x1f\x8b": "compressed (gzip)",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF",
}


def read_text(path: Path) -> str:
    """Read a text file, whatever its encoding.

    A byte-order mark decides; without one it is UTF-8, or else Windows-1252 (of which Latin-1 is
    the printable part), with a warning that shows what was read.

    Raises:
        DataError: If it is no text, or in an encoding that cannot be told; says how to save it.
    """
    if path.stat().st_size > MOST_BYTES:
        found = path.stat().st_size / 2**20
        raise DataError(f"{path}: {found:.0f} MiB, expected text of at most {MOST_BYTES >> 20} MiB")
    content = path.read_bytes()
    for start, what in _OTHERS.items():
        if content.startswith(start):
            raise DataError(f"{path}: no text but {what}; save it as text (CSV UTF-8)")
    text = _decoded(content, path)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(
            f"{path}, line {line}: holds a NUL: damaged, no text, or UTF-16 without its mark; save "
            "it as UTF-8"
        )
    return text


def _decoded(content: bytes, path: Path) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(f"{path}: damaged {encoding} ({error}); save it as UTF-8") from error
        return _older(content, path, error.start)


def _older(content: bytes, path: Path, place: int) -> str:
    """Read what is not UTF-8 as Windows-1252, and show a piece of it."""
    line = content[:place].count(b"\n") + 1
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {line}: neither UTF-8 nor Windows-1252 ({error}); save it as UTF-8"
        ) from error
    sample = text[max(place - 20, 0) : place + 20].splitlines()
    shown = next((part for part in sample if not part.isascii()), "")
    log.warning(
        "%s is not UTF-8 and is read as Windows-1252 (Latin-1); line %d has %r there: if that is "
        "wrong, save it as UTF-8",
        *(path, line, shown.strip()),
    )
    return text
