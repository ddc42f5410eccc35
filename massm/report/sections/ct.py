"""One CT to scroll through, with true and predicted outlines."""

from pathlib import Path

from massm.geometry.mesh import Mesh
from massm.io import images, meshes
from massm.report.figures.plates import slice_plate
from massm.report.figures.slices import region_frame
from massm.report.figures.viewer import anatomy_outlines, scroll_data
from massm.report.palette import anatomy_colors
from massm.report.run.surfaces import Surfaces
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill
from massm.report.shapes.cases import typical_subject

_SCROLL_PIXELS = 320
_SLICE_PIXELS = 420


def render(material: Material) -> Fragment | None:
    """Make the section of the median subject; None where there is no CT."""
    shown = material.shown
    subject = typical_subject(shown.values, shown.model)
    surfaces = Surfaces(material.run, shown.model)
    image = surfaces.image(subject) if subject else None
    if subject is None or image is None:
        return None
    anatomies = material.run.anatomies
    true = _read({name: surfaces.true(subject, name) for name in anatomies})
    predicted = _read({name: surfaces.predicted(subject, name) for name in anatomies})
    volume, everything = images.read_image(image), [*true.values(), *predicted.values()]
    colors, window = anatomy_colors(anatomies), material.config.window_hu
    frame = region_frame(volume, everything, _SLICE_PIXELS)
    picture = material.gallery.add(
        slice_plate(volume, true, predicted, frame=frame, colors=colors, window_hu=window),
        "slices",
        f"CT of {subject} in three planes with predicted and true outlines",
        "pixels",
    )
    data = scroll_data(
        volume,
        true,
        predicted,
        frame=region_frame(volume, everything, _SCROLL_PIXELS),
        lines=anatomy_outlines(colors),
        window_hu=window,
        slices=material.config.slices,
    )
    html = fill("sections/ct", subject=subject, split=shown.split, picture_of_it=picture)
    return Fragment(html, {"scroll": {"ct": data}})


def _read(files: dict[str, Path | None]) -> dict[str, Mesh]:
    return {
        name: meshes.read(path)
        for name, path in files.items()
        if path is not None and path.is_file()
    }


SECTION = PageSection("ct", "One CT, as the model sees it", "CT", render)
