"""Curves of a training, one panel for each column of its history."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from massm.report.palette import BLUE, VERMILION

_LOG_FROM = 3  # highest over lowest value of a training curve
_LOG_TICKS = {10: (1, 1.5, 2, 3, 5, 7), 100: (1, 2, 5), np.inf: (1,)}  # below such a ratio


def training_curves(history: pd.DataFrame, label: str) -> Figure:
    """Draw every numeric column of a training history against the epoch.

    Columns that start with ``validation_`` share a panel with the training column of that name, if
    there is one. Where the highest of positive values is three times the lowest or more, the
    scale is logarithmic: else the first epochs would leave no height to the others.
    """
    numeric = history.select_dtypes("number").dropna(axis=1, how="all")
    names = [name for name in numeric.columns if name != "epoch"]
    titles = list(dict.fromkeys(name.removeprefix("validation_") for name in names))
    columns = min(4, max(1, len(titles)))
    lines = -(-len(titles) // columns) if titles else 1
    figure = Figure(figsize=(2.75 * columns, 2.0 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    epoch = numeric["epoch"] if "epoch" in numeric else pd.Series(range(len(numeric)))
    for axes, title in zip(panels, titles, strict=False):
        for name, style in ((title, "-"), (f"validation_{title}", "o-")):
            if name in numeric:
                there = numeric[name].notna()
                color = BLUE if style == "-" else VERMILION
                axes.plot(
                    epoch[there],
                    numeric[name][there],
                    style,
                    color=color,
                    linewidth=1.4,
                    markersize=2.5,
                )
        _scale_history(axes, numeric.filter(items=[title, f"validation_{title}"]).to_numpy())
        axes.set_title(_history_title(title, names), fontsize=8.5)
        axes.tick_params(labelsize=7.5)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axes in panels[len(titles) :]:
        axes.set_axis_off()
    figure.suptitle(
        f"{label}: by epoch (line: training, dots: validation; logarithmic where the "
        f"highest value is {_LOG_FROM} times the lowest or more)",
        fontsize=9.5,
        x=0.01,
        ha="left",
    )
    return figure


def _scale_history(axes: Axes, values: np.ndarray) -> None:
    """Make a scale logarithmic if that shows more; values of 0 are then left out."""
    positive = values[values > 0]
    if (values < 0).any() or not len(positive):
        return
    ratio = float(positive.max() / positive.min())
    if ratio < _LOG_FROM:
        return
    ticks = next(ticks for limit, ticks in _LOG_TICKS.items() if ratio < limit)
    axes.set_yscale("log", nonpositive="mask")
    axes.yaxis.set_major_locator(LogLocator(subs=ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _history_title(title: str, names: Sequence[str]) -> str:
    words = title.replace("_", " ").removesuffix(" mm")
    unit = ", mm" if title.endswith("_mm") else ""
    only = "validation " if title not in names else ""
    return f"{only}{words}{unit}"
