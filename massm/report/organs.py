"""What the page shows of each anatomy: slices, and surfaces with their errors."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from massm.config.report import ReportConfig
from massm.geometry.mesh import Mesh
from massm.io import images, meshes
from massm.report.cases import load_case, rank_cases, typical_subject
from massm.report.gallery import Gallery, Picture
from massm.report.naming import anatomy_colors, anatomy_label
from massm.report.plates import case_plate, slice_plate
from massm.report.slices import organ_frame, region_frame
from massm.report.sources import RunTables, groomed_surfaces
from massm.report.viewer import case_data, scroll_data

log = logging.getLogger(__name__)

_SCROLL_PIXELS = 320
_SLICE_PIXELS = 420


@dataclass(frozen=True)
class OrganView:
    """One anatomy's part of the page."""

    name: str
    label: str
    color: str
    cases: dict[str, Any]
    cases_picture: Picture
    slices_picture: Picture | None
    slices_caption: str


@dataclass(frozen=True)
class ScrollView:
    """The CT to scroll through."""

    subject: str
    data: dict[str, Any]
    picture: Picture


class Surfaces:
    """Finds the files of true and predicted surfaces and of images."""

    def __init__(self, run: RunTables, model: str) -> None:
        """Remember where things are.

        Args:
            run: The run's tables.
            model: Whose predictions are shown.
        """
        self._true = groomed_surfaces(run)
        self._images = {str(row.subject): str(row.image) for row in run.subjects.itertuples()}
        self._predicted = run.results / "reconstruct" / model

    def true(self, subject: str, anatomy: str) -> Path | None:
        """Return the groomed segmentation's surface."""
        return self._true.get((subject, anatomy))

    def predicted(self, subject: str, anatomy: str) -> Path:
        """Return the predicted surface; it is there only if the organ was found."""
        return self._predicted / subject / f"{anatomy}.vtp"

    def image(self, subject: str) -> Path | None:
        """Return the subject's CT; None in a cohort of meshes."""
        image = self._images.get(subject, "")
        return Path(image) if image else None


def organ_views(
    run: RunTables, values: pd.DataFrame, model: str, config: ReportConfig, gallery: Gallery
) -> list[OrganView]:
    """Make the views of every anatomy of which an organ was measured."""
    surfaces = Surfaces(run, model)
    colors = anatomy_colors(run.anatomies)
    views = []
    for anatomy in run.anatomies:
        ranked = rank_cases(values, model, anatomy)
        if not ranked:
            log.info("%s: no organ was measured, so none is shown", anatomy)
            continue
        cases = [
            load_case(
                *(rank, subject, distance),
                true=_there(surfaces.true(subject, anatomy)),
                predicted=surfaces.predicted(subject, anatomy),
                faces=config.mesh_faces,
            )
            for rank, subject, distance in ranked
        ]
        label = anatomy_label(anatomy)
        middle = cases[len(cases) // 2]
        picture = gallery.add(
            case_plate(cases),
            f"error_{anatomy}",
            f"{label}: the segmentation's surface colored by its distance to the prediction",
            "pixels",
        )
        slices = _organ_slices(surfaces, middle.subject, anatomy, colors[anatomy], config, gallery)
        views.append(
            OrganView(
                *(anatomy, label, colors[anatomy], case_data(cases), picture, slices),
                f"{middle.rank.capitalize()} case, subject {middle.subject}.",
            )
        )
        log.info("%s: %d cases drawn", anatomy, len(cases))
    return views


def _there(path: Path | None) -> Path:
    if path is None:
        raise ValueError("an organ was measured against a segmentation that was not groomed")
    return path


def _organ_slices(
    surfaces: Surfaces,
    subject: str,
    anatomy: str,
    color: str,
    config: ReportConfig,
    gallery: Gallery,
) -> Picture | None:
    image, true = surfaces.image(subject), surfaces.true(subject, anatomy)
    if image is None or true is None:
        return None
    segmentation = meshes.read(true)
    figure = slice_plate(
        images.read_image(image),
        {anatomy: segmentation},
        {anatomy: meshes.read(surfaces.predicted(subject, anatomy))},
        frame=organ_frame(segmentation.vertices, _SLICE_PIXELS),
        colors={anatomy: color},
        window_hu=config.window_hu,
    )
    text = f"{anatomy_label(anatomy)} of {subject}: CT with predicted and true outline"
    return gallery.add(figure, f"slices_{anatomy}", text, "pixels")


def scroll_view(
    run: RunTables, values: pd.DataFrame, model: str, config: ReportConfig, gallery: Gallery
) -> ScrollView | None:
    """Make the CT view of the median test subject; None where there is no CT."""
    subject = typical_subject(values, model)
    surfaces = Surfaces(run, model)
    image = surfaces.image(subject) if subject else None
    if subject is None or image is None:
        return None
    volume = images.read_image(image)
    true: dict[str, Mesh] = {}
    predicted: dict[str, Mesh] = {}
    for anatomy in run.anatomies:
        path = surfaces.true(subject, anatomy)
        if path is not None:
            true[anatomy] = meshes.read(path)
        if surfaces.predicted(subject, anatomy).is_file():
            predicted[anatomy] = meshes.read(surfaces.predicted(subject, anatomy))
    surfaces_shown = [*true.values(), *predicted.values()]
    colors = anatomy_colors(run.anatomies)
    data = scroll_data(
        *(volume, true, predicted),
        frame=region_frame(volume, surfaces_shown, _SCROLL_PIXELS),
        colors=colors,
        window_hu=config.window_hu,
        slices=config.slices,
    )
    figure = slice_plate(
        *(volume, true, predicted),
        frame=region_frame(volume, surfaces_shown, _SLICE_PIXELS),
        colors=colors,
        window_hu=config.window_hu,
    )
    text = f"CT of {subject} in three planes with predicted and true outlines"
    return ScrollView(subject, data, gallery.add(figure, "slices", text, "pixels"))
