"""What a box plot draws: the values of every method and anatomy, and where their axis ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.evaluate.measures import describe
from massm.report.naming import ALL_LABEL, Method, anatomy_label

_ABOVE = 1.3  # highest whisker to the end of the axis: what lies beyond is counted, not drawn

Group = str | None  # an anatomy; None: all of them together


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


@dataclass(frozen=True)
class BoxSeries:
    """All boxes of one measure.

    Attributes:
        panel: The measure.
        values: Of each anatomy and method; empty where nothing was measured.
        end: Of the axis of values; None: it needs none.
        beyond: How many values lie beyond it.
    """

    panel: Panel
    values: Mapping[tuple[Group, Method], Float[np.ndarray, " n"]]
    end: float | None
    beyond: int

    def title(self, mark: str) -> str:
        """Write the measure, and how many values the marks at the edge stand for."""
        note = (
            f"; {mark}\N{NO-BREAK SPACE}{self.beyond} above {self.end:.3g}" if self.beyond else ""
        )
        return f"{self.panel.title}{note}"


def boxes_of(
    values: pd.DataFrame, panel: Panel, groups: Sequence[Group], methods: Sequence[Method]
) -> BoxSeries:
    """Collect the boxes of one measure.

    Args:
        values: Long values of one split and frame.
        panel: Which measure.
        groups: From :func:`groups_of`.
        methods: Those of the figure.
    """
    own = values[values["measure"] == panel.measure]
    boxes = {(name, method): _values_of(own, method, name) for name in groups for method in methods}
    end = _end(list(boxes.values())) if describe(panel.measure).better == "low" else None
    return BoxSeries(panel, boxes, end, int((own["value"] > end).sum()) if end else 0)


def groups_of(values: pd.DataFrame, anatomies: Sequence[str]) -> list[Group]:
    """List the anatomies that were measured, and None for all of them together."""
    measured = set(values["anatomy"])
    groups: list[Group] = [name for name in anatomies if name in measured]
    return [*groups, None] if len(groups) > 1 else groups


def group_label(group: Group) -> str:
    """Write an anatomy's name, or that it is all of them."""
    return ALL_LABEL if group is None else anatomy_label(group)


def in_lines(groups: Sequence[Group], most: int) -> list[list[Group]]:
    """Cut the anatomies into lines of about the same length, none longer than ``most``."""
    count = max(1, -(-len(groups) // max(1, most)))
    length = -(-len(groups) // count)
    return [list(groups[i * length :][:length]) for i in range(count)]


def _values_of(values: pd.DataFrame, method: Method, group: Group) -> Float[np.ndarray, " n"]:
    own = values[(values["model"] == method[0]) & (values["head"] == method[1])]
    own = own if group is None else own[own["anatomy"] == group]
    return own["value"].to_numpy(float)


def _end(boxes: Sequence[np.ndarray]) -> float | None:
    """End the axis a little above the highest whisker, or at the highest value if that is near."""
    ends, highest = [], 0.0
    for values in boxes:
        if len(values):
            low, high = np.percentile(values, [25, 75])
            ends.append(float(values[values <= high + 1.5 * (high - low)].max()))
            highest = max(highest, float(values.max()))
    return min(_ABOVE * max(ends), 1.05 * highest) if ends and highest > 0 else None
