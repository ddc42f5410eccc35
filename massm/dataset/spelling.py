"""Anatomies as people spell them, and as the configuration does."""

import difflib
import logging
import re
from collections import Counter
from collections.abc import Sequence

log = logging.getLogger(__name__)

SHOWN = 20  # names in one line of the log


def match_spelling(word: str, anatomies: Sequence[str]) -> str | None:
    """Find the anatomy that a word means: spelled the same but for case, blanks, '-' and '_'.

    Where several would do, only the very same spelling does.
    """
    if word in anatomies:
        return word
    same = [name for name in anatomies if _plain(name) == _plain(word)]
    return same[0] if len(same) == 1 else None


def nearest(word: str, anatomies: Sequence[str]) -> str | None:
    """Find the anatomy that a word that means none may have been meant for, in any word order."""
    plain = {_sorted(name): name for name in anatomies}
    near = difflib.get_close_matches(_sorted(word), plain, n=1, cutoff=0.7)
    return plain[near[0]] if near else None


def report(words: Sequence[str], anatomies: Sequence[str], where: str) -> None:
    """Log how the words of a table's rows are read, and which rows are not used.

    Args:
        words: Of each row.
        anatomies: As configured.
        where: The table.
    """
    counts = Counter(words)
    meant = {word: match_spelling(word, anatomies) for word in counts}
    for word, name in meant.items():
        if name is not None and word != name:
            log.warning("%s: %d rows of %r are read as %s", where, counts[word], word, name)
    unused = [word for word, name in meant.items() if name is None]
    near = {word: nearest(word, anatomies) for word in unused}
    for word in sorted((word for word in unused if near[word]), key=str):
        log.warning(
            "%s: %d rows of %r are not used: there is no such name in `anatomies`, the nearest is "
            "%s; if that is meant, spell it so in the table",
            *(where, counts[word], word, near[word]),
        )
    others = [f"{word or 'an empty name'} ({counts[word]})" for word in unused if not near[word]]
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        log.info(
            "%s: rows of names that are not in `anatomies` are not used: %s%s",
            *(where, ", ".join(others[:SHOWN]), more),
        )


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def _sorted(word: str) -> str:
    return "_".join(sorted(_plain(word).split("_")))
