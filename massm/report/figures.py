"""Static figures: a table in, a matplotlib figure out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from massm.evaluate.measures import describe
from massm.report.naming import (
    ALL_LABEL,
    anatomy_colors,
    anatomy_label,
    method_colors,
    method_label,
    model_label,
    ordered,
)

INK, SOFT, GRID = "#1d2733", "#5d6875", "#e3e6ea"
STYLE: dict[Any, Any] = {  # for matplotlib.rc_context, around all drawing
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.fonttype": "path",
}
_LEGEND_LETTERS = 120  # that fit below the curves of shape models, keys included
_LOG_FROM = 3  # highest over lowest value of a training curve
_LOG_TICKS = {10: (1, 1.5, 2, 3, 5, 7), 100: (1, 2, 5), np.inf: (1,)}  # below such a ratio
_CURVES = {  # measure: title, y axis
    "compactness": ("Compactness", "variance explained, %"),
    "specificity": ("Specificity", "distance to the nearest shape, mm"),
    "generalization": ("Generalization, particles", "error of left-out shapes, mm"),
    "generalization_surface": ("Generalization, surface", "distance to their surface, mm"),
}


def box_plot(values: pd.DataFrame, measure: str, anatomies: Sequence[str]) -> Figure:
    """Draw one measure of every method and anatomy as boxes, each organ as a dot.

    Boxes span the quartiles, the line is the median, whiskers reach 1.5 quartile ranges.

    Args:
        values: Long values of one split and frame.
        measure: Which of them.
        anatomies: In the order of the figure.
    """
    chosen = values[values["measure"] == measure]
    methods = ordered(list(zip(chosen["model"], chosen["head"], strict=True)))
    colors = method_colors(methods)
    groups: list[str | None] = [name for name in anatomies if name in set(chosen["anatomy"])]
    if len(groups) > 1:
        groups.append(None)  # all of them
    figure = Figure(figsize=(max(5.0, 1.6 + 1.25 * len(groups)), 3.6), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / max(1, len(methods))
    for place, method in enumerate(methods):
        own = chosen[(chosen["model"] == method[0]) & (chosen["head"] == method[1])]
        for group, name in enumerate(groups):
            data = own if name is None else own[own["anatomy"] == name]
            middle = group + (place - (len(methods) - 1) / 2) * width
            _box(axes, data["value"].to_numpy(float), middle, width, colors[method])
        axes.plot([], [], "s", color=colors[method], label=method_label(method), markersize=7)
    _finish_groups(axes, groups)
    description = describe(measure)
    unit = f", {description.unit}" if description.unit != "1" else ""
    axes.set_title(description.label[:1].upper() + description.label[1:] + unit)
    if description.better == "low":
        axes.set_ylim(bottom=0)
    columns = max(1, min(len(methods), int(figure.get_figwidth() / 1.6)))
    figure.legend(loc="outside lower center", ncols=columns, columnspacing=1.2, handletextpad=0.3)
    return figure


def _box(axes: Axes, values: np.ndarray, middle: float, width: float, color: str) -> None:
    if len(values) == 0:
        return
    axes.boxplot(
        [values],
        positions=[middle],
        widths=width * 0.78,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": color, "alpha": 0.28, "edgecolor": color},
        medianprops={"color": color, "linewidth": 2},
        whiskerprops={"color": color},
        capprops={"color": color},
    )
    spread = np.resize([0.0, 0.5, -0.5, 0.25, -0.25], len(values)) * width * 0.5
    axes.plot(
        middle + spread, values, ".", color=color, alpha=0.8, markersize=4.5, markeredgewidth=0
    )


def _finish_groups(axes: Axes, groups: Sequence[str | None]) -> None:
    labels = [ALL_LABEL if name is None else anatomy_label(name) for name in groups]
    axes.grid(visible=False, axis="x")
    axes.set_xticks(range(len(groups)), [_wrapped(label) for label in labels])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.55, len(groups) - 0.45)
    if groups and groups[-1] is None:
        axes.axvspan(len(groups) - 1.5, len(groups) - 0.45, color="#f3f5f7", zorder=0)


def _wrapped(label: str) -> str:
    words = label.split()
    if len(label) <= 12 or len(words) == 1:
        return label
    half = (len(words) + 1) // 2
    return " ".join(words[:half]) + "\n" + " ".join(words[half:])


def shape_model_curves(curves: pd.DataFrame, anatomies: Sequence[str]) -> Figure:
    """Draw compactness, generalization and specificity against the number of modes.

    The panels have one range of modes: that of the measured ones. Compactness goes on to 100 %.
    The two kinds of generalization have one scale.
    """
    measures = [name for name in _CURVES if name in set(curves["measure"])]
    measured = curves[curves["measure"] != "compactness"]
    most = int((measured if len(measured) else curves)["modes"].max()) if len(curves) else 1
    figure = Figure(figsize=(9.6, 3.1 * max(1, -(-len(measures) // 2))), layout="constrained")
    colors = anatomy_colors(anatomies)
    panels = figure.subplots(-(-max(1, len(measures)) // 2), 2, squeeze=False).ravel()
    for axes, measure in zip(panels, measures, strict=False):
        percent = 100 if measure == "compactness" else 1
        for name in anatomies:
            rows = curves[(curves["measure"] == measure) & (curves["anatomy"] == name)]
            rows = rows[rows["modes"] <= most].sort_values("modes")
            axes.plot(
                rows["modes"],
                percent * rows["value"],
                "o-",
                color=colors[name],
                linewidth=1.8,
                markersize=3.2,
                label=anatomy_label(name),
            )
        title, unit = _CURVES[measure]
        axes.set_title(title)
        axes.set_ylabel(unit)
        axes.set_xlabel("number of modes")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlim(0.5, most + 0.5)
        axes.set_ylim(bottom=0, top=103 if measure == "compactness" else None)
    _one_range(
        [
            axes
            for axes, name in zip(panels, measures, strict=False)
            if name.startswith("generalization")
        ]
    )
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    longest = max((len(label) for label in labels), default=0)
    columns = max(1, min(len(labels), _LEGEND_LETTERS // (longest + 7)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    return figure


def _one_range(panels: Sequence[Axes]) -> None:
    top = max((axes.get_ylim()[1] for axes in panels), default=1.0)
    for axes in panels:
        axes.set_ylim(0, top)


def training_curves(history: pd.DataFrame, model: str) -> Figure:
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
                color = "#0072B2" if style == "-" else "#D55E00"
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
        f"{model_label(model)}: by epoch (line: training, dots: validation; logarithmic where the "
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


def center_errors(values: pd.DataFrame, model: str, anatomies: Sequence[str]) -> Figure:
    """Draw, for one model, the share of organs whose center lies within a distance.

    Missed organs count as never found, so a curve may end below 1.
    """
    own = values[values["model"] == model]
    colors = anatomy_colors(anatomies)
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    farthest = own[own["measure"] == "center_error"]["value"].max()
    limit = 1.1 * farthest if np.isfinite(farthest) else 1.0
    for name in anatomies:
        rows = own[own["anatomy"] == name]
        error = np.sort(rows[rows["measure"] == "center_error"]["value"].to_numpy(float))
        total = len(error) + int(rows[rows["measure"] == "missed"]["value"].sum())
        if total:
            share = np.arange(len(error) + 1) / total
            axes.step(
                [0, *error, limit],
                [*share, share[-1]],
                where="post",
                color=colors[name],
                linewidth=1.8,
                label=anatomy_label(name),
            )
    axes.set_xlim(0, limit)
    axes.set_ylim(0, 1.03)
    axes.set_title(f"{model_label(model)}: organs whose center is found within a distance")
    axes.set_xlabel("distance from the true center, mm")
    axes.set_ylabel("share of organs")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
