"""Box plots: every method and anatomy, each measured structure as a dot."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from massm.evaluate.measures import describe
from massm.report.figures.style import INK
from massm.report.naming import ALL_LABEL, Method, Names, anatomy_label
from massm.report.palette import Look, method_looks

_WIDEST_INCH, _BESIDE_INCH = 10.5, 0.9
_BOX_INCH, _GROUP_INCH = 0.17, 1.25  # of one box; the least of one anatomy
_LETTER_EM = 0.6  # width of an average letter of a title, in its size
_SHARE = 0.84  # of an anatomy's width that its boxes fill
_PALE = 0.28
_DOTS = 40  # in one box, at most; of more only those beyond the whiskers are drawn
_ABOVE = 1.3  # highest whisker to the end of the axis: what lies beyond is counted, not drawn


@dataclass(frozen=True)
class Panel:
    """One measure of a box plot.

    Attributes:
        measure: Its name in the tables.
        words: What is to be known of it, after its label; may be empty.
    """

    measure: str
    words: str = ""

    @property
    def title(self) -> str:
        """The measure's label with its unit."""
        described = describe(self.measure)
        label = described.label[:1].upper() + described.label[1:]
        unit = "" if described.unit == "1" else f", {described.unit}"
        return f"{label}{unit}{f' ({self.words})' if self.words else ''}"


