"""A box plot of a few methods: upright boxes side by side over each anatomy, and a legend."""

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from massm.report.figures.box_data import BoxSeries, Group, group_label, in_lines
from massm.report.figures.one_box import GROUND, UPRIGHT_MARK, draw_box, filled
from massm.report.naming import Method
from massm.report.palette import Look

_WIDEST_INCH, _BESIDE_INCH = 10.5, 0.9
_BOX_INCH, _GROUP_INCH = 0.17, 1.25  # of one box; the least of one anatomy
_LETTER_EM = 0.6  # width of an average letter of a title, in its size
_SHARE = 0.84  # of an anatomy's width that its boxes fill


def draw_groups(
    measures: Sequence[BoxSeries],
    groups: Sequence[Group],
    looks: Mapping[Method, Look],
    labels: Mapping[Method, str],
) -> Figure:
    """Draw measures one below the other; many anatomies take several lines.

    Args:
        measures: With the boxes of every group and method.
        groups: In the order of the figure.
        looks: Of every method, in their order.
        labels: Names of the methods for people.
    """
    group_inch = max(_GROUP_INCH, _BOX_INCH * len(looks))
    lines = in_lines(groups, int((_WIDEST_INCH - _BESIDE_INCH) / group_inch))
    width = max(5.0, _BESIDE_INCH + group_inch * max(map(len, lines)))
    height = 0.9 + 2.7 * len(measures) * len(lines)
    figure = Figure(figsize=(width, height), layout="constrained")
    rows = list(figure.subplots(len(measures) * len(lines), 1, squeeze=False)[:, 0])
    for place, boxes in enumerate(measures):
        _draw_measure(rows[place * len(lines) :][: len(lines)], boxes, lines, looks)
    _name_methods(figure, looks, labels)
    return figure


def _draw_measure(
    rows: Sequence[Axes],
    boxes: BoxSeries,
    lines: Sequence[Sequence[Group]],
    looks: Mapping[Method, Look],
) -> None:
    width = _SHARE / len(looks)
    for axes, line in zip(rows, lines, strict=True):
        for place, name in enumerate(line):
            for number, (method, look) in enumerate(looks.items()):
                middle = place + (number - (len(looks) - 1) / 2) * width
                values = boxes.values[name, method]
                draw_box(axes, values, look, middle=middle, width=width, end=boxes.end)
        _finish(axes, line, max(map(len, lines)))
        if boxes.end:
            axes.set_ylim(0, boxes.end)
    _set_title(rows[0], boxes.title(UPRIGHT_MARK))
    _share_range(rows)


def _finish(axes: Axes, groups: Sequence[Group], longest: int) -> None:
    axes.grid(visible=False, axis="x")
    axes.set_xticks(range(len(groups)), [_wrapped(group_label(name)) for name in groups])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.55, longest - 0.45)
    if groups and groups[-1] is None:
        axes.axvspan(len(groups) - 1.5, len(groups) - 0.45, color=GROUND, zorder=0)


def _set_title(axes: Axes, text: str) -> None:
    """Write a title in as many lines as the width asks for; matplotlib would cut it."""
    title = axes.set_title(text)
    letter_inch = _LETTER_EM * float(title.get_fontsize()) / 72
    figure = axes.get_figure(root=True)
    if figure is not None:
        width_inch = figure.get_figwidth() - _BESIDE_INCH
        title.set_text(textwrap.fill(text, max(10, int(width_inch / letter_inch))))


def _wrapped(label: str) -> str:
    words = label.split()
    if len(label) <= 12 or len(words) == 1:
        return label
    half = (len(words) + 1) // 2
    return " ".join(words[:half]) + "\n" + " ".join(words[half:])


def _share_range(rows: Sequence[Axes]) -> None:
    """Give the lines of one measure one scale."""
    ends = [axes.get_ylim() for axes in rows]
    for axes in rows:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))


def _name_methods(
    figure: Figure, looks: Mapping[Method, Look], labels: Mapping[Method, str]
) -> None:
    handles = [Patch(label=labels[method], **filled(look)) for method, look in looks.items()]
    longest = max((len(labels[method]) for method in looks), default=1)
    fitting = int(figure.get_figwidth() / (0.45 + 0.075 * longest))
    columns = max(1, min(len(handles), fitting))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.2)
