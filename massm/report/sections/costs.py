"""What each model costs beside how good it is."""

from massm.report.run.facts import machine
from massm.report.run.words import DASH
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where nothing was measured."""
    costs = material.costs
    if all(cost.scan == DASH and cost.training == DASH for cost in costs):
        return None
    return Fragment(fill("sections/costs", costs=costs, machine=machine()))


SECTION = PageSection("costs", "What each model costs", "Cost", render)
