"""What libraries raise for damaged files, turned into one error that names the file."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError

from safetensors import SafetensorError

from massm.io.errors import DataError

# pydantic's ValidationError, UnicodeDecodeError and JSONDecodeError are ValueErrors.
_RAISED = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, MemoryError),
    *(RuntimeError, AssertionError, SyntaxError, tokenize.TokenError, struct.error, zlib.error),
    *(zipfile.BadZipFile, zipfile.LargeZipFile, ParseError, SafetensorError),
)


@contextmanager
def named(path: Path, what: str, advice: str) -> Iterator[None]:
    """Turn what reading a damaged file raises into an error that names it.

    Only the reading of one file belongs inside: faults of our own would be called damage, too.

    Args:
        path: The file.
        what: What it is not, as in "not a spreadsheet".
        advice: What to do about it.

    Raises:
        DataError: With path, what, the library's own words and the advice. Errors of the system
            (no such file, no permission) pass as they are: they name the file themselves.
    """
    try:
        yield
    except _RAISED as error:
        raise DataError(f"{path}: {what} ({_words(error)}); {advice}") from error
    except OSError as error:
        if error.filename is not None:
            raise
        raise DataError(f"{path}: {what} ({_words(error)}); {advice}") from error


def _words(error: Exception) -> str:
    """Give the first of a library's words; on one line."""
    text = " ".join(str(error).split())
    if isinstance(error, KeyError):
        text = f"no {text}"
    return (text[:200] + " ..." if len(text) > 200 else text) or type(error).__name__
