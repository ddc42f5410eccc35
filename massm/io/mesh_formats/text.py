"""Numbers and words in files of text."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from massm.io.mesh_formats.polygons import Space

_SPACE = re.compile(rb"SPACE\s*=\s*(RAS|LPS)\b", re.IGNORECASE)


def space_of(text: bytes) -> Space:
    """Find the frame that a header or comment names, as 3D Slicer writes it: SPACE=RAS.

    Raises:
        ValueError: If it names both frames.
    """
    found = {name.upper() for name in _SPACE.findall(text)}
    if len(found) > 1:
        raise ValueError("its header says both SPACE=RAS and SPACE=LPS")
    if not found:
        return ""
    return "RAS" if found == {b"RAS"} else "LPS"


def reals(words: Sequence[bytes]) -> Float[np.ndarray, " n"]:
    """Read numbers.

    Raises:
        ValueError: With the first word that is none.
    """
    try:
        return np.fromiter(map(float, words), np.float64, len(words))
    except ValueError:
        raise ValueError(f"{_first_bad(words, float)} stands where a number belongs") from None


def whole(words: Sequence[bytes]) -> Int[np.ndarray, " n"]:
    """Read whole numbers.

    Raises:
        ValueError: With the first word that is none.
    """
    try:
        return np.fromiter(map(int, words), np.int64, len(words))
    except (ValueError, OverflowError):
        word = _first_bad(words, lambda text: np.int64(int(text)))
        raise ValueError(f"{word} stands where a whole number belongs") from None


def whole_of(values: np.ndarray) -> Int[np.ndarray, " n"]:
    """Take numbers that have to be whole and of a size that counts have.

    Raises:
        ValueError: If one is not.
    """
    is_whole = np.isfinite(values) & (values == np.floor(values))
    if not is_whole.all():
        raise ValueError("a point number is no whole number")
    if len(values) and (values.max() > 2**53 or values.min() < -(2**53)):
        raise ValueError("a point number is absurdly large")
    return values.astype(np.int64)


def shown(word: bytes) -> str:
    """Show a word of a file in an error, not longer than one can read."""
    text = word[:24].decode("latin-1")
    return repr(text if len(word) <= 24 else text + "...")


def _first_bad(words: Sequence[bytes], kind: object) -> str:
    assert callable(kind)
    for word in words:
        try:
            kind(word)
        except (ValueError, OverflowError):
            return shown(word)
    raise AssertionError("no bad word")
