"""Every model's errors in the image."""

from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.statistics import FEW
from massm.report.naming import anatomy_label
from massm.report.run.attrition import attrition_table
from massm.report.run.shown import Shown
from massm.report.sections.comparison import compare_frame
from massm.report.sections.matrix import subject_matrix
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment:
    """Make the section."""
    run, shown, modes = material.run, material.shown, material.oracle_modes
    html = fill(
        "sections/image_results",
        model=shown.names.model(shown.model),
        confidence=shown.confidence,
        few=FEW,
        undetecting=_undetecting(shown),
        oracle_modes="all" if modes is None else str(modes),
        local=compare_frame(material, [LOCAL], "local"),
        attrition=attrition_table(shown.attrition, run.anatomies, shown.names),
        anatomies=[anatomy_label(name) for name in run.anatomies],
        matrix=subject_matrix(shown, run.cohort, "surface_mean", run.anatomies),
    )
    return Fragment(html)


def _undetecting(shown: Shown) -> list[str]:
    """Name the models that give no detection, in the order of the tables."""
    detecting = set(shown.summary[shown.summary["head"] == DETECTION]["model"])
    others = [(str(name), "") for name in shown.summary["model"] if name not in detecting]
    return [shown.names.model(model) for model, _ in shown.names.ordered(others)]


SECTION = PageSection("results", "Results in the image", "Results", render)
