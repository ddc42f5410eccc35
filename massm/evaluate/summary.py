"""From values of single anatomies to one row for each model, anatomy and measure."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pandas as pd

from massm.evaluate.detection import auroc
from massm.evaluate.measures import describe, is_rate
from massm.evaluate.missing import with_countings
from massm.evaluate.scopes import ANATOMY, KNOWN, subject_means, text, with_scopes
from massm.evaluate.statistics import (
    FEW,
    NO_INTERVAL,
    Interval,
    Resampling,
    auroc_interval,
    mean_interval,
    rate_interval,
)

KEYS = ["split", "model", "head", "scope", "anatomy", "measure", "counting"]


def summarize(values: pd.DataFrame, missed: pd.DataFrame, how: Resampling) -> pd.DataFrame:
    """Summarize long values of any number of models.

    Of all anatomies together (scope ``all``), sizes are averaged within each subject first, and
    mean, median, sd and interval are of these subjects' means; rates count anatomies.

    Args:
        values: Columns model, head, subject, anatomy, split, measure, value.
        missed: The same for anatomies that a model missed: what each costs it.
        how: How confidence intervals are made; subjects are what was sampled.

    Returns:
        Columns split, model, head, scope (``anatomy``, or ``all`` without an anatomy), anatomy,
        measure, counting, unit, n (anatomies), subjects, missed, mean, median, sd, ci_low, ci_high,
        interval (how it was made, see :class:`massm.evaluate.statistics.Interval`), note.
        ``counting`` is ``found``, where ``missed`` anatomies of ``n + missed`` have no surface to
        measure; ``with_missed``, where these are among the n at their cost; and ``known`` for
        rates, of all anatomies whose presence is known.
    """
    everything = with_scopes(with_countings(values, missed))
    everything["counting"] = everything["counting"].mask(
        everything["measure"].map(is_rate) | everything["measure"].isin(["presence", "score"]),
        KNOWN,
    )
    scored = everything[[describe(name).better != "neither" for name in everything["measure"]]]
    counts = _missed(everything)
    rows = chain(
        (_row(text(key), group, counts, how) for key, group in scored.groupby(KEYS, sort=False)),
        _auroc_rows(everything, how.confidence),
    )
    table = pd.DataFrame(rows)
    return table if table.empty else table.sort_values(KEYS, kind="stable", ignore_index=True)


def _row(
    key: tuple[str, ...], group: pd.DataFrame, missed: dict[tuple[str, ...], int], how: Resampling
) -> dict[str, object]:
    named = dict(zip(KEYS, key, strict=True))
    values = group["value"].to_numpy(float)
    subjects = group["subject"].to_numpy(str)
    means, names = subject_means(values, subjects)
    if is_rate(named["measure"]):
        shown = values
        found = rate_interval(values > 0, subjects, how.confidence)
    else:
        shown = means
        found = _possible(mean_interval(means, names, how), named["measure"])
    return {
        **named,
        "unit": describe(named["measure"]).unit,
        "n": len(values),
        "subjects": len(names),
        "missed": missed.get((named["split"], named["model"], named["scope"], named["anatomy"]), 0),
        "mean": float(shown.mean()),
        "median": float(np.median(shown)),
        "sd": float(shown.std(ddof=1)) if len(shown) > 1 else float("nan"),
        **_interval(found),
        "note": _note(found, len(names)),
    }


def _possible(found: Interval, measure: str) -> Interval:
    """Cut off what no mean can be: distances below 0, shares beyond 0 and 1."""
    most = 1.0 if describe(measure).unit == "1" else float("inf")
    return found.within(0.0, most)


def _interval(found: Interval) -> dict[str, object]:
    return {"ci_low": found.low, "ci_high": found.high, "interval": found.method}


def _note(found: Interval, subjects: int) -> str:
    if not found.method:
        return "one subject: no interval"
    return f"fewer than {FEW} subjects: Student's t" if found.method == "t" else ""


def _missed(values: pd.DataFrame) -> dict[tuple[str, ...], int]:
    found = values[values["measure"] == "missed"]
    counts = found.groupby(["split", "model", "scope", "anatomy"])["value"].sum()
    return {text(key): int(n) for key, n in counts.items()}


def _auroc_rows(values: pd.DataFrame, confidence: float) -> Iterator[dict[str, object]]:
    """Score presence of each anatomy; all together would mix scales of different classes."""
    keys = ["split", "model", "head", "scope", "anatomy"]
    wanted = values["measure"].isin(["presence", "score"]) & (values["scope"] == ANATOMY)
    for key, group in values[wanted].groupby(keys, sort=False):
        pairs = group.pivot(index="subject", columns="measure", values="value").dropna()
        if not {"presence", "score"} <= set(pairs.columns):
            continue
        present = pairs["presence"].to_numpy() > 0
        area = auroc(pairs["score"].to_numpy(float), present)
        positives, negatives = int(present.sum()), int((~present).sum())
        one_class = np.isnan(area)
        found = NO_INTERVAL if one_class else auroc_interval(area, positives, negatives, confidence)
        only = "present" if present.all() else "absent"
        yield {
            **dict(zip(keys, text(key), strict=True)),
            "measure": "presence_auroc",
            "counting": KNOWN,
            "unit": describe("presence_auroc").unit,
            "n": len(pairs),
            "subjects": len(pairs),
            "missed": 0,
            "mean": area,
            "median": float("nan"),
            "sd": float("nan"),
            **_interval(found),
            "note": f"anatomy {only} in every subject: no AUROC"
            if one_class
            else f"{positives} present, {negatives} absent",
        }
