"""Every model's errors in the aligned frame of each anatomy."""

from massm.evaluate.rows import DETECTION, LOCAL
from massm.report.sections.comparison import compare_frame
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where no model gives particles in that frame."""
    heads = sorted(set(material.shown.summary["head"]) - {LOCAL, DETECTION})
    if not heads:
        return None
    world = compare_frame(material, heads, "world")
    return Fragment(fill("sections/world_results", world=world))


SECTION = PageSection("world", "Results in the population's frame", "World", render)
