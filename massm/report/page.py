"""The page: everything in one file that opens without a network."""

import json
import logging
from collections.abc import Iterable
from typing import Any

from plotly.offline import get_plotlyjs

from massm.report.figures.rendering import CHANGE_COLORS, ERROR_COLORS
from massm.report.sections import (
    claims,
    cohort,
    compare,
    costs,
    ct,
    detection,
    image_results,
    joint,
    overview,
    shape_models,
    sureness,
    surfaces,
    this_run,
    training,
    world_results,
)
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill, part

log = logging.getLogger(__name__)

SECTIONS: tuple[PageSection, ...] = (
    ct.SECTION,
    surfaces.SECTION,
    compare.SECTION,
    image_results.SECTION,
    detection.SECTION,
    sureness.SECTION,
    world_results.SECTION,
    claims.SECTION,
    costs.SECTION,
    shape_models.SECTION,
    joint.SECTION,
    training.SECTION,
    cohort.SECTION,
    this_run.SECTION,
)
"""In the order of the page: a new section is a module of ``sections`` and its line here."""

_SCRIPTS = (  # of viewers/, in this order
    "tools", "cases", "modes", "scroll", "tables", "turntable", "compare", "start",
)  # fmt: skip


def build_page(material: Material) -> str:
    """Draw every figure, fill in every section, and return the page.

    Must be called with :data:`massm.report.figures.style.STYLE` in force.

    Args:
        material: What the sections are made from.
    """
    made = []
    for section in SECTIONS:
        fragment = section.render(material)
        if fragment is not None:
            made.append((section, fragment))
        log.info("%s: %s", section.title, "left out" if fragment is None else "done")
    return fill(
        "page",
        title=material.config.title,
        overview=overview.render(material),
        sections=made,
        data=_for_script(_merged(fragment for _, fragment in made)),
        plotly=get_plotlyjs(),
        style=part("page.css"),
        script=_script(),
    )


def _merged(fragments: Iterable[Fragment]) -> dict[str, Any]:
    """Bring the data of all sections together by viewer."""
    data: dict[str, Any] = {
        "colors": {"error": ERROR_COLORS, "change": CHANGE_COLORS},
    }
    for fragment in fragments:
        for viewer, shown in fragment.data.items():
            data.setdefault(viewer, {}).update(shown)
    return data


def _script() -> str:
    """Put the viewers' files into one function: their names meet no others."""
    body = "\n".join(part(f"viewers/{name}.js") for name in _SCRIPTS)
    return f"(() => {{\n{body}}})();"


def _for_script(data: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
