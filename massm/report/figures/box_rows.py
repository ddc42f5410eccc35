"""A box plot of many methods: lying boxes below each other, each beside its name."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from massm.report.figures.box_data import BoxSeries, Group, group_label, in_lines
from massm.report.figures.one_box import GROUND, LYING_MARK, draw_box
from massm.report.figures.style import INK
from massm.report.naming import Method
from massm.report.palette import Look

_IN_LINE = 4  # anatomies
_ROW_INCH, _PICTURE_INCH = 0.21, 1.95  # height of a method, width of an anatomy
_LETTER_INCH = 0.075


def draw_rows(
    measures: Sequence[BoxSeries],
    groups: Sequence[Group],
    looks: Mapping[Method, Look],
    labels: Mapping[Method, str],
) -> Figure:
    """Draw measures one below the other, in a picture for each anatomy, all of one scale.

    Args:
        measures: With the boxes of every group and method.
        groups: In the order of the figure.
        looks: Of every method, in their order.
        labels: Names of the methods for people.
    """
    lines = in_lines(groups, _IN_LINE)
    columns = max(map(len, lines))
    beside = 0.25 + _LETTER_INCH * max(map(len, labels.values()))
    line_inch = 0.6 + _ROW_INCH * len(looks)
    size = (beside + _PICTURE_INCH * columns, len(measures) * (0.4 + line_inch * len(lines)))
    figure = Figure(figsize=size, layout="constrained")
    for part, boxes in zip(_parts(figure, len(measures)), measures, strict=True):
        part.suptitle(
            *(boxes.title(LYING_MARK),),
            x=0.01,
            ha="left",
            fontsize="medium",
            fontweight="bold",
        )
        panels = part.subplots(len(lines), columns, squeeze=False, sharex=True)
        for row, line in zip(panels, lines, strict=True):
            _draw_line(row, line, boxes, looks, labels)
    return figure


def _parts(figure: Figure, count: int) -> list[SubFigure]:
    return list(figure.subfigures(count, 1, squeeze=False, hspace=0.02)[:, 0])


def _draw_line(
    panels: np.ndarray,
    line: Sequence[Group],
    boxes: BoxSeries,
    looks: Mapping[Method, Look],
    labels: Mapping[Method, str],
) -> None:
    for axes in panels[len(line) :]:
        axes.set_axis_off()
    for column, (axes, name) in enumerate(zip(panels, line, strict=False)):
        for place, (method, look) in enumerate(looks.items()):
            values = boxes.values[name, method]
            draw_box(axes, values, look, middle=float(place), width=0.95, end=boxes.end, lying=True)
        _finish(axes, name, list(labels.values()) if column == 0 else [], len(looks))
        if boxes.end:
            axes.set_xlim(0, boxes.end)


def _finish(axes: Axes, name: Group, labels: Sequence[str], count: int) -> None:
    axes.set_title(group_label(name), fontsize=9, fontweight="normal", color=INK)
    axes.set_ylim(count - 0.4, -0.6)  # the first method on top
    axes.set_yticks(range(count), labels or [""] * count)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=True, labelsize=8)
    axes.grid(axis="y", linewidth=0.4)
    if name is None:
        axes.set_facecolor(GROUND)