def box_plot(
    values: pd.DataFrame, panels: Sequence[Panel], anatomies: Sequence[str], names: Names
) -> Figure:
    """Draw measures of every method and anatomy as boxes, one measure below the other.

    Boxes span the quartiles, the line is the median, whiskers reach 1.5 quartile ranges. With many
    methods the anatomies of a measure take several lines.

    Args:
        values: Long values of one split and frame.
        panels: Which measures.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    chosen = values[values["measure"].isin([panel.measure for panel in panels])]
    looks = method_looks(list(zip(chosen["model"], chosen["head"], strict=True)), names)
    lines = _lines(_groups(chosen, anatomies), len(looks))
    group_inch = max(_GROUP_INCH, _BOX_INCH * len(looks))
    width = max(5.0, _BESIDE_INCH + group_inch * max(map(len, lines)))
    height = 0.9 + 2.7 * len(panels) * len(lines)
    figure = Figure(figsize=(width, height), layout="constrained")
    rows = list(figure.subplots(len(panels) * len(lines), 1, squeeze=False)[:, 0])
    for place, panel in enumerate(panels):
        own = chosen[chosen["measure"] == panel.measure]
        _draw_panel(rows[place * len(lines) :][: len(lines)], own, panel, lines, looks)
    _name_methods(figure, looks, names)
    return figure


def _groups(values: pd.DataFrame, anatomies: Sequence[str]) -> list[str | None]:
    """List the anatomies that were measured, and None for all of them together."""
    measured = set(values["anatomy"])
    groups: list[str | None] = [name for name in anatomies if name in measured]
    return [*groups, None] if len(groups) > 1 else groups


def _lines(groups: Sequence[str | None], methods: int) -> list[list[str | None]]:
    """Cut the anatomies into lines of about the same length that are no wider than a page."""
    group_inch = max(_GROUP_INCH, _BOX_INCH * methods)
    most = max(1, int((_WIDEST_INCH - _BESIDE_INCH) / group_inch))
    count = max(1, -(-len(groups) // most))
    length = -(-len(groups) // count)
    return [list(groups[i * length :][:length]) for i in range(count)]


def _draw_panel(
    rows: Sequence[Axes],
    values: pd.DataFrame,
    panel: Panel,
    lines: Sequence[Sequence[str | None]],
    looks: Mapping[Method, Look],
) -> None:
    boxes = {
        (name, method): _values_of(values, method, name)
        for line in lines
        for name in line
        for method in looks
    }
    top = _top(list(boxes.values())) if describe(panel.measure).better == "low" else None
    beyond = int((values["value"] > top).sum()) if top else 0
    for axes, line in zip(rows, lines, strict=True):
        for group, name in enumerate(line):
            for place, (method, look) in enumerate(looks.items()):
                width = _SHARE / len(looks)
                middle = group + (place - (len(looks) - 1) / 2) * width
                _draw_box(axes, boxes[name, method], middle, width, look, top)
        _finish_groups(axes, line, max(map(len, lines)))
        if top:
            axes.set_ylim(0, top)
    note = f"; \N{BLACK UP-POINTING TRIANGLE} {beyond} above {top:.3g}" if beyond else ""
    _set_title(rows[0], panel.title + note)
    _share_range(rows)


def _set_title(axes: Axes, text: str) -> None:
    """Write a title in as many lines as the width asks for; matplotlib would cut it."""
    title = axes.set_title(text)
    letter_inch = _LETTER_EM * float(title.get_fontsize()) / 72
    figure = axes.get_figure(root=True)
    if figure is not None:
        width_inch = figure.get_figwidth() - _BESIDE_INCH
        title.set_text(textwrap.fill(text, max(10, int(width_inch / letter_inch))))


def _values_of(
    values: pd.DataFrame, method: Method, anatomy: str | None
) -> Float[np.ndarray, " n"]:
    own = values[(values["model"] == method[0]) & (values["head"] == method[1])]
    own = own if anatomy is None else own[own["anatomy"] == anatomy]
    return own["value"].to_numpy(float)


def _top(boxes: Sequence[np.ndarray]) -> float | None:
    """End the axis a little above the highest whisker, or at the highest value if that is near."""
    ends, highest = [], 0.0
    for values in boxes:
        if len(values):
            low, high = np.percentile(values, [25, 75])
            ends.append(float(values[values <= high + 1.5 * (high - low)].max()))
            highest = max(highest, float(values.max()))
    return min(_ABOVE * max(ends), 1.05 * highest) if ends and highest > 0 else None


def _draw_box(
    axes: Axes,
    values: Float[np.ndarray, " n"],
    middle: float,
    width: float,
    look: Look,
    top: float | None,
) -> None:
    if len(values) == 0:
        return
    drawn = axes.boxplot(
        [values],
        positions=[middle],
        widths=width * 0.78,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops=_filled(look),
        medianprops={"color": INK, "linewidth": 1.7},
        whiskerprops={"color": look.color},
        capprops={"color": look.color},
    )
    if len(values) > _DOTS:
        low, high = (np.asarray(line.get_ydata(), float)[1] for line in drawn["whiskers"])
        values = values[(values < low) | (values > high)]
    above = values > top if top else np.zeros(len(values), bool)
    spread = middle + np.resize([0.0, 0.5, -0.5, 0.25, -0.25], len(values)) * width * 0.5
    dots: dict[str, Any] = {"color": look.color, "alpha": 0.8, "markeredgewidth": 0}
    axes.plot(spread[~above], values[~above], ".", markersize=4.5, **dots)
    if above.any():
        edge = np.full(int(above.sum()), top)
        axes.plot(spread[above], edge, "^", markersize=5, clip_on=False, **dots)


def _filled(look: Look) -> dict[str, Any]:
    """Fill a box with a pale tint: opaque, since a hatch in SVG keeps no transparency."""
    pale = tuple(1 - _PALE * (1 - part) for part in to_rgb(look.color))
    return {"facecolor": pale, "edgecolor": look.color, "hatch": look.hatch}


def _finish_groups(axes: Axes, groups: Sequence[str | None], longest: int) -> None:
    labels = [ALL_LABEL if name is None else anatomy_label(name) for name in groups]
    axes.grid(visible=False, axis="x")
    axes.set_xticks(range(len(groups)), [_wrapped(label) for label in labels])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.55, longest - 0.45)
    if groups and groups[-1] is None:
        axes.axvspan(len(groups) - 1.5, len(groups) - 0.45, color="#f3f5f7", zorder=0)


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


def _name_methods(figure: Figure, looks: Mapping[Method, Look], names: Names) -> None:
    handles = [Patch(label=names.method(m), **_filled(look)) for m, look in looks.items()]
    longest = max((len(names.method(method)) for method in looks), default=1)
    fitting = int(figure.get_figwidth() / (0.45 + 0.075 * longest))
    columns = max(1, min(len(handles), fitting))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.2)
