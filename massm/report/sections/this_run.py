"""What was run: costs, configuration, versions, hashes."""

import yaml

from massm.machine.versions import package_versions
from massm.report.run.facts import file_hashes, machine
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment:
    """Make the section."""
    costs = material.run.costs
    html = fill(
        "sections/this_run",
        costs=costs.to_dict("records"),
        longest_cost=float(costs["hours"].max()) if len(costs) else 0.0,
        configuration=yaml.safe_dump(dict(material.configuration), sort_keys=False, width=90),
        versions=package_versions(),
        machine=machine(),
        hashes=file_hashes(material.run.results),
    )
    return Fragment(html)


SECTION = PageSection("run", "This run", "This run", render)
