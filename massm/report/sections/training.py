"""Training curves of every model."""

from massm.report.figures.training import training_curves
from massm.report.naming import model_label
from massm.report.sections.section import Fragment, Material, Section
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where nothing was trained."""
    if not material.run.histories:
        return None
    pictures = [
        material.gallery.add(
            training_curves(history, model),
            f"training_{model}",
            f"training curves of {model_label(model)}",
            "lines",
        )
        for model, history in material.run.histories.items()
    ]
    return Fragment(fill("sections/training", training=pictures))


SECTION = Section("training", "Training", "Training", render)
