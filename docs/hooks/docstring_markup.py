"""Markup of docstrings that Markdown does not know: roles of Sphinx, ``::`` before a formula."""

import re

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>~?(?P<name>[\w.]+)</code>")


def plain(page: str) -> str:
    """Turn roles into links where they name something in full, and ``::`` into a colon."""
    return _ROLE.sub(_named, page).replace("::</p>", ":</p>")


def _named(role: re.Match[str]) -> str:
    name = role["name"]
    code = f"<code>{name}</code>"
    full = name.startswith("massm.")
    return f'<autoref identifier="{name}" optional>{code}</autoref>' if full else code
