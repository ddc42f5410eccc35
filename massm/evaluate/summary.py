"""From values of single organs to one row for each model, anatomy and measure."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from massm.evaluate.detection import auroc
from massm.evaluate.measures import describe
from massm.evaluate.statistics import Resampling, mean_interval

ALL = "all"  # stands in the anatomy column where all anatomies are taken together
KEYS = ["split", "model", "head", "anatomy", "measure"]


def with_all(values: pd.DataFrame) -> pd.DataFrame:
    """Repeat the rows under the anatomy ``all`` if there is more than one anatomy.

    The column ``organ`` that is added keeps the anatomy's own name.
    """
    values = values.assign(organ=values["anatomy"])
    if values["anatomy"].nunique() < 2:
        return values
    return pd.concat([values, values.assign(anatomy=ALL)], ignore_index=True)


def text(key: Any) -> tuple[str, ...]:
    """Read a group's key: pandas types it as anything hashable."""
    return tuple(str(part) for part in key)


def summarize(values: pd.DataFrame, how: Resampling) -> pd.DataFrame:
    """Summarize long values of any number of models.

    Args:
        values: Columns model, head, subject, anatomy, split, measure, value.
        how: How the confidence intervals of the means are made; subjects are resampled.

    Returns:
        Columns split, model, head, anatomy, measure, unit, n, missed, mean, median, sd, ci_low,
        ci_high, note. ``missed``: how many organs of ``n + missed`` the model did not find, so
        that they have no surface to measure. Anatomy ``all`` takes all organs together.
    """
    everything = with_all(values)
    scored = everything[[describe(name).better != "neither" for name in everything["measure"]]]
    missed = _missed(everything)
    rows = chain(
        (_row(text(key), group, missed, how) for key, group in scored.groupby(KEYS, sort=False)),
        _auroc_rows(everything),
    )
    table = pd.DataFrame(rows)
    return table if table.empty else table.sort_values(KEYS, kind="stable", ignore_index=True)


def _row(
    key: tuple[str, ...], group: pd.DataFrame, missed: dict[tuple[str, ...], int], how: Resampling
) -> dict[str, object]:
    values = group["value"].to_numpy(float)
    subjects = group["subject"].to_numpy(str)
    low, high = mean_interval(values, subjects, how)
    split, model, _, anatomy, measure = key
    return {
        **dict(zip(KEYS, key, strict=True)),
        "unit": describe(measure).unit,
        "n": len(values),
        "missed": missed.get((split, model, anatomy), 0),
        "mean": float(values.mean()),
        "median": float(np.median(values)),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        "ci_low": low,
        "ci_high": high,
        "note": "" if len(set(subjects)) > 1 else "one subject: no interval",
    }


def _missed(values: pd.DataFrame) -> dict[tuple[str, ...], int]:
    found = values[values["measure"] == "missed"]
    counts = found.groupby(["split", "model", "anatomy"])["value"].sum()
    return {text(key): int(n) for key, n in counts.items()}


def _auroc_rows(values: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Score presence of each anatomy; all together would mix scales of different classes."""
    keys = ["split", "model", "head", "anatomy"]
    wanted = values[values["measure"].isin(["presence", "score"]) & (values["anatomy"] != ALL)]
    for key, group in wanted.groupby(keys, sort=False):
        pairs = group.pivot(index="subject", columns="measure", values="value").dropna()
        if not {"presence", "score"} <= set(pairs.columns):
            continue
        present = pairs["presence"].to_numpy() > 0
        area = auroc(pairs["score"].to_numpy(float), present)
        only = "present" if present.all() else "absent"
        yield {
            **dict(zip(keys, text(key), strict=True)),
            "measure": "presence_auroc",
            "unit": describe("presence_auroc").unit,
            "n": len(pairs),
            "missed": 0,
            "mean": area,
            "median": float("nan"),
            "sd": float("nan"),
            "ci_low": float("nan"),
            "ci_high": float("nan"),
            "note": f"organ {only} in every subject: no AUROC" if np.isnan(area) else "",
        }
