"""Plates of pictures: errors of predictions on surfaces, slices with outlines."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.report.figures.panels import color_bar, name_row, same_scale
from massm.report.figures.rendering import ERROR_MAP, FRONT_AND_BACK, draw_mesh, view
from massm.report.figures.slices import Frame, Plane, best_position, outlines, slice_pixels
from massm.report.naming import anatomy_label
from massm.report.shapes.cases import Case


def error_limit(errors: Sequence[Float[np.ndarray, " _"]]) -> float:
    """Choose the end of the color scale: 97 % of all shown are below; rounded up to 0.5 mm."""
    largest = float(np.percentile(np.concatenate(list(errors)), 97))
    return max(0.5, float(np.ceil(largest * 2) / 2))


def case_plate(cases: Sequence[Case]) -> Figure:
    """Draw the true surface of each case from two sides, colored by the prediction's error."""
    limit = error_limit([case.error for case in cases])
    figure = Figure(figsize=(1.8 * len(cases) + 0.6, 3.5), layout="constrained")
    panels = figure.subplots(len(FRONT_AND_BACK), len(cases), squeeze=False)
    for column, case in enumerate(cases):
        share = case.error / limit
        for row, (name, azimuth, elevation) in enumerate(FRONT_AND_BACK):
            axes = panels[row, column]
            draw_mesh(axes, case.true, ERROR_MAP(share), direction=view(azimuth, elevation))
            if column == 0:
                name_row(axes, name)
        title = f"{case.rank}\n{case.distance_mm:.2f} mm"
        panels[0, column].set_title(title, loc="center", fontsize=9)
    same_scale(panels.ravel())
    label = "distance to the prediction, mm"
    color_bar(figure, panels.ravel(), ERROR_MAP, Normalize(0, limit), label, beyond=True)
    return figure


def slice_plate(
    volume: Volume,
    true: Mapping[str, Mesh],
    predicted: Mapping[str, Mesh],
    *,
    frame: Frame,
    colors: Mapping[str, str],
    window_hu: tuple[float, float],
    dashes: str = "white",
) -> Figure:
    """Draw axial, coronal and sagittal slices with predicted (solid) and true (dashed) outlines.

    Args:
        volume: CT, HU.
        true: Segmentation's surface by anatomy, image frame.
        predicted: Predicted surface by anatomy, image frame.
        frame: The part of space to show.
        colors: Of each anatomy.
        window_hu: Shown as black and as white.
        dashes: Color of true outlines.
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
                    _outline(axes, line, dashes if dashed else colors[name], dashed=dashed)
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
        axes.plot(line[:, 0], line[:, 1], color=color, linewidth=1.0, dashes=(3, 2))
    else:
        axes.plot(line[:, 0], line[:, 1], color=color, linewidth=1.7)


def _legend(predicted: Mapping[str, Mesh], colors: Mapping[str, str]) -> list[Line2D]:
    handles = [Line2D([], [], color=colors[n], label=anatomy_label(n), lw=2.5) for n in predicted]
    true = Line2D([], [], color="#5d6875", dashes=(3, 2), label="segmentation (dashed)")
    return [*handles, true]
