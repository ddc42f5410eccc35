"""The shape models: how good they are, and each one's modes, particles and worst subjects."""

from massm.report.figures.curves import shape_model_curves
from massm.report.run.cohort import quality_rows
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.shape_views import shape_views
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment:
    """Make the section."""
    run = material.run
    views = shape_views(run, material.config, material.gallery)
    html = fill(
        "sections/shape_models",
        shapes=views,
        quality=quality_rows(run.quality, run.groomed, run.anatomies),
        curves_picture=material.gallery.add(
            shape_model_curves(run.curves, run.anatomies),
            "shape_model",
            "compactness, specificity and generalization (particles, surface) of the shape models "
            "against the number of modes, one line for each anatomy",
            "lines",
        ),
    )
    return Fragment(html, {"modes": {v.name: v.modes_data for v in views if v.modes_data}})


SECTION = PageSection("shape", "Shape models", "Shape models", render)
