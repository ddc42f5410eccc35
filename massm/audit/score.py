"""One number for each mask, out of all that speaks against it."""

import pandas as pd

from massm.audit.evidence import Key

_UPPER = 0.8  # the quantile at which a piece of evidence counts 1
_FREE = 0.5  # what any mask may have
MOST = 6.0  # no single piece of evidence counts more


def weighed(raw: pd.DataFrame) -> pd.DataFrame:
    """Bring all evidence to one scale: 0 at the anatomy's median, 1 where a fifth lies above.

    Faults are rarer than that, so they move neither.

    Args:
        raw: A row for each mask (index: subject, anatomy), a column for each kind of evidence.
    """
    if raw.empty:
        return raw
    groups = raw.groupby(level=1, sort=False)
    middle, upper = groups.transform("median"), groups.transform("quantile", _UPPER)
    least = (1e-3 * middle.abs()).clip(lower=1e-6)
    return (raw - middle) / (upper - middle).clip(lower=least)


def by_mask(table: pd.DataFrame) -> dict[Key, dict[str, float]]:
    """Write the rows of a table of masks by subject and anatomy."""
    rows = table.to_dict("records")
    return {
        (str(subject), str(anatomy)): {str(name): float(value) for name, value in row.items()}
        for (subject, anatomy), row in zip(table.index, rows, strict=True)
    }


def scores(weights: pd.DataFrame) -> pd.Series:
    """Sum up what speaks against each mask.

    Of every kind of evidence that counts which exceeds 0.5, and no more than 6 of it: so several
    that agree outweigh one that is extreme, and what is missing counts nothing.

    Args:
        weights: As :func:`weighed` returns them.
    """
    return (weights.clip(upper=MOST + _FREE) - _FREE).clip(lower=0).fillna(0).sum(axis=1)
