"""Plates of a shape model: its modes, its particles on subjects, where it is worst."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy.spatial import cKDTree

from massm.report.figures.correspondence import ShownShape
from massm.report.figures.panels import color_bar, draw_length, fit_figure, name_row, same_scale
from massm.report.figures.rendering import (
    CHANGE_MAP,
    ERROR_MAP,
    FRONT_AND_BACK,
    draw_mesh,
    draw_particles,
    view,
)
from massm.report.shapes.misfit import PaintedShape
from massm.report.shapes.modes import ShapeModes

MODE_VIEW = view(25.0, 12.0)
_PALE = np.array([0.83, 0.85, 0.87])
_DISK = 0.40  # radius over the particles' spacing
_MINUS = "\N{MINUS SIGN}"


def mode_plate(
    modes: ShapeModes,
    deviations: float,
    *,
    mean_colors: Float[np.ndarray, "V 3"] | None = None,
    legend: Mapping[str, str] | None = None,
    longest_inch: float = 1.5,
) -> Figure:
    """Draw each mode at both ends and the mean between, colored by movement along the normal.

    Args:
        modes: One row for each.
        deviations: Of the ends, standard deviations.
        mean_colors: RGB of the mean's vertices; None: the color of no movement.
        legend: Names of the mean's colors.
        longest_inch: Longer side of a picture.
    """
    count = len(modes.displacements)
    limit = max(0.1, *(float(np.abs(deviations * modes.outward(i)).max()) for i in range(count)))
    figure = Figure(layout="constrained")
    panels = figure.subplots(count, 3, squeeze=False)
    for mode in range(count):
        for column, step in enumerate((-deviations, 0.0, deviations)):
            axes = panels[mode, column]
            colors = CHANGE_MAP((step * modes.outward(mode) / limit + 1) / 2)
            if step == 0 and mean_colors is not None:
                colors = mean_colors
            draw_mesh(axes, modes.shape(mode, step), colors, direction=MODE_VIEW)
            if mode == 0:
                amount = f"{step:+g} SD".replace("-", _MINUS) if step else "mean"
                axes.set_title(amount, loc="center", fontsize=9)
        share = f"mode {mode + 1}\n{100 * modes.shares[mode]:.0f} %"
        name_row(panels[mode, 0], share, color="#1d2733")
    same_scale(panels.ravel())
    draw_length(panels[-1, 0])
    fit_figure(figure, panels, longest_inch=longest_inch, beside_inch=1.2)
    if legend:
        _name_colors(figure, legend)
    label = "displacement from the mean, mm\n(outward: above 0)"
    color_bar(figure, panels.ravel(), CHANGE_MAP, Normalize(-limit, limit), label)
    return figure


def _name_colors(figure: Figure, legend: Mapping[str, str]) -> None:
    """Draw names of colors below a figure, which grows by their height."""
    columns = min(3, len(legend))
    lines = -(-len(legend) // columns)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + 0.1 + 0.2 * lines)
    handles = [Patch(color=color, label=name) for name, color in legend.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8)


def particle_plate(shapes: Sequence[ShownShape], colors: Float[np.ndarray, "M 3"]) -> Figure:
    """Draw the particles of some shapes from two sides, each in its one color.

    Args:
        shapes: In the order of the columns.
        colors: RGB of each particle.
    """

    def draw(axes: Axes, column: int, direction: Float[np.ndarray, "3 3"]) -> None:
        shape = shapes[column]
        pale = np.broadcast_to(_PALE, shape.surface.vertices.shape)
        draw_mesh(axes, shape.surface, pale, direction=direction)
        draw_particles(
            *(axes, shape.particles, colors, shape.surface),
            direction=direction,
            radius_mm=_DISK * gaps[column],
        )

    gaps = [
        float(np.median(cKDTree(shape.particles).query(shape.particles, 2)[0][:, 1]))
        for shape in shapes
    ]
    return _front_and_back([shape.title for shape in shapes], draw, beside_inch=0.3)[0]


def misfit_plate(mean: PaintedShape, worst: Sequence[PaintedShape]) -> Figure:
    """Draw the mean error on the mean shape, and beside it the shapes rebuilt worst.

    Each part has its own scale of colors. That of the mean spans its own range, since the question
    is where it is large; that of single shapes begins at 0 and ends where 98 % are below.
    """
    shapes = [mean, *worst]
    high = float(np.percentile(np.concatenate([shape.error for shape in worst]), 98))
    norms = [_rounded(float(mean.error.min()), float(mean.error.max()))]
    norms += [_rounded(0.0, high)] * len(worst)

    def draw(axes: Axes, column: int, direction: Float[np.ndarray, "3 3"]) -> None:
        shape = shapes[column]
        draw_mesh(axes, shape.surface, ERROR_MAP(norms[column](shape.error)), direction=direction)

    figure, panels = _front_and_back([shape.title for shape in shapes], draw, beside_inch=2.0)
    color_bar(figure, panels[:, 0], ERROR_MAP, norms[0], "mean error, mm")
    label = "error of this subject, mm"
    color_bar(figure, panels[:, 1:].ravel(), ERROR_MAP, norms[-1], label, beyond=True)
    return figure


def _front_and_back(
    titles: Sequence[str],
    draw: Callable[[Axes, int, Float[np.ndarray, "3 3"]], None],
    *,
    beside_inch: float,
) -> tuple[Figure, np.ndarray]:
    """Draw one column of pictures for each title, from two sides and in one scale."""
    figure = Figure(layout="constrained")
    panels = figure.subplots(len(FRONT_AND_BACK), len(titles), squeeze=False)
    for column, title in enumerate(titles):
        for row, (_, azimuth, elevation) in enumerate(FRONT_AND_BACK):
            draw(panels[row, column], column, view(azimuth, elevation))
        panels[0, column].set_title(title, loc="center", fontsize=9)
    for row, (name, _, _) in enumerate(FRONT_AND_BACK):
        name_row(panels[row, 0], name)
    same_scale(panels.ravel())
    draw_length(panels[-1, 0])
    fit_figure(figure, panels, longest_inch=2.1, beside_inch=beside_inch)
    return figure, panels


def _rounded(low: float, high: float) -> Normalize:
    """Round a range outward: to 0.1 mm if it ends below 2 mm, else to 0.5 mm."""
    step = 0.1 if high < 2 else 0.5
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return Normalize(first * step, max(last, first + 1) * step)
