"""Tables and box plots of one frame, as the image's and the world's sections show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from massm.evaluate.measures import describe
from massm.report.figures.box_data import Panel
from massm.report.figures.boxes import box_plot
from massm.report.figures.gallery import Picture
from massm.report.run.results import ResultTable, result_tables
from massm.report.sections.section import Material

_BOXES = ("surface_mean", "particle_rmse", "dice")


@dataclass(frozen=True)
class Compared:
    """Tables and box plots of one frame.

    Attributes:
        tables: One for each measure.
        models: Name of each model in the tables, and for people.
        pictures: Box plots.
    """

    tables: list[ResultTable]
    models: dict[str, str]
    pictures: list[Picture]


def compare_frame(material: Material, heads: Sequence[str], frame: str) -> Compared:
    """Make the tables and box plots of some heads.

    Args:
        material: Of the page.
        heads: Local, or the world heads.
        frame: Its name, for the figures.
    """
    shown, anatomies = material.shown, material.run.anatomies
    values = shown.values[shown.values["head"].isin(list(heads))]
    pictures = [
        material.gallery.add(
            box_plot(values, [Panel(measure)], anatomies, shown.names),
            f"box_{frame}_{measure}",
            f"box plots of {describe(measure).label}, {frame} frame",
            "lines",
        )
        for measure in _BOXES
        if measure in set(values["measure"])
    ]
    tables = result_tables(shown, heads, anatomies)
    models = {model: shown.names.model(model) for table in tables[:1] for model in table.models}
    return Compared(tables, models, pictures)
