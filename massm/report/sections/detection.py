"""How well the model that is shown finds what is there."""

from massm.report.figures.curves import center_errors
from massm.report.run.detection import detection_rows, within_measures
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment:
    """Make the section."""
    shown, anatomies = material.shown, material.run.anatomies
    label = shown.names.model(shown.model)
    html = fill(
        "sections/detection",
        model=label,
        confidence=shown.confidence,
        detection=detection_rows(shown.summary, shown.values, shown.model, anatomies),
        within=[label for _, label in within_measures(shown.summary)],
        detection_picture=material.gallery.add(
            center_errors(shown.values, shown.model, label, anatomies),
            "detection",
            "share of structures whose center is found within a distance",
            "lines",
        ),
    )
    return Fragment(html)


SECTION = PageSection("detection", "Detection", "Detection", render)
