"""How organs were found, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from massm.evaluate.measures import describe
from massm.evaluate.rows import DETECTION
from massm.evaluate.summary import ALL
from massm.report.naming import anatomy_label
from massm.report.results import DASH, interval, number


@dataclass(frozen=True)
class Found:
    """Counts of one model over some organs."""

    present: int
    missed: int
    absent: int
    invented: int


@dataclass(frozen=True)
class DetectionRow:
    """One anatomy: counts, and each measure as text with its interval and median."""

    anatomy: str
    counts: Found
    center: str
    center_interval: str
    center_median: str
    iou: str
    within: tuple[str, ...]
    auroc: str


def count_found(values: pd.DataFrame, model: str, anatomy: str = ALL) -> Found:
    """Count present and missed, absent and invented organs of a model."""
    own = values[(values["model"] == model) & (values["head"] == DETECTION)]
    if anatomy != ALL:
        own = own[own["anatomy"] == anatomy]
    missed = own[own["measure"] == "missed"]["value"]
    invented = own[own["measure"] == "false_positive"]["value"]
    return Found(len(missed), int(missed.sum()), len(invented), int(invented.sum()))


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
    numbers = ["mean", "median", "ci_low", "ci_high"]
    table = own.set_index(["anatomy", "measure"])[numbers].astype(float)
    within = [name for name, _ in within_measures(own)]
    rows = []
    for anatomy in [name for name in [*anatomies, ALL] if name in set(own["anatomy"])]:

        def get(measure: str, column: str = "mean", anatomy: str = anatomy) -> float:
            key: Any = (anatomy, measure)
            return float(table[column][key]) if key in table.index else float("nan")

        rows.append(
            DetectionRow(
                anatomy=anatomy_label(anatomy),
                counts=count_found(values, model, anatomy),
                center=number(get("center_error"), "mm"),
                center_interval=interval(
                    get("center_error", "ci_low"), get("center_error", "ci_high"), "mm"
                ),
                center_median=number(get("center_error", "median"), "mm"),
                iou=number(get("box_iou"), "1"),
                within=tuple(_percent(get(name)) for name in within),
                auroc=_auroc(get("presence_auroc"), anatomy),
            )
        )
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if np.isfinite(share) else DASH


def _auroc(value: float, anatomy: str) -> str:
    if anatomy == ALL:
        return ""
    return f"{value:.3f}" if np.isfinite(value) else "one class only"
