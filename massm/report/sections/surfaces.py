"""Surfaces of each anatomy with their errors, and slices through them."""

import logging
from dataclasses import dataclass
from typing import Any

from massm.io import images, meshes
from massm.report.figures.gallery import Picture
from massm.report.figures.plates import case_plate, slice_plate
from massm.report.figures.slices import anatomy_frame
from massm.report.figures.viewer import case_data
from massm.report.naming import anatomy_label
from massm.report.palette import anatomy_colors
from massm.report.run.surfaces import Surfaces
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill
from massm.report.shapes.cases import Case, load_case, rank_cases

log = logging.getLogger(__name__)

_SLICE_PIXELS = 420


@dataclass(frozen=True)
class AnatomyView:
    """One anatomy's part of the section."""

    name: str
    label: str
    color: str
    cases: dict[str, Any]
    cases_picture: Picture
    slices_picture: Picture | None
    slices_caption: str


def render(material: Material) -> Fragment:
    """Make the section."""
    surfaces = Surfaces(material.run, material.shown.model)
    made = [_view(material, surfaces, name) for name in material.run.anatomies]
    views = [view for view in made if view is not None]
    data = {"cases": {view.name: view.cases for view in views}}
    return Fragment(fill("sections/surfaces", views=views), data)


def _view(material: Material, surfaces: Surfaces, anatomy: str) -> AnatomyView | None:
    """Make an anatomy's view; None where it was measured of nobody."""
    cases = _cases(material, surfaces, anatomy)
    if not cases:
        log.info("%s was measured of nobody, so none is shown", anatomy)
        return None
    label, middle = anatomy_label(anatomy), cases[len(cases) // 2]
    return AnatomyView(
        name=anatomy,
        label=label,
        color=anatomy_colors(material.run.anatomies)[anatomy],
        cases=case_data(cases),
        cases_picture=material.gallery.add(
            case_plate(cases),
            f"error_{anatomy}",
            f"{label}: the segmentation's surface colored by its distance to the prediction",
            "pixels",
        ),
        slices_picture=_slices(material, surfaces, middle.subject, anatomy),
        slices_caption=f"{middle.rank.capitalize()} case, subject {middle.subject}.",
    )


def _cases(material: Material, surfaces: Surfaces, anatomy: str) -> list[Case]:
    return [
        load_case(
            rank,
            subject,
            distance,
            true=surfaces.measured(subject, anatomy),
            predicted=surfaces.predicted(subject, anatomy),
            faces=material.config.mesh_faces,
        )
        for rank, subject, distance in rank_cases(
            material.shown.values, material.shown.model, anatomy
        )
    ]


def _slices(material: Material, surfaces: Surfaces, subject: str, anatomy: str) -> Picture | None:
    image = surfaces.image(subject)
    if image is None:
        return None
    segmentation = meshes.read(surfaces.measured(subject, anatomy))
    figure = slice_plate(
        images.read_image(image),
        {anatomy: segmentation},
        {anatomy: meshes.read(surfaces.predicted(subject, anatomy))},
        frame=anatomy_frame(segmentation.vertices, _SLICE_PIXELS),
        colors=anatomy_colors(material.run.anatomies),
        window_hu=material.config.window_hu,
    )
    text = f"{anatomy_label(anatomy)} of {subject}: CT with predicted and true outline"
    return material.gallery.add(figure, f"slices_{anatomy}", text, "pixels")


SECTION = PageSection("surfaces", "Surfaces and where they are wrong", "Surfaces", render)
