"""The reference of the package: a page for each room, filled by mkdocstrings from docstrings."""

import ast
from pathlib import Path

_SHOWN_ELSEWHERE = {"config", "cli", "stages"}
"""Rooms without a page: docs/config.md and docs/cli.md say what is in the first two; a stage is
``run(config, *, files...)``, and what its rule says."""


def rooms_of(root: Path) -> tuple[str, ...]:
    """Name the rooms that have a page."""
    folders = (path.parent.name for path in (root / "massm").glob("*/__init__.py"))
    return tuple(sorted(set(folders) - _SHOWN_ELSEWHERE))


def room_page(root: Path, room: str) -> str:
    """Write the page of a room: what it says of itself, and each of its modules."""
    folder = root / "massm" / room
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    modules = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__init__.py" and "__pycache__" not in path.parts
    ]
    blocks = [f"::: {module}" for module in modules]
    return "\n\n".join([f"# massm.{room}", said or "", *blocks]) + "\n"
