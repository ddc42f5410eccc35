"""What the pictures of a plate share: one scale, a length, names of rows, a bar of colors."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100)
_LEAST_WIDTH_INCH = 1.2  # titles need it
_SOFT = "#5d6875"


def same_scale(panels: Iterable[Axes]) -> None:
    """Give pictures limits of one size, so that shapes can be compared."""
    panels = list(panels)
    limits = [(*axes.get_xlim(), *axes.get_ylim()) for axes in panels]
    half_x = max((b - a) / 2 for a, b, _, _ in limits)
    half_y = max((d - c) / 2 for _, _, c, d in limits)
    for axes, (a, b, c, d) in zip(panels, limits, strict=True):
        axes.set_xlim((a + b) / 2 - half_x, (a + b) / 2 + half_x)
        axes.set_ylim((c + d) / 2 - half_y, (c + d) / 2 + half_y)


def fit_figure(
    figure: Figure, panels: np.ndarray, *, longest_inch: float, beside_inch: float
) -> None:
    """Size a figure to its pictures, which have one scale, so that none stands in empty space.

    Args:
        figure: Sized anew.
        panels: Its pictures, rows and columns.
        longest_inch: Longer side of a picture.
        beside_inch: Width of what stands beside them.
    """
    axes = panels[0, 0]
    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    unit = longest_inch / max(width, height)
    rows, columns = panels.shape
    wide = columns * max(width * unit, _LEAST_WIDTH_INCH) + beside_inch
    figure.set_size_inches(wide, rows * (height * unit + 0.12) + 0.55)


def draw_length(axes: Axes) -> None:
    """Draw a bar of a round length, about a third of the picture, below it."""
    low, high = axes.get_xlim()
    length = max((mm for mm in _LENGTHS_MM if mm <= 0.4 * (high - low)), default=_LENGTHS_MM[0])
    share = length / (high - low)
    axes.plot(
        [0.5 - share / 2, 0.5 + share / 2],
        [-0.03, -0.03],
        color=_SOFT,
        linewidth=1.6,
        solid_capstyle="butt",
        transform=axes.transAxes,
        clip_on=False,
    )
    axes.text(
        *(0.5, -0.05, f"{length} mm"),
        transform=axes.transAxes,
        ha="center",
        va="top",
        fontsize=7.5,
        color=_SOFT,
    )


def name_row(axes: Axes, text: str, *, color: str = _SOFT) -> None:
    """Write upright text to the left of a row's first picture."""
    axes.text(
        *(-0.02, 0.5, text),
        transform=axes.transAxes,
        rotation=90,
        va="center",
        ha="right",
        color=color,
        fontsize=8,
    )


def color_bar(
    figure: Figure,
    panels: Iterable[Axes],
    colors: Colormap,
    norm: Normalize,
    label: str,
    *,
    beyond: bool = False,
    place: Axes | None = None,
) -> None:
    """Draw the scale of colors to the right of some pictures.

    Args:
        figure: Theirs.
        panels: The pictures.
        colors: Of the scale.
        norm: Its ends.
        label: What it measures, with unit.
        beyond: Whether values may lie above its end.
        place: Where it is drawn; None: it takes its room from the pictures.
    """
    room: dict[str, Any] = (
        {"ax": list(panels), "shrink": 0.7, "aspect": 22, "pad": 0.02}
        if place is None
        else {"cax": place}
    )
    extend = "max" if beyond else "neither"
    bar = figure.colorbar(ScalarMappable(norm, colors), extend=extend, **room)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.outline.set_visible(False)
