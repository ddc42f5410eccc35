"""Numbers as text for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DASH = "\N{EN DASH}"


def number(value: float, unit: str) -> str:
    """Write a value: millimeters with two decimals, fractions with three."""
    if not np.isfinite(value):
        return DASH
    return f"{value:.3f}" if unit == "1" else f"{value:.2f}"


def interval(low: float, high: float, unit: str) -> str:
    """Write a confidence interval; empty if there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{number(low, unit)} {DASH} {number(high, unit)}"


def p_value(p: float) -> str:
    """Write a p-value."""
    if not np.isfinite(p):
        return "no test"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.095 else f"p = {p:.2f}"


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.0f} %" if np.isfinite(share) else DASH


def percents(low: float, high: float) -> str:
    """Write an interval of shares in percent; empty if there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{100 * low + 0.0:.0f} {DASH} {100 * high + 0.0:.0f} %"


def duration(hours: float) -> str:
    """Write a time."""
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{60 * hours:.1f} min" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"


def signed(row: Mapping[Any, Any] | pd.Series) -> str:
    """Write the difference of a row of ``evaluate/tests.csv`` with its sign and unit."""
    unit = str(row["unit"])
    digits = 3 if unit == "1" else 2
    return f"{row['difference']:+.{digits}f}" + ("" if unit == "1" else f" {unit}")


def signed_interval(row: Mapping[Any, Any] | pd.Series) -> str:
    """Write the interval of such a difference; empty if there is none."""
    ends = [float(row["ci_low"]), float(row["ci_high"])]
    unit = str(row["unit"])
    return " to ".join(number(end, unit) for end in ends) if np.isfinite(ends).all() else ""


def often(row: Mapping[Any, Any] | pd.Series) -> str:
    """Write in how many subjects the first model of such a row is better, and the share."""
    spread = interval(row["effect_ci_low"], row["effect_ci_high"], "mm")
    better, subjects = int(row["a_better"]), int(row["subjects"])
    within = f" (share {number(row['effect'], 'mm')}, {spread})" if spread else ""
    return f"better in {better} of {subjects} subjects{within}"
