"""How far off a prediction may be, and whether that holds."""

from massm.report.figures.reliability import reliability_curves
from massm.report.run.sureness import tell_sureness
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where no model has intervals."""
    coverage, shown, anatomies = material.run.coverage, material.shown, material.run.anatomies
    if coverage is None or coverage.empty:
        return None
    told = tell_sureness(coverage, shown.model, anatomies, shown.names)
    picture = None
    if told.curve["n"].any():
        picture = material.gallery.add(
            reliability_curves(told.curve, told.model, anatomies),
            "reliability",
            "promised coverage against what was found, for shares of particles and whole anatomies",
            "lines",
        )
    html = fill("sections/sureness", told=told, confidence=shown.confidence, drawn=picture)
    return Fragment(html)


SECTION = PageSection("sureness", "How sure", "How sure", render)
