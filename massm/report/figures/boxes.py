"""Box plots: every method and anatomy, each measured structure as a dot."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from massm.report.figures.box_data import Panel, boxes_of, groups_of
from massm.report.figures.box_groups import draw_groups
from massm.report.figures.box_rows import draw_rows
from massm.report.naming import Names
from massm.report.palette import method_looks

_SIDE_BY_SIDE = 6  # methods that a legend tells apart; more have their names beside their boxes


def box_plot(
    values: pd.DataFrame, panels: Sequence[Panel], anatomies: Sequence[str], names: Names
) -> Figure:
    """Draw measures of every method and anatomy as boxes, one measure below the other.

    Boxes span the quartiles, the line is the median, whiskers reach 1.5 quartile ranges. A few
    methods stand side by side over each anatomy and are named in a legend; many lie below each
    other in a picture of each anatomy, each beside its name.

    Args:
        values: Long values of one split and frame.
        panels: Which measures.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    chosen = values[values["measure"].isin([panel.measure for panel in panels])]
    looks = method_looks(list(zip(chosen["model"], chosen["head"], strict=True)), names)
    groups = groups_of(chosen, anatomies)
    made = [boxes_of(chosen, panel, groups, list(looks)) for panel in panels]
    draw = draw_groups if len(looks) <= _SIDE_BY_SIDE else draw_rows
    return draw(made, groups, looks, names.methods(looks))
