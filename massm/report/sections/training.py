"""Training curves of every model."""

from massm.report.figures.training import training_curves
from massm.report.naming import anatomy_label
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where nothing was trained."""
    if not material.run.histories:
        return None
    names = material.shown.names
    pictures = []
    for network, history in material.run.histories.items():
        model, _, part = network.partition("/")
        label = f"{names.model(model)}, {anatomy_label(part)}" if part else names.model(model)
        pictures.append(
            material.gallery.add(
                training_curves(history, label),
                f"training_{network.replace('/', '-')}",
                f"training curves of {label}",
                "lines",
            )
        )
    return Fragment(fill("sections/training", training=pictures))


SECTION = PageSection("training", "Training", "Training", render)
