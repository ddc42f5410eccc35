"""Paired comparisons of one model with all others."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from massm.evaluate.measures import describe
from massm.evaluate.rows import DETECTION, LOCAL, WORLD
from massm.evaluate.statistics import (
    Resampling,
    holm,
    mean_interval,
    ratio_interval,
    signed_rank,
)
from massm.evaluate.summary import ALL, text, with_all

_KEYS = ["split", "frame", "measure", "anatomy"]
# Yes-or-no measures have no size of difference to rank.
_YES_OR_NO = ("missed", "false_positive", "presence", "center_within_")

Method = tuple[str, str]  # model, head


def compare(values: pd.DataFrame, reference_model: str, how: Resampling) -> pd.DataFrame:
    """Compare the reference model's heads with every other model and head, organ by organ.

    A pair is one organ of one subject that both have a value for. The test is Wilcoxon's
    signed-rank test; for ``all`` anatomies the differences are averaged within a subject first,
    since organs of one patient are not independent. Holm's correction runs over all anatomies and
    rivals of one measure, and apart from these over the rivals for ``all``.

    Args:
        values: Columns model, head, subject, anatomy, split, measure, value.
        reference_model: The model that is compared (``a`` in the result).
        how: How confidence intervals are made; subjects are resampled.

    Returns:
        One row for each split, frame (local, world, detection), measure, anatomy and pair: n, both
        means over the pairs, the mean difference a - b with its interval, the same in percent of
        b's mean, ``better`` (``a``, ``b`` or ``same``, by the means), p and p corrected.
    """
    usable = values[~values["measure"].str.startswith(_YES_OR_NO) & (values["measure"] != "score")]
    usable = usable.assign(frame=usable["head"].map(_frame))
    groups = with_all(usable).groupby(_KEYS, sort=False)
    rows = [
        {**dict(zip(_KEYS, text(key), strict=True)), **row}
        for key, group in groups
        for row in _pairs(text(key)[2], group, reference_model, how)
    ]
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    families = table.groupby(["split", "frame", "measure", table["anatomy"] == ALL])["p"]
    table["p_holm"] = families.transform(lambda p: holm(p.to_numpy(float)))
    return table


def _frame(head: str) -> str:
    """Tell in which frame a head's errors are taken: only within one can they be compared."""
    return head if head in (LOCAL, DETECTION) else WORLD


def _pairs(
    measure: str, group: pd.DataFrame, reference_model: str, how: Resampling
) -> Iterator[dict[str, Any]]:
    wide = group.pivot(index=["subject", "organ"], columns=["model", "head"], values="value")
    methods: list[Method] = [(str(column[0]), str(column[1])) for column in wide.columns]
    ours = [method for method in methods if method[0] == reference_model]
    for place, a in enumerate(ours):
        rivals = [method for method in methods if method[0] != reference_model] + ours[place + 1 :]
        for b in rivals:
            pairs = wide[[a, b]].dropna()
            if len(pairs):
                yield _compare_pair(measure, a, b, pairs, how)


def _compare_pair(
    measure: str, a: Method, b: Method, pairs: pd.DataFrame, how: Resampling
) -> dict[str, Any]:
    ours, theirs = pairs[a].to_numpy(float), pairs[b].to_numpy(float)
    subjects = pairs.index.get_level_values("subject").to_numpy(str)
    difference = ours - theirs
    low, high = mean_interval(difference, subjects, how)
    percent, percent_low, percent_high = (float("nan"),) * 3
    if theirs.mean() > 0:
        percent = 100 * difference.mean() / theirs.mean()
        interval = ratio_interval(100 * difference, theirs, subjects, how)
        percent_low, percent_high = interval
    by_subject = pd.Series(difference).groupby(subjects).mean().to_numpy()
    return {
        "model_a": a[0],
        "head_a": a[1],
        "model_b": b[0],
        "head_b": b[1],
        "unit": describe(measure).unit,
        "n": len(pairs),
        "mean_a": float(ours.mean()),
        "mean_b": float(theirs.mean()),
        "difference": float(difference.mean()),
        "ci_low": low,
        "ci_high": high,
        "difference_percent": float(percent),
        "percent_ci_low": float(percent_low),
        "percent_ci_high": float(percent_high),
        "better": _better(measure, float(difference.mean())),
        "p": signed_rank(by_subject),
    }


def _better(measure: str, difference: float) -> str:
    if np.isclose(difference, 0):
        return "same"
    return "a" if (difference < 0) == (describe(measure).better == "low") else "b"
