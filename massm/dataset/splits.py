"""Training, validation and test subjects: as the data says, or drawn by seed."""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from massm.config.dataset import SplitFractions
from massm.config.names import Split
from massm.io.errors import DataError

log = logging.getLogger(__name__)

WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
SPLITS: tuple[Split, ...] = get_args(Split)
"""The parts of a cohort, in the order in which they are shown."""
COLUMN = "split"
_ALIKE = ("splits", "subset", "set", "fold", "partition", "dataset_split", "data_split", "phase")


def read_split(word: str) -> str | None:
    """Translate a split as data sets write it; None if it is none of the known words."""
    return WORDS.get(word.strip().lower())


def given_splits(table: pd.DataFrame, path: Path) -> pd.Series:
    """Take the split that each row of a table gives; empty where it gives none.

    Args:
        table: Texts, with column names in lower case (:func:`massm.io.tables.read_texts`).
        path: Its file.

    Raises:
        DataError: If there is no split in column ``split``, but in one of another name.
    """
    if COLUMN in table and (table[COLUMN] != "").any():
        return table[COLUMN]
    for name in table.columns:
        words = sorted(set(table[name]) - {""})
        is_split = bool(words) and all(read_split(word) is not None for word in words)
        if name != COLUMN and is_split and (len(words) > 1 or name in _ALIKE):
            raise DataError(
                f"{path}: column {name} holds a split ({', '.join(words)}), but it is read from a "
                f"column called {COLUMN}; rename it, or remove it to have another split drawn"
            )
        if name in _ALIKE:
            log.warning(
                "%s: column %s is not used (%s); a split is read from a column called %s",
                *(path, name, ", ".join(words[:5]), COLUMN),
            )
    if COLUMN in table and len(table):
        log.info("%s: column %s is empty in every row", path, COLUMN)
    return pd.Series("", index=table.index, dtype=object)


def refuse_unreadable(given: Mapping[str, str]) -> None:
    """Stop where the split that the data gives is not one of training, validation and test.

    Single subjects whose split is missing or unknown are excluded with that reason (the survey
    does so); no other split is drawn for them.

    Args:
        given: For each subject the word of the data, empty without one.

    Raises:
        DataError: If most of the words are unknown, or if some are and a part of the split has no
            subject, which may be what they stand for.
    """
    words = [word for word in given.values() if word]
    unknown = Counter(word for word in words if read_split(word) is None)
    parts = {read_split(word) for word in words}
    missing = [part for part in SPLITS if part not in parts]
    if unknown and (2 * unknown.total() > len(words) or missing):
        shown = ", ".join(f"{word!r} ({count})" for word, count in unknown.most_common(5))
        lacks = f"; no subject is {' or '.join(missing)}" if missing else ""
        raise DataError(
            f"the split that the data gives cannot be honored: {unknown.total()} of {len(words)} "
            f"subjects have {shown}{lacks}; write one of {', '.join(SPLITS)} in column {COLUMN}, "
            "or leave it empty for subjects that are to be excluded"
        )
    without = [name for name, word in given.items() if not word]
    if words and without:
        log.warning(
            "%d of %d subjects have no split, though others have one, and are excluded: %s%s",
            *(len(without), len(given), ", ".join(without[:5]), " ..." if without[5:] else ""),
        )


def draw_split(names: Sequence[str], fractions: SplitFractions, seed: int) -> dict[str, str]:
    """Draw a split that depends on the names and the seed alone, not on the names' order.

    Subjects are ordered by a hash of seed and name; test subjects come first, then validation, the
    rest is training. A part that was asked for gets one subject at least, as long as one is left
    for training. The order of the others does not change where a subject comes or goes: at each
    of the two borders between the parts, one subject at most moves to the neighboring part.

    Args:
        names: All subjects that were found, whether they can be used or not: what is wrong with
            the files of some does not change the part of others.
        fractions: Share of each part.
        seed: Of the order.
    """
    ordered = sorted(set(names), key=lambda name: _rank(name, seed))
    count = len(ordered)
    test = _share(fractions.test, count, count - 1)
    validation = _share(fractions.validation, count, count - 1 - test)
    parts = ["test"] * test + ["validation"] * validation
    parts += ["train"] * (count - len(parts))
    return dict(zip(ordered, parts, strict=True))


def _share(fraction: float, count: int, available: int) -> int:
    wanted = max(round(fraction * count), 1 if fraction > 0 else 0)
    return max(min(wanted, available), 0)


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
