"""Each anatomy by itself, and all of them together: one definition for means, intervals and tests.

A scope is a column of its own. No anatomy's name can be mistaken for "all of them", since rows of
all anatomies have no anatomy.
"""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

ANATOMY, ALL = "anatomy", "all"  # scopes
FOUND, WITH_MISSED, KNOWN = "found", "with_missed", "known"
"""Which anatomies count: those found; these and the missed ones at their cost; all whose presence
is known (rates)."""


def with_scopes(values: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``scope``, and repeat the rows for all anatomies if there are several.

    Rows of scope ``all`` have an empty anatomy; the added column ``structure`` keeps its name.
    """
    single = values.assign(scope=ANATOMY, structure=values["anatomy"])
    if values["anatomy"].nunique() < 2:
        return single
    return pd.concat([single, single.assign(scope=ALL, anatomy="")], ignore_index=True)


def subject_means(
    values: Float[np.ndarray, "N ..."], subjects: Shaped[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, "S ..."], Shaped[np.ndarray, " S"]]:
    """Average the values of each subject's anatomies: what all statistics of sizes are made from.

    Every patient then counts the same, however many anatomies were measured, and the mean that is
    shown, its interval and the paired test are about the same numbers. Within one anatomy a
    subject has one anatomy, and nothing changes.

    Returns:
        One row for each subject, and its name.
    """
    names, member = np.unique(subjects, return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, member, values)
    counts = np.bincount(member, minlength=len(names))
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1)), names


def text(key: Any) -> tuple[str, ...]:
    """Read a group's key: pandas types it as anything hashable."""
    return tuple(str(part) for part in key)
