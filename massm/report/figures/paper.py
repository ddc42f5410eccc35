"""The paper's figures from any run: one function each, the paper's measure above ours.

Figures 2, 4a and supplementary 5 are in the image (local); figures 3, 4b and supplementary 6 in the
aligned frame of each anatomy (world). Figures 2 and 3, a: error of particles, b: distance of
surfaces. Figures 4 show the best case of the rival, supplementary figures the best and the worst
case of every model. A function returns None where a run has nothing of the kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from massm.evaluate.rows import DETECTION, LOCAL
from massm.report.figures.box_data import Panel
from massm.report.figures.boxes import box_plot
from massm.report.figures.heat_plates import extremes, one_case
from massm.report.naming import Names, anatomy_label
from massm.report.run.reconstructions import Reconstructions
from massm.report.run.rivals import methods_of, shown_rival, with_errors
from massm.report.shapes.heat import (
    Chosen,
    HeatMap,
    best_case,
    distances,
    extreme_cases,
    heat_map,
    same_case,
)

_PARTICLES = (Panel("particle_rmse", "the paper's"), Panel("particle_euclidean", "ours"))
_SURFACES = (Panel("surface_mean_particles", "the paper's"), Panel("surface_mean", "ours"))


@dataclass(frozen=True)
class Measured:
    """What the figures are made of.

    Attributes:
        values: Long values of one split, all models and outputs.
        anatomies: In the order of the figures.
        names: What models are called, and their order.
        surfaces: True and predicted reconstructions.
    """

    values: pd.DataFrame
    anatomies: Sequence[str]
    names: Names
    surfaces: Reconstructions

    @property
    def local(self) -> pd.DataFrame:
        """The values in the image."""
        return self.values[self.values["head"] == LOCAL]

    @property
    def world(self) -> pd.DataFrame:
        """The values in the aligned frame of each anatomy."""
        return self.values[~self.values["head"].isin([LOCAL, DETECTION])]


def figure_2a(measured: Measured) -> Figure | None:
    """Draw the error of local particles: RMSE (mean of the axes), and Euclidean."""
    return _boxes(measured, measured.local, _PARTICLES)


def figure_2b(measured: Measured) -> Figure | None:
    """Draw the distance of local surfaces: to true particles' surface, and to the segmentation."""
    return _boxes(measured, measured.local, _SURFACES)


def figure_3a(measured: Measured) -> Figure | None:
    """Draw the error of world particles: RMSE (mean of the axes), and Euclidean."""
    return _boxes(measured, measured.world, _PARTICLES)


def figure_3b(measured: Measured) -> Figure | None:
    """Draw the distance of world surfaces: to true particles' surface, and to the segmentation."""
    return _boxes(measured, measured.world, _SURFACES)


def figure_4a(measured: Measured) -> Figure | None:
    """Draw where local surfaces are wrong, of all models, in the best case of ``deepssm_local``.

    Without it in the run, in the best case of the best rival.
    """
    return _best_case(measured, measured.local, "deepssm_local")


def figure_4b(measured: Measured) -> Figure | None:
    """Draw where world surfaces are wrong, of all models, in the best case of ``deepssm_world``.

    Without it in the run, in the best case of the best rival.
    """
    return _best_case(measured, measured.world, "deepssm_world")


def figure_s5(measured: Measured) -> Figure | None:
    """Draw the best and the worst case of every anatomy and model, in the image."""
    return _extremes(measured, measured.local)


def figure_s6(measured: Measured) -> Figure | None:
    """Draw the best and the worst case of every anatomy and model, in the aligned frame."""
    return _extremes(measured, measured.world)


FIGURES: Mapping[str, Callable[[Measured], Figure | None]] = {
    "figure_2a": figure_2a,
    "figure_2b": figure_2b,
    "figure_3a": figure_3a,
    "figure_3b": figure_3b,
    "figure_4a": figure_4a,
    "figure_4b": figure_4b,
    "figure_s5": figure_s5,
    "figure_s6": figure_s6,
}
"""By the name of their files."""


def _boxes(measured: Measured, values: pd.DataFrame, panels: tuple[Panel, ...]) -> Figure | None:
    shown = [panel for panel in panels if panel.measure in set(values["measure"])]
    return box_plot(values, shown, measured.anatomies, measured.names) if shown else None


def _best_case(measured: Measured, values: pd.DataFrame, preferred: str) -> Figure | None:
    values, names = distances(values), measured.names
    rival = shown_rival(values, names, preferred)
    case = best_case(values, rival) if rival else None
    if rival is None or case is None:
        return None
    methods = with_errors(values, methods_of(values, names))
    maps = {
        method: None if chosen is None else heat_map(chosen, measured.surfaces)
        for method, chosen in zip(methods, same_case(values, case, methods), strict=True)
    }
    labels = names.methods(methods_of(values, names))
    caption = (
        f"{anatomy_label(case.anatomy)} of subject {case.subject}: the best case of"
        f" {labels[rival]} ({case.distance_mm:.2f} mm)"
    )
    return one_case(maps, labels, caption)


def _extremes(measured: Measured, values: pd.DataFrame) -> Figure | None:
    values, names = distances(values), measured.names
    methods = with_errors(values, methods_of(values, names))
    of = [name for name in measured.anatomies if name in set(values["anatomy"])]
    cases = {
        name: {m: _pair(extreme_cases(values, m, name), measured.surfaces) for m in methods}
        for name in of
    }
    labels = names.methods(methods_of(values, names))
    shown = {method: labels[method] for method in methods}
    return extremes(cases, shown, measured.anatomies) if cases and methods else None


def _pair(
    cases: tuple[Chosen, Chosen] | None, surfaces: Reconstructions
) -> tuple[HeatMap, HeatMap] | None:
    return cases and (heat_map(cases[0], surfaces), heat_map(cases[1], surfaces))
