"""Arrays of one file that have to belong together."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from massm.io.errors import DataError


def refuse_other_shapes(
    arrays: Mapping[str, np.ndarray], shapes: Mapping[str, str], path: Path, advice: str
) -> None:
    """Refuse arrays that lack one, or whose sizes contradict each other.

    Args:
        arrays: As read.
        shapes: The sizes of each, as in ``{"present": "K", "local": "K M 3"}``: a letter stands
            for one size wherever it occurs, which the first array that has it decides.
        path: Their file.
        advice: What to do about it.

    Raises:
        DataError: Naming file, array, what was found and what was expected.
    """
    missing = sorted(name for name in shapes if name not in arrays)
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; {advice}")
    known: dict[str, int] = {}
    for name, shape in shapes.items():
        found, letters = arrays[name].shape, shape.split()
        if len(found) != len(letters) or not all(
            size == (int(letter) if letter.isdigit() else known.setdefault(letter, size))
            for size, letter in zip(found, letters, strict=True)
        ):
            expected = " x ".join(str(known.get(letter, letter)) for letter in letters)
            raise DataError(f"{path}: {name} is {found}, expected {expected}; {advice}")


def refuse_other_types(
    arrays: Mapping[str, np.ndarray],
    kinds: Mapping[str, str],
    schema: int,
    path: Path,
    advice: str,
) -> None:
    """Refuse arrays that hold something else, or a file of another version.

    Args:
        arrays: As read, with the number of its schema among them.
        kinds: numpy's letter for each kind of values, as in ``{"anatomies": "U"}``; arrays that are
            not named are numbers with a fraction.
        schema: The one that is read.
        path: Their file.
        advice: What to do about it.

    Raises:
        DataError: Naming file, array, what was found and what was expected.
    """
    for name, array in arrays.items():
        kind, expected = array.dtype.kind, kinds.get(name, "f")
        if kind != expected:
            raise DataError(f"{path}: {name} is of kind {kind}, expected {expected}; {advice}")
    if arrays["schema"] != schema:
        raise DataError(f"{path}: schema {arrays['schema']}, this massm reads {schema}; {advice}")
