"""Training, validation and test subjects: as the data says, or drawn by seed."""

import hashlib
from collections.abc import Sequence

from massm.config.dataset import SplitFractions

WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def read_split(word: str) -> str | None:
    """Translate a split as data sets write it; None if it is none of the known words."""
    return WORDS.get(word.strip().lower())


def draw_split(names: Sequence[str], fractions: SplitFractions, seed: int) -> dict[str, str]:
    """Draw a split that depends on the names and the seed alone, not on the names' order.

    Subjects are ordered by a hash of seed and name; test subjects come first, then validation, the
    rest is training. A part that was asked for gets one subject at least, as long as one is left
    for training.
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
