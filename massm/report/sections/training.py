"""Training curves of every model."""

from massm.report.figures.gallery import Picture
from massm.report.figures.training import training_curves
from massm.report.naming import anatomy_label
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill

_ALL_SHOWN = 4  # pictures; of more each model's are folded up, but for the first model


def render(material: Material) -> Fragment | None:
    """Make the section; None where nothing was trained."""
    if not material.run.histories:
        return None
    names = material.shown.names
    pictures: dict[str, list[Picture]] = {}
    for network in names.networks(material.run.histories):
        model, _, part = network.partition("/")
        label = f"{names.model(model)}, {anatomy_label(part)}" if part else names.model(model)
        picture = material.gallery.add(
            training_curves(material.run.histories[network], label),
            f"training_{network.replace('/', '-')}",
            f"training curves of {label}",
            "lines",
        )
        pictures.setdefault(names.model(model), []).append(picture)
    folded = len(material.run.histories) > _ALL_SHOWN
    return Fragment(fill("sections/training", training=pictures, folded=folded))


SECTION = PageSection("training", "Training", "Training", render)
