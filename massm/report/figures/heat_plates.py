"""Plates of heat maps: models side by side on one case, and each model's best and worst cases."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import BboxBase

from massm.report.figures.panels import color_bar, draw_length, same_scale
from massm.report.figures.plates import error_limit
from massm.report.figures.rendering import ERROR_MAP, FRONT_AND_BACK, draw_mesh, view
from massm.report.figures.style import INK, SOFT
from massm.report.naming import Method, anatomy_label
from massm.report.palette import anatomy_colors
from massm.report.shapes.heat import HeatMap

_IN_LINE = 6  # models side by side
_WIDTH_INCH, _BAR_INCH, _NAME_INCH = 1.45, 0.9, 0.35
_LETTERS = 17  # of a title in one line
_CELL_INCH, _WORDS_INCH = 1.02, 0.3
_BAR_LABEL = "distance to the prediction, mm"
_FRONT = view(*FRONT_AND_BACK[0][1:])


def one_case(
    maps: Mapping[Method, HeatMap | None], labels: Mapping[Method, str], caption: str
) -> Figure:
    """Draw what each method made of one case, from two sides, with one scale of colors.

    Args:
        maps: By method, in their order; None where one missed it.
        labels: Names of the methods for people.
        caption: Which case it is.
    """
    columns = -(-len(maps) // -(-len(maps) // _IN_LINE))
    lines = -(-len(maps) // columns)
    found = [one for one in maps.values() if one is not None]
    limit = error_limit([one.error for one in found])
    tall = _WIDTH_INCH * _height_share(found[0])
    size = (
        _NAME_INCH + _WIDTH_INCH * columns + _BAR_INCH,
        0.7 + lines * (len(FRONT_AND_BACK) * tall + 0.75),
    )
    figure = Figure(figsize=size, layout="constrained")
    letters = int(11.5 * size[0])
    figure.suptitle(
        *(textwrap.fill(caption, letters),), x=0.01, ha="left", fontsize="medium", fontweight="bold"
    )
    panels = figure.subplots(lines * len(FRONT_AND_BACK), columns, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    for place, (method, one) in enumerate(maps.items()):
        line, column = divmod(place, columns)
        own = panels[line * len(FRONT_AND_BACK) :, column][: len(FRONT_AND_BACK)]
        distance = "missed" if one is None else f"{one.chosen.distance_mm:.2f} mm"
        words = textwrap.fill(labels[method], _LETTERS)
        own[0].set_title(f"{words}\n{distance}", loc="center", fontsize=8.5)
        if one is not None:
            _draw_sides(list(own), one, limit)
    drawn = [axes for axes in panels.ravel() if axes.collections]
    same_scale(drawn)
    draw_length(panels[len(FRONT_AND_BACK) - 1, 0] if drawn else panels[0, 0])
    color_bar(figure, panels.ravel(), ERROR_MAP, Normalize(0, limit), _BAR_LABEL, beyond=True)
    return figure


def _height_share(one: HeatMap) -> float:
    """Return how tall a surface looks from the front, over its width."""
    seen = one.true.vertices @ _FRONT.T
    width, _, height = np.ptp(seen, axis=0)
    return float(np.clip(height / max(width, 1e-6), 0.5, 1.6))


def _draw_sides(panels: Sequence[Axes], one: HeatMap, limit: float) -> None:
    for axes, (_, azimuth, elevation) in zip(panels, FRONT_AND_BACK, strict=True):
        colors = ERROR_MAP(one.error / limit)
        draw_mesh(axes, one.true, colors, direction=view(azimuth, elevation))


def extremes(
    cases: Mapping[str, Mapping[Method, tuple[HeatMap, HeatMap] | None]],
    labels: Mapping[Method, str],
    anatomies: Sequence[str],
) -> Figure:
    """Draw each method's best and worst case of each anatomy, with one scale of colors.

    Args:
        cases: By anatomy and method; None where one found nobody's.
        labels: Names of the methods for people, in the order of the columns.
        anatomies: All of the run, for their colors.
    """
    limit = _limit_of(cases)
    rows, columns = 2 * len(cases), len(labels)
    size = (1.1 + _CELL_INCH * columns + 0.8, 0.8 + rows * (_CELL_INCH + _WORDS_INCH))
    figure = Figure(figsize=size)
    panels = figure.subplots(
        *(rows, columns),
        squeeze=False,
        gridspec_kw={
            "left": 1.1 / size[0],
            "right": 1 - 0.8 / size[0],
            "top": 1 - 0.75 / size[1],
            "bottom": 0.25 / size[1],
            "wspace": 0.04,
            "hspace": _WORDS_INCH / _CELL_INCH,
        },
    )
    for axes in panels.ravel():
        axes.set_axis_off()
    for column, label in enumerate(labels.values()):
        _write(panels[0, column], 1.12, textwrap.fill(label, 13), size=8.0, color=INK)
    colors = anatomy_colors(anatomies)
    places = [axes.get_position(original=True) for axes in panels[:, 0]]
    for place, (anatomy, row) in enumerate(cases.items()):
        own = panels[2 * place : 2 * place + 2]
        _draw_extremes(own, row, limit)
        _name_rows(figure, places[2 * place :][:2], anatomy_label(anatomy), colors[anatomy])
    color_bar(
        figure,
        panels.ravel(),
        *(ERROR_MAP, Normalize(0, limit), _BAR_LABEL),
        beyond=True,
        place=figure.add_axes((1 - 0.62 / size[0], 0.4, 0.14 / size[0], min(0.35, 3.2 / size[1]))),
    )
    return figure


def _limit_of(
    cases: Mapping[str, Mapping[Method, tuple[HeatMap, HeatMap] | None]],
) -> float:
    """Choose the end of the scale: the median of what each anatomy would have by itself.

    One subject that all models miss by centimeters would else leave nothing to see in the others.
    """
    limits = []
    for row in cases.values():
        errors = [one.error for pair in row.values() if pair for one in pair]
        if errors:
            limits.append(error_limit(errors))
    return float(np.median(limits)) if limits else 1.0


def _draw_extremes(
    panels: np.ndarray, row: Mapping[Method, tuple[HeatMap, HeatMap] | None], limit: float
) -> None:
    for column, pair in enumerate(row.values()):
        if pair is None:
            panels[0, column].text(0.5, 0.5, "none found", ha="center", fontsize=7, color=SOFT)
            continue
        for axes, one in zip(panels[:, column], pair, strict=True):
            draw_mesh(axes, one.true, ERROR_MAP(one.error / limit), direction=_FRONT)
            words = f"{one.chosen.distance_mm:.2f} mm\n{textwrap.shorten(one.chosen.subject, 16)}"
            _write(axes, -0.04, words, size=6.5, color=SOFT, top=True)
    same_scale([axes for axes in panels.ravel() if axes.collections])


def _write(
    axes: Axes, height: float, words: str, *, size: float, color: str, top: bool = False
) -> None:
    axes.text(
        *(0.5, height, words),
        transform=axes.transAxes,
        ha="center",
        va="top" if top else "bottom",
        fontsize=size,
        color=color,
    )


def _name_rows(figure: Figure, places: Sequence[BboxBase], label: str, color: str) -> None:
    """Name the rows of one anatomy at the figure's left edge: what is drawn differs in width."""
    inch = 1 / figure.get_figwidth()
    for place, rank in zip(places, ("best", "worst"), strict=True):
        middle = (place.y0 + place.y1) / 2
        figure.text(1.02 * inch, middle, rank, ha="right", va="center", fontsize=8)
    low, high = places[-1].y0, places[0].y1
    figure.text(
        *(0.42 * inch, (low + high) / 2, textwrap.fill(label, 16)),
        rotation=90,
        ha="center",
        va="center",
        fontsize=8.5,
        fontweight="bold",
    )
    figure.add_artist(Line2D([0.15 * inch] * 2, [low, high], color=color, linewidth=3))
