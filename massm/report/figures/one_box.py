"""One box of a box plot, upright or lying: quartiles, median, whiskers, and the values as dots."""

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from massm.report.figures.style import INK
from massm.report.palette import Look

GROUND = "#f3f5f7"
"""Behind all anatomies together."""
UPRIGHT_MARK, LYING_MARK = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK RIGHT-POINTING TRIANGLE}"
_PALE = 0.28
_DOTS = 40  # in one box, at most; of more only those beyond the whiskers are drawn


def draw_box(
    axes: Axes,
    values: Float[np.ndarray, " n"],
    look: Look,
    *,
    middle: float,
    width: float,
    end: float | None,
    lying: bool = False,
) -> None:
    """Draw a box; of no values nothing.

    Args:
        axes: Where to.
        values: Along the axis of values.
        look: Of the method.
        middle: Place on the other axis.
        width: Room on the other axis.
        end: Of the axis of values: what lies beyond is a triangle at the edge; None: nothing does.
        lying: Whether values go to the right, not upward.
    """
    if len(values) == 0:
        return
    drawn = axes.boxplot(
        [values],
        positions=[middle],
        widths=width * 0.78,
        orientation="horizontal" if lying else "vertical",
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops=filled(look),
        medianprops={"color": INK, "linewidth": 1.7},
        whiskerprops={"color": look.color},
        capprops={"color": look.color},
    )
    if len(values) > _DOTS:
        low, high = (_far_end(line, lying=lying) for line in drawn["whiskers"])
        values = values[(values < low) | (values > high)]
    above = values > end if end else np.zeros(len(values), bool)
    spread = middle + np.resize([0.0, 0.5, -0.5, 0.25, -0.25], len(values)) * width * 0.5
    dots: dict[str, Any] = {"color": look.color, "alpha": 0.8, "markeredgewidth": 0}
    inside = _turned(spread[~above], values[~above], lying=lying)
    axes.plot(*inside, ".", markersize=4.5, **dots)
    if above.any():
        edge = _turned(spread[above], np.full(int(above.sum()), end), lying=lying)
        axes.plot(*edge, ">" if lying else "^", markersize=5, clip_on=False, **dots)


def filled(look: Look) -> dict[str, Any]:
    """Fill a box with a pale tint: opaque, since a hatch in SVG keeps no transparency."""
    pale = tuple(1 - _PALE * (1 - part) for part in to_rgb(look.color))
    return {"facecolor": pale, "edgecolor": look.color, "hatch": look.hatch}


def _turned(place: np.ndarray, value: np.ndarray, *, lying: bool) -> tuple[np.ndarray, np.ndarray]:
    return (value, place) if lying else (place, value)


def _far_end(whisker: Any, *, lying: bool) -> float:
    along = whisker.get_xdata() if lying else whisker.get_ydata()
    return float(np.asarray(along, float)[1])
