"""Templates of the page and its sections, and the files that stand beside them."""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import jinja2

from massm.report.run.words import duration

_ROOT: Traversable = resources.files("massm.report")


def fill(name: str, **values: Any) -> str:
    """Fill in a template of this package; a value that it lacks is an error, text is escaped.

    Args:
        name: Path below ``massm/report`` without its ending, as in ``sections/cohort``.
        values: By name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment.get_template(f"{name}.html.j2").render(values)


def part(name: str) -> str:
    """Read a file of this package by its path below ``massm/report``."""
    return _ROOT.joinpath(*name.split("/")).read_text(encoding="utf-8")
