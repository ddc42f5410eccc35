"""Paired comparisons of one model with all others."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from massm.evaluate.effect import superiority
from massm.evaluate.measures import describe, is_rate
from massm.evaluate.missing import with_countings
from massm.evaluate.rows import DETECTION, LOCAL, WORLD
from massm.evaluate.scopes import subject_means, text, with_scopes
from massm.evaluate.statistics import (
    Resampling,
    holm,
    mean_interval,
    ratio_interval,
    signed_rank,
)

_KEYS = ["split", "frame", "measure", "counting", "scope", "anatomy"]
_FACTS = ("presence", "score")
_RIVALS = "rivals"  # the family of tests against all models that are no bounds

COLUMNS = [*_KEYS, "model_a", "head_a", "model_b", "head_b", "unit", "n", "subjects"]
COLUMNS += ["mean_a", "mean_b", "difference", "ci_low", "ci_high", "interval"]
COLUMNS += ["difference_percent", "percent_ci_low", "percent_ci_high"]
COLUMNS += ["effect", "effect_ci_low", "effect_ci_high", "a_better", "b_better", "better"]
COLUMNS += ["p", "family", "p_holm"]

Method = tuple[str, str]  # model, head
_Known = dict[tuple[str, Method, Method, bytes, bytes], dict[str, Any]]  # comparisons by values


def compare(
    values: pd.DataFrame,
    missed: pd.DataFrame,
    reference_model: str,
    how: Resampling,
    *,
    bounds: Collection[str],
) -> pd.DataFrame:
    """Compare the reference model's heads with every other model and head, anatomy by anatomy.

    A pair is one anatomy of one subject that both have a value for. Differences are averaged within
    a subject first (for one anatomy they are one difference), since those of one patient are not
    independent; the means and the difference that are shown are means over subjects, and the
    test, Wilcoxon's signed-rank test, is of the same differences. Rates are not compared.

    Holm's correction runs over all anatomies and rivals of one measure, and apart from these over
    the rivals for all anatomies together. A bound is no rival: the tests against each bound are a
    family of their own, which makes no other p-value larger.

    Args:
        values: Columns model, head, subject, anatomy, split, measure, value.
        missed: The same for anatomies that a model missed: what each costs it.
        reference_model: The model that is compared (``a`` in the result).
        how: How confidence intervals are made; subjects are what was sampled.
        bounds: Models that are no rivals.

    Returns:
        One row for each split, frame (local, world, detection), measure, counting (``found``:
        what both found; ``with_missed``: also what one missed, at its cost), scope, anatomy and
        pair: n (of pairs), subjects, both means over the pairs, the mean difference a - b with
        its interval and how that was made, the same in percent of b's mean, the effect (share
        of subjects in which a is better, see :mod:`massm.evaluate.effect`) with its interval and
        the counts behind it, ``better`` (``a``, ``b`` or ``same``, by the means), p, the family of
        its correction, and p corrected.
    """
    counted = with_countings(values, missed)
    sizes = counted[~counted["measure"].map(is_rate) & ~counted["measure"].isin(_FACTS)]
    usable = sizes.assign(frame=sizes["head"].map(frame_of))
    groups = with_scopes(usable).groupby(_KEYS, sort=False)
    known: _Known = {}
    rows = [
        {**dict(zip(_KEYS, text(key), strict=True)), **row}
        for key, group in groups
        for row in _pairs(text(key)[2], group, reference_model, how, known)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["family"] = [name if name in bounds else _RIVALS for name in table["model_b"]]
    families = table.groupby(["split", "frame", "measure", "counting", "scope", "family"])["p"]
    table["p_holm"] = families.transform(lambda p: holm(p.to_numpy(float)))
    return table


def frame_of(head: str) -> str:
    """Tell in which frame a head's errors are taken: only within one can they be compared.

    Args:
        head: As in the long table.

    Returns:
        ``local``, ``world`` or ``detection``.
    """
    return head if head in (LOCAL, DETECTION) else WORLD


class _Pairs(NamedTuple):
    """Values of two methods for the anatomies that both have, a column each, and whose they are."""

    values: np.ndarray
    subjects: np.ndarray


def _pairs(
    measure: str, group: pd.DataFrame, reference_model: str, how: Resampling, known: _Known
) -> Iterator[dict[str, Any]]:
    """Yield the comparisons of one group; those whose values are ``known`` are made once.

    Where no model missed anything both countings have the same values.
    """
    wide = group.pivot(index=["subject", "structure"], columns=["model", "head"], values="value")
    methods: list[Method] = [(str(column[0]), str(column[1])) for column in wide.columns]
    values = wide.to_numpy(float)
    subjects = wide.index.get_level_values("subject").to_numpy(str)
    ours = [method for method in methods if method[0] == reference_model]
    for place, a in enumerate(ours):
        rivals = [method for method in methods if method[0] != reference_model] + ours[place + 1 :]
        for b in rivals:
            both = values[:, [methods.index(a), methods.index(b)]]
            shown = ~np.isnan(both).any(axis=1)
            pairs = _Pairs(both[shown], subjects[shown])
            key = (measure, a, b, pairs.values.tobytes(), pairs.subjects.tobytes())
            if shown.any():
                if key not in known:
                    known[key] = _compare_pair(measure, a, b, pairs, how)
                yield known[key]


def _compare_pair(
    measure: str, a: Method, b: Method, pairs: _Pairs, how: Resampling
) -> dict[str, Any]:
    means, names = subject_means(*pairs)
    ours, theirs = means[:, 0], means[:, 1]
    difference = ours - theirs
    found = mean_interval(difference, names, how)
    effect = superiority(
        difference,
        lower_is_better=describe(measure).better == "low",
        confidence=how.confidence,
    )
    percent, percent_low, percent_high = (float("nan"),) * 3
    if theirs.mean() > 0:
        percent = 100 * difference.mean() / theirs.mean()
        percent_low, percent_high, _ = ratio_interval(100 * difference, theirs, names, how)
    return {
        "model_a": a[0],
        "head_a": a[1],
        "model_b": b[0],
        "head_b": b[1],
        "unit": describe(measure).unit,
        "n": len(pairs.subjects),
        "subjects": len(names),
        "mean_a": float(ours.mean()),
        "mean_b": float(theirs.mean()),
        "difference": float(difference.mean()),
        "ci_low": found.low,
        "ci_high": found.high,
        "interval": found.method,
        "difference_percent": float(percent),
        "percent_ci_low": float(percent_low),
        "percent_ci_high": float(percent_high),
        "effect": effect.share,
        "effect_ci_low": effect.interval.low,
        "effect_ci_high": effect.interval.high,
        "a_better": effect.better,
        "b_better": effect.worse,
        "better": _better(measure, float(difference.mean())),
        "p": signed_rank(difference),
    }


def _better(measure: str, difference: float) -> str:
    if np.isclose(difference, 0):
        return "same"
    return "a" if (difference < 0) == (describe(measure).better == "low") else "b"
