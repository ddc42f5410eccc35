"""Numbers as text for people."""

import numpy as np

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
