"""Plates of pictures: errors on surfaces, slices with outlines, shape modes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.report.cases import Case
from massm.report.modes import ShapeModes
from massm.report.naming import anatomy_label
from massm.report.rendering import CHANGE_MAP, ERROR_MAP, draw_mesh, view
from massm.report.slices import Frame, Plane, best_position, outlines, slice_pixels

_VIEWS = (("front", 0.0, 8.0), ("back", 180.0, 8.0))


def error_limit(cases: Sequence[Case]) -> float:
    """Choose the end of the color scale: 97 % of all shown are below; rounded up to 0.5 mm."""
    largest = float(np.percentile(np.concatenate([case.error for case in cases]), 97))
    return max(0.5, float(np.ceil(largest * 2) / 2))


def case_plate(cases: Sequence[Case]) -> Figure:
    """Draw the true surface of each case from two sides, colored by the prediction's error."""
    limit = error_limit(cases)
    figure = Figure(figsize=(1.8 * len(cases) + 0.6, 3.5), layout="constrained")
    panels = figure.subplots(len(_VIEWS), len(cases), squeeze=False)
    for column, case in enumerate(cases):
        share = case.error / limit
        for row, (name, azimuth, elevation) in enumerate(_VIEWS):
            axes = panels[row, column]
            draw_mesh(axes, case.true, ERROR_MAP(share), direction=view(azimuth, elevation))
            if column == 0:
                axes.text(
                    -0.02,
                    0.5,
                    name,
                    transform=axes.transAxes,
                    rotation=90,
                    va="center",
                    ha="right",
                    color="#5d6875",
                    fontsize=8,
                )
        title = f"{case.rank}\n{case.distance_mm:.2f} mm"
        panels[0, column].set_title(title, loc="center", fontsize=9)
    _same_scale(panels.ravel())
    _color_bar(figure, panels, ERROR_MAP, Normalize(0, limit), "distance to the prediction, mm")
    return figure


def mode_plate(modes: ShapeModes, deviations: float) -> Figure:
    """Draw each mode at both ends and the mean between, colored by movement along the normal."""
    count = len(modes.displacements)
    limit = max(0.1, *(float(np.abs(deviations * modes.outward(i)).max()) for i in range(count)))
    figure = Figure(figsize=(5.8, 1.6 * count + 0.3), layout="constrained")
    panels = figure.subplots(count, 3, squeeze=False)
    direction = view(25.0, 12.0)
    for mode in range(count):
        for column, step in enumerate((-deviations, 0.0, deviations)):
            axes = panels[mode, column]
            change = step * modes.outward(mode) / limit
            mesh = modes.shape(mode, step)
            draw_mesh(axes, mesh, CHANGE_MAP((change + 1) / 2), direction=direction)
            if mode == 0:
                axes.set_title(f"{step:+g} SD" if step else "mean", loc="center", fontsize=9)
        panels[mode, 0].text(
            -0.12,
            0.5,
            f"mode {mode + 1}\n{100 * modes.shares[mode]:.0f} %",
            rotation=90,
            transform=panels[mode, 0].transAxes,
            va="center",
            ha="right",
            fontsize=8.5,
        )
    _same_scale(panels.ravel())
    _color_bar(figure, panels, CHANGE_MAP, Normalize(-limit, limit), "outward movement, mm")
    return figure


def slice_plate(
    volume: Volume,
    true: Mapping[str, Mesh],
    predicted: Mapping[str, Mesh],
    *,
    frame: Frame,
    colors: Mapping[str, str],
    window_hu: tuple[float, float],
) -> Figure:
    """Draw axial, coronal and sagittal slices with predicted (solid) and true (dashed) outlines.

    Args:
        volume: CT, HU.
        true: Segmentation's surface by anatomy, image frame.
        predicted: Predicted surface by anatomy, image frame.
        frame: The part of space to show.
        colors: Of each anatomy.
        window_hu: Shown as black and as white.
    """
    planes: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
    sizes = [frame.size(plane) for plane in planes]
    widths = [width / height for width, height in sizes]
    figure = Figure(figsize=(9.6, 9.3 / sum(widths) + 0.6), layout="constrained")
    panels = figure.subplots(1, 3, squeeze=False, width_ratios=widths)[0]
    everything = [*true.values(), *predicted.values()]
    for axes, plane, (width, height) in zip(panels, planes, sizes, strict=True):
        position = best_position(everything, plane)
        picture = slice_pixels(volume, plane, position, frame, window_hu)
        axes.imshow(
            picture,
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=(0, width, height, 0),
            interpolation="bilinear",
        )
        for surfaces, dashed in ((predicted, False), (true, True)):
            for name, mesh in surfaces.items():
                for line in outlines(mesh, plane, position, frame):
                    _outline(axes, line, colors[name], dashed=dashed)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        axes.set_title(plane, fontsize=9)
    figure.legend(
        handles=_legend(predicted, colors), loc="outside lower center", ncols=5, fontsize=8
    )
    return figure


def _outline(axes: Axes, line: np.ndarray, color: str, *, dashed: bool) -> None:
    if dashed:
        axes.plot(line[:, 0], line[:, 1], color="white", linewidth=1.0, dashes=(3, 2))
    else:
        axes.plot(line[:, 0], line[:, 1], color=color, linewidth=1.7)


def _legend(predicted: Mapping[str, Mesh], colors: Mapping[str, str]) -> list[Line2D]:
    handles = [Line2D([], [], color=colors[n], label=anatomy_label(n), lw=2.5) for n in predicted]
    true = Line2D([], [], color="#5d6875", dashes=(3, 2), label="segmentation (dashed)")
    return [*handles, true]


def _same_scale(panels: np.ndarray) -> None:
    """Give pictures limits of one size, so that shapes can be compared."""
    limits = [(*axes.get_xlim(), *axes.get_ylim()) for axes in panels]
    half_x = max((b - a) / 2 for a, b, _, _ in limits)
    half_y = max((d - c) / 2 for _, _, c, d in limits)
    for axes, (a, b, c, d) in zip(panels, limits, strict=True):
        axes.set_xlim((a + b) / 2 - half_x, (a + b) / 2 + half_x)
        axes.set_ylim((c + d) / 2 - half_y, (c + d) / 2 + half_y)


def _color_bar(
    figure: Figure, panels: np.ndarray, colors: Colormap, norm: Normalize, label: str
) -> None:
    bar = figure.colorbar(
        ScalarMappable(norm, colors),
        ax=panels.ravel().tolist(),
        shrink=0.7,
        aspect=22,
        pad=0.02,
        extend="max" if norm.vmin == 0 else "neither",
    )
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.outline.set_visible(False)
