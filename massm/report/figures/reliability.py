"""Promised coverage against what was found."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from massm.evaluate.coverage import SHARE, WHOLE
from massm.evaluate.scopes import ALL, ANATOMY
from massm.report.figures.style import INK, SOFT
from massm.report.naming import ALL_LABEL, anatomy_label
from massm.report.palette import anatomy_lines

_TITLES = {
    SHARE: "Share of particles within their radius",
    WHOLE: "Anatomies with all particles within",
}


def reliability_curves(coverage: pd.DataFrame, label: str, anatomies: Sequence[str]) -> Figure:
    """Draw, for one model, what radii of each level hold, in percent; on the diagonal is right.

    All anatomies together have bars: the intervals by subject.

    Args:
        coverage: Rows of ``evaluate/coverage.csv`` of one model.
        label: What it is called.
        anatomies: In the order of the config.
    """
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    figure.suptitle(label, x=0.01, ha="left", fontsize=10, fontweight="bold")
    panels = figure.subplots(1, 2)
    for axes, (measure, title) in zip(panels, _TITLES.items(), strict=True):
        _draw(axes, coverage[coverage["measure"] == measure], anatomies)
        axes.set_title(title)
        axes.set_xlabel("promised, %")
        axes.set_ylabel("found, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=max(1, min(len(labels), 5)))
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, anatomies: Sequence[str]) -> None:
    axes.plot([0, 100], [0, 100], color=SOFT, linewidth=0.8, label="_right")
    single = rows[rows["scope"] == ANATOMY]
    for name, line in anatomy_lines(anatomies).items():
        own = single[single["anatomy"] == name].sort_values("level")
        axes.plot(
            *(100 * own["level"], 100 * own["covered"], f"{line.dashes}{line.marker}"),
            color=line.color,
            linewidth=1.2,
            markersize=3.2,
            label=anatomy_label(name),
        )
    every = rows[rows["scope"] == ALL].sort_values("level")
    if len(every):
        ends = np.abs(every[["ci_low", "ci_high"]].to_numpy().T - every["covered"].to_numpy())
        axes.errorbar(
            *(100 * every["level"], 100 * every["covered"], 100 * ends),
            color=INK,
            linewidth=2.2,
            elinewidth=1,
            capsize=2.5,
            label=ALL_LABEL,
        )
    axes.set_xlim(45, 100)
    axes.set_ylim(0, 103)
