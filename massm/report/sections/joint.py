"""What the page shows of the joint model of several anatomies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

from massm.config.report import ReportConfig
from massm.reconstruct.from_particles import load_warp
from massm.report.figures.gallery import Gallery, Picture
from massm.report.figures.joint import HIDDEN_LABELS, hidden_plot, joint_compactness, score_plot
from massm.report.figures.shape_plates import MODE_VIEW, mode_plate
from massm.report.figures.viewer import mode_data
from massm.report.naming import anatomy_label
from massm.report.palette import anatomy_colors
from massm.report.run.sources import JointResults, RunTables
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill
from massm.report.shapes.joint_modes import JointModes, joined, joint_modes, side_by_side

NAME = "joint-model"  # no anatomy is called with a "-"
"""Of the model among those of single anatomies; no anatomy has it."""

_BODY_INCH, _ROW_INCH = 1.9, 2.6  # longer side of a picture of modes, with pose and without


@dataclass(frozen=True)
class HiddenCell:
    """One anatomy hidden from the subjects of one split.

    Attributes:
        predicted: Mean distance to what is expected of it, mm.
        mean_shape: Mean distance to the mean shape, mm.
        change: How much smaller or larger the first is.
        nearer: In how many subjects it is the smaller one.
        is_better: Whether it is smaller on average, by a percent.
    """

    predicted: str
    mean_shape: str
    change: str
    nearer: str
    is_better: bool


@dataclass(frozen=True)
class JointView:
    """The joint model.

    Attributes:
        anatomies: For people.
        pose: Whether it relates where they lie, or their shapes alone.
        subjects: It was made from.
        complete: Of these, those that have all anatomies.
        modes_data: For the sliders.
        modes_picture: All anatomies at both ends of each mode.
        compactness_picture: Variance against modes.
        score_picture: First two scores of all subjects.
        hidden_picture: Errors of hidden anatomies.
        splits: Columns of the table of hidden anatomies.
        hidden: Its rows: anatomy, training subjects that have it, a cell for each split or None.
    """

    anatomies: list[str]
    pose: bool
    subjects: int
    complete: int
    modes_data: dict[str, Any]
    modes_picture: Picture
    compactness_picture: Picture
    score_picture: Picture
    hidden_picture: Picture
    splits: list[str]
    hidden: list[tuple[str, int, list[HiddenCell | None]]]


def joint_view(run: RunTables, config: ReportConfig, gallery: Gallery) -> JointView | None:
    """Make the view of the joint model, if there is one."""
    if run.joint is None:
        return None
    joint, colors = run.joint, anatomy_colors(run.anatomies)
    modes = _modes(run, joint, config)
    quality, names = joint.quality, joint.model.anatomies
    hidden: dict[str, dict[str, dict[str, float | int]]] = quality["hidden"]
    return JointView(
        anatomies=[anatomy_label(name) for name in names],
        pose=joint.pose,
        subjects=quality["subjects"],
        complete=quality["complete_subjects"],
        modes_data=mode_data(modes.modes, config.mode_range_sd),
        modes_picture=_modes_picture(joint, modes, colors, config, gallery),
        compactness_picture=gallery.add(
            joint_compactness(joint.model, colors),
            "joint_compactness",
            "variance that the first joint modes explain, of all anatomies together and of each",
            "lines",
        ),
        score_picture=gallery.add(
            score_plot(joint.scores, names),
            "joint_scores",
            "first two joint scores of all subjects, colored by split, marked where anatomies are "
            "missing",
            "lines",
        ),
        hidden_picture=gallery.add(
            hidden_plot(hidden, names),
            "joint_hidden",
            "distance of each hidden anatomy to what the others make expect of it, and to the mean "
            "shape, by split",
            "lines",
        ),
        splits=[HIDDEN_LABELS[split] for split in hidden],
        hidden=[
            (
                anatomy_label(name),
                quality["subjects_of"][name],
                [_cell(found[name]) if name in found else None for found in hidden.values()],
            )
            for name in names
        ],
    )


def _modes(run: RunTables, joint: JointResults, config: ReportConfig) -> JointModes:
    folder = run.results / "reconstruct" / "warp"
    warps = {name: load_warp(folder / f"{name}.npz") for name in joint.model.anatomies}
    parts = joint_modes(joint.model, warps, modes=config.modes, faces=config.mesh_faces)
    if not joint.pose:
        parts = side_by_side(parts, MODE_VIEW[0], config.mode_range_sd)
    return joined(parts)


def _modes_picture(
    joint: JointResults,
    surface: JointModes,
    colors: Mapping[str, str],
    config: ReportConfig,
    gallery: Gallery,
) -> Picture:
    own = np.array([to_rgb(colors[name]) for name in joint.model.anatomies])
    legend = {anatomy_label(name): colors[name] for name in joint.model.anatomies}
    return gallery.add(
        mode_plate(
            surface.modes,
            config.mode_range_sd,
            mean_colors=own[surface.owner],
            legend=legend,
            longest_inch=_BODY_INCH if joint.pose else _ROW_INCH,
        ),
        f"modes_{NAME}",
        f"surfaces of {', '.join(legend)} in the first joint modes at minus "
        f"{config.mode_range_sd:g}, 0 and plus {config.mode_range_sd:g} standard deviations; the "
        "mean colored by anatomy, the ends by signed displacement from the mean",
        "pixels",
    )


def _cell(values: Mapping[str, float | int]) -> HiddenCell:
    predicted, mean_shape = values["predicted_mm"], values["mean_shape_mm"]
    change = round(100 * (predicted / mean_shape - 1)) if mean_shape else 0
    count = int(values["subjects"])
    return HiddenCell(
        f"{predicted:.2f}",
        f"{mean_shape:.2f}",
        f"{abs(change)} % {'lower' if change < 0 else 'higher'}" if change else "the same",
        f"{round(values['better'] * count)} of {count}",
        change < 0,
    )


def render(material: Material) -> Fragment | None:
    """Make the section; None where the configuration names no joint model."""
    joint = joint_view(material.run, material.config, material.gallery)
    if joint is None:
        return None
    return Fragment(fill("sections/joint", joint=joint), {"modes": {NAME: joint.modes_data}})


SECTION = PageSection("joint", "Several anatomies jointly", "Joint model", render)
