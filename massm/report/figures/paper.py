"""The paper's figures from any run: one function each, the paper's measure above ours.

Figures 2 are in the image (local), figures 3 in the aligned frame of each anatomy (world); a: error
of particles, b: distance of surfaces.
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from massm.evaluate.rows import DETECTION, LOCAL
from massm.report.figures.boxes import Panel, box_plot
from massm.report.naming import Names

_PARTICLES = (Panel("particle_rmse", "the paper's"), Panel("particle_euclidean", "ours"))
_SURFACES = (Panel("surface_mean_particles", "the paper's"), Panel("surface_mean", "ours"))


def figure_2a(values: pd.DataFrame, anatomies: Sequence[str], names: Names) -> Figure:
    """Draw the error of local particles: RMSE (mean of the axes), and Euclidean.

    Args:
        values: Long values of one split, all models and outputs.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    return box_plot(_local(values), _PARTICLES, anatomies, names)


def figure_2b(values: pd.DataFrame, anatomies: Sequence[str], names: Names) -> Figure:
    """Draw the distance of local surfaces: to true particles' surface, and to the segmentation.

    Args:
        values: Long values of one split, all models and outputs.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    return box_plot(_local(values), _SURFACES, anatomies, names)


def figure_3a(values: pd.DataFrame, anatomies: Sequence[str], names: Names) -> Figure:
    """Draw the error of world particles: RMSE (mean of the axes), and Euclidean.

    Args:
        values: Long values of one split, all models and outputs.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    return box_plot(_world(values), _PARTICLES, anatomies, names)


def figure_3b(values: pd.DataFrame, anatomies: Sequence[str], names: Names) -> Figure:
    """Draw the distance of world surfaces: to true particles' surface, and to the segmentation.

    Args:
        values: Long values of one split, all models and outputs.
        anatomies: In the order of the figure.
        names: What models are called, and their order.
    """
    return box_plot(_world(values), _SURFACES, anatomies, names)


FIGURES: Mapping[str, Callable[[pd.DataFrame, Sequence[str], Names], Figure]] = {
    "figure_2a": figure_2a,
    "figure_2b": figure_2b,
    "figure_3a": figure_3a,
    "figure_3b": figure_3b,
}
"""By the name of their files."""


def _local(values: pd.DataFrame) -> pd.DataFrame:
    return values[values["head"] == LOCAL]


def _world(values: pd.DataFrame) -> pd.DataFrame:
    return values[~values["head"].isin([LOCAL, DETECTION])]
