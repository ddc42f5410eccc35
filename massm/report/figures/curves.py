"""Curves with one line for each anatomy: quality of shape models, errors of centers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from massm.report.naming import anatomy_label
from massm.report.palette import anatomy_lines

_LEGEND_LETTERS = 120  # that fit below the curves of shape models, keys included
_CURVES = {  # measure: title, y axis
    "compactness": ("Compactness", "variance explained, %"),
    "specificity": ("Specificity", "distance to the nearest shape, mm"),
    "generalization": ("Generalization, particles", "error of left-out shapes, mm"),
    "generalization_surface": ("Generalization, surface", "distance to their surface, mm"),
}


def shape_model_curves(curves: pd.DataFrame, anatomies: Sequence[str]) -> Figure:
    """Draw compactness, generalization and specificity against the number of modes.

    The panels have one range of modes: that of the measured ones. Compactness goes on to 100 %.
    The two kinds of generalization have one scale.
    """
    measures = [name for name in _CURVES if name in set(curves["measure"])]
    measured = curves[curves["measure"] != "compactness"]
    most = int((measured if len(measured) else curves)["modes"].max()) if len(curves) else 1
    lines = -(-max(1, len(measures)) // 2)
    figure = Figure(figsize=(9.6, 3.1 * lines), layout="constrained")
    panels = figure.subplots(lines, 2, squeeze=False).ravel()
    for axes, measure in zip(panels, measures, strict=False):
        own = curves[(curves["measure"] == measure) & (curves["modes"] <= most)]
        _draw_curves(axes, own, measure, anatomies)
        axes.set_xlim(0.5, most + 0.5)
    drawn = dict(zip(measures, panels, strict=False))
    _one_range([axes for name, axes in drawn.items() if name.startswith("generalization")])
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    longest = max((len(label) for label in labels), default=0)
    columns = max(1, min(len(labels), _LEGEND_LETTERS // (longest + 7)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    return figure


def _draw_curves(axes: Axes, curves: pd.DataFrame, measure: str, anatomies: Sequence[str]) -> None:
    percent = 100 if measure == "compactness" else 1
    for name, line in anatomy_lines(anatomies).items():
        rows = curves[curves["anatomy"] == name].sort_values("modes")
        axes.plot(
            rows["modes"],
            percent * rows["value"],
            f"{line.dashes}{line.marker}",
            color=line.color,
            linewidth=1.8,
            markersize=3.2,
            label=anatomy_label(name),
        )
    title, unit = _CURVES[measure]
    axes.set_title(title)
    axes.set_ylabel(unit)
    axes.set_xlabel("number of modes")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylim(bottom=0, top=103 if measure == "compactness" else None)


def _one_range(panels: Sequence[Axes]) -> None:
    top = max((axes.get_ylim()[1] for axes in panels), default=1.0)
    for axes in panels:
        axes.set_ylim(0, top)


def center_errors(values: pd.DataFrame, model: str, label: str, anatomies: Sequence[str]) -> Figure:
    """Draw, for one model, the share of structures whose center lies within a distance.

    Missed structures count as never found, so a curve may end below 1.
    """
    own = values[values["model"] == model]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    farthest = own[own["measure"] == "center_error"]["value"].max()
    limit = 1.1 * farthest if np.isfinite(farthest) else 1.0
    for name, line in anatomy_lines(anatomies).items():
        rows = own[own["anatomy"] == name]
        error = np.sort(rows[rows["measure"] == "center_error"]["value"].to_numpy(float))
        total = len(error) + int(rows[rows["measure"] == "missed"]["value"].sum())
        if total:
            share = np.arange(len(error) + 1) / total
            axes.step(
                [0, *error, limit],
                [*share, share[-1]],
                where="post",
                color=line.color,
                linestyle=line.dashes,
                linewidth=1.8,
                label=anatomy_label(name),
            )
    axes.set_xlim(0, limit)
    axes.set_ylim(0, 1.03)
    axes.set_title(f"{label}: share whose center is found within a distance")
    axes.set_xlabel("distance from the true center, mm")
    axes.set_ylabel("share of structures")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
