"""How anatomies were found, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from massm.evaluate.measures import describe
from massm.evaluate.rows import DETECTION
from massm.evaluate.scopes import ALL, ANATOMY, WITH_MISSED
from massm.report.naming import ALL_LABEL, anatomy_label
from massm.report.run.words import interval, number, percent, percents


@dataclass(frozen=True)
class Found:
    """Counts of one model over some structures."""

    present: int
    missed: int
    absent: int
    false_positives: int


@dataclass(frozen=True)
class DetectionRow:
    """One anatomy, or the total: counts, and each measure as text with its interval and median."""

    anatomy: str
    is_total: bool
    counts: Found
    center: str
    center_interval: str
    center_median: str
    iou: str
    found_interval: str
    false_positive_interval: str
    within: tuple[tuple[str, str], ...]
    auroc: str
    auroc_interval: str
    center_with_missed: str


def count_found(values: pd.DataFrame, model: str, anatomy: str | None = None) -> Found:
    """Count a model's present and missed, absent and falsely found structures; None: of all."""
    own = values[(values["model"] == model) & (values["head"] == DETECTION)]
    if anatomy is not None:
        own = own[own["anatomy"] == anatomy]
    missed = own[own["measure"] == "missed"]["value"]
    wrong = own[own["measure"] == "false_positive"]["value"]
    return Found(len(missed), int(missed.sum()), len(wrong), int(wrong.sum()))


def within_measures(summary: pd.DataFrame) -> list[tuple[str, str]]:
    """List the ``center_within_*`` measures and their labels, nearest first."""
    names = {name for name in summary["measure"] if name.startswith("center_within_")}
    ranked = sorted(names, key=lambda name: float(name.rpartition("_")[2].removesuffix("mm")))
    return [(name, describe(name).label) for name in ranked]


def detection_rows(
    summary: pd.DataFrame, values: pd.DataFrame, model: str, anatomies: Sequence[str]
) -> list[DetectionRow]:
    """Make the detection table of one model and split."""
    own = summary[(summary["model"] == model) & (summary["head"] == DETECTION)]
    within = [name for name, _ in within_measures(own)]
    single = set(own[own["scope"] == ANATOMY]["anatomy"])
    rows = [
        _detection_row(
            own[(own["scope"] == ANATOMY) & (own["anatomy"] == name)],
            count_found(values, model, name),
            within,
            anatomy_label(name),
        )
        for name in anatomies
        if name in single
    ]
    total = own[own["scope"] == ALL]
    if len(total):
        found = count_found(values, model)
        rows.append(_detection_row(total, found, within, ALL_LABEL, is_total=True))
    return rows


def _detection_row(
    own: pd.DataFrame,
    counts: Found,
    within: Sequence[str],
    label: str,
    *,
    is_total: bool = False,
) -> DetectionRow:
    numbers = ["mean", "median", "ci_low", "ci_high"]
    counted = {
        (str(row["measure"]), row["counting"] == WITH_MISSED): [float(row[n]) for n in numbers]
        for row in own.to_dict("records")
    }

    def get(measure: str, *, with_missed: bool = False) -> list[float]:
        return counted.get((measure, with_missed), [float("nan")] * len(numbers))

    center, auroc = get("center_error"), get("presence_auroc")
    missed, wrong = get("missed"), get("false_positive")
    costly = get("center_error", with_missed=True)
    return DetectionRow(
        anatomy=label,
        is_total=is_total,
        counts=counts,
        center=number(center[0], "mm"),
        center_interval=interval(center[2], center[3], "mm"),
        center_median=number(center[1], "mm"),
        iou=number(get("box_iou")[0], "1"),
        found_interval=percents(1 - missed[3], 1 - missed[2]),
        false_positive_interval=percents(wrong[2], wrong[3]),
        within=tuple((percent(get(n)[0]), percents(*get(n)[2:])) for n in within),
        auroc=_auroc(auroc[0], is_total=is_total),
        auroc_interval=interval(auroc[2], auroc[3], "1"),
        center_with_missed=number(costly[0], "mm") if counts.missed else "",
    )


def _auroc(value: float, *, is_total: bool) -> str:
    if is_total:
        return ""
    return f"{value:.3f}" if np.isfinite(value) else "one class only"
