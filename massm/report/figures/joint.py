"""Static figures of the joint model of several anatomies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator

from massm.dataset.splits import SPLITS
from massm.pdm.joint.model import JointModel
from massm.report.figures.style import GRID, INK, SOFT
from massm.report.naming import anatomy_label
from massm.report.palette import BLUE, GRAY, ORANGE

SPLIT_COLORS = {"train": GRAY, "validation": ORANGE, "test": BLUE}
HIDDEN_LABELS = {
    "left_out": "training subjects, left out",
    "validation": "validation",
    "test": "test",
}
_SIZE = (5.3, 4.3)  # inches, of the two that stand side by side
_RING: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 2.2}
_MARKERS = ("^", "s", "D", "v", "P")  # for what subjects lack, the most frequent first
_OTHER_MARKER = "X"


def joint_compactness(model: JointModel, colors: Mapping[str, str]) -> Figure:
    """Draw the variance that the first modes hold, of all anatomies and of each."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    modes = np.arange(1, len(model.variances) + 1)
    for name, shares in zip(model.anatomies, model.anatomy_compactness, strict=True):
        axes.plot(
            *(modes, 100 * shares, "o-"),
            color=colors[name],
            linewidth=1.4,
            markersize=3,
            label=anatomy_label(name),
        )
    axes.plot(
        *(modes, 100 * model.compactness, "o-"),
        color=INK,
        linewidth=2.4,
        markersize=4,
        label="all together",
    )
    axes.set_title("Compactness")
    axes.set_xlabel("number of joint modes")
    axes.set_ylabel("variance explained, %")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlim(0.5, len(modes) + 0.5)
    axes.set_ylim(0, 103)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def score_plot(scores: pd.DataFrame, anatomies: Sequence[str]) -> Figure:
    """Draw the first two scores of all subjects, colored by split, marked by what they lack.

    With one mode, the splits lie beneath each other instead of a second score.

    Args:
        scores: ``correspond_joint/scores.csv``.
        anatomies: Of the joint model.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    lacking = _lacking(scores, anatomies)
    markers = _markers(lacking)
    splits = [split for split in SPLITS if (scores["split"] == split).any()]
    rows = scores["split"].map(splits.index).astype(float)
    second = scores.get("mode_2", -rows)
    for split in splits:
        for lack in ("", *markers):
            chosen = (scores["split"] == split) & (lacking == lack)
            axes.plot(
                *(scores["mode_1"][chosen], second[chosen], markers.get(lack, "o")),
                color=SPLIT_COLORS[split],
                markerfacecolor="white" if lack else SPLIT_COLORS[split],
                markeredgewidth=1.4 if lack else 0,
                markersize=6 if lack else 5.5,
                alpha=0.9,
            )
    _finish_scores(axes, has_second="mode_2" in scores)
    for split in splits:
        count = int((scores["split"] == split).sum())
        label = f"{'training' if split == 'train' else split} ({count})"
        axes.plot([], [], "o", color=SPLIT_COLORS[split], markeredgewidth=0, label=label)
    for lack, marker in markers.items():
        axes.plot([], [], marker, color=SOFT, markerfacecolor="white", label=f"lacks {lack}", lw=0)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _lacking(scores: pd.DataFrame, anatomies: Sequence[str]) -> pd.Series:
    """Name what each subject lacks; empty where it has all. Rare combinations share a name."""
    names = [
        " and ".join(
            anatomy_label(anatomy).lower() for anatomy in anatomies if not row[f"has_{anatomy}"]
        )
        for _, row in scores.iterrows()
    ]
    counts = Counter(name for name in names if name)
    shown = {name for name, _ in counts.most_common(len(_MARKERS))} | {""}
    return pd.Series([name if name in shown else "others" for name in names], scores.index)


def _markers(lacking: pd.Series) -> dict[str, str]:
    counts = Counter(name for name in lacking if name not in ("", "others"))
    markers = dict(zip([name for name, _ in counts.most_common()], _MARKERS, strict=False))
    return markers | ({"others": _OTHER_MARKER} if (lacking == "others").any() else {})


def _finish_scores(axes: Axes, *, has_second: bool) -> None:
    axes.set_title("Scores of all subjects")
    axes.set_xlabel("mode 1, SD")
    axes.margins(0.08)
    if not has_second:
        axes.set_yticks([])
        return
    axes.set_ylabel("mode 2, SD")
    axes.add_patch(Circle((0, 0), 2, fill=False, edgecolor=SOFT, linestyle=(0, (3, 3)), lw=0.9))
    axes.axhline(0, color=GRID, linewidth=1.4, zorder=0)
    axes.axvline(0, color=GRID, linewidth=1.4, zorder=0)
    axes.set_aspect("equal", adjustable="datalim")


def hidden_plot(hidden: Mapping[str, Mapping[str, Any]], anatomies: Sequence[str]) -> Figure:
    """Draw how far hidden anatomies are from what is expected of them, and from the mean shape.

    Args:
        hidden: Of ``correspond_joint/quality.json``: numbers by split and anatomy.
        anatomies: In the order of the rows.
    """
    size = (1.9 + 2.6 * len(hidden), 1.2 + 0.36 * len(anatomies))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(hidden), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (split, found) in zip(panels, hidden.items(), strict=True):
        for row, name in enumerate(anatomies):
            if name in found:
                ends = found[name]["mean_shape_mm"], found[name]["predicted_mm"]
                axes.plot(ends, (row, row), color=INK, linewidth=1.6, alpha=0.5)
                axes.plot(ends[0], row, "o", color=GRAY, **_RING)
                axes.plot(ends[1], row, "o", color=INK, markersize=7)
        title = HIDDEN_LABELS[split]
        axes.set_title(title[:1].upper() + title[1:])
        axes.set_xlabel("mean distance, mm")
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(range(len(anatomies)), [anatomy_label(name) for name in anatomies])
    panels[0].set_ylim(len(anatomies) - 0.5, -0.5)
    panels[0].set_xlim(left=0)
    axes.plot([], [], "o", color=INK, markersize=7, label="expected from the others")
    axes.plot([], [], "o", color=GRAY, label="mean shape", **_RING)
    figure.legend(loc="outside lower center", ncols=2)
    return figure
