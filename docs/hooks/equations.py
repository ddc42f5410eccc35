"""Equations as MathML, made when the site is built: browsers draw them without a script.

``pymdownx.arithmatex`` marks what stands between dollars; a code host shows the same source.
"""

import html
import re

from latex2mathml.converter import convert

_MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>',
    re.DOTALL,
)


def with_mathml(page: str) -> str:
    """Put MathML in the place of every marked equation of a page."""
    return _MARKED.sub(_drawn, page)


def _drawn(found: re.Match[str]) -> str:
    tex = html.unescape(found["tex"]).strip()
    block = found["open"] == "["
    mathml = convert(tex, display="block" if block else "inline")
    label = html.escape(" ".join(tex.split()), quote=True)
    mathml = mathml.replace("<math ", f'<math alttext="{label}" ', 1)
    return f'<div class="equation">{mathml}</div>' if block else mathml
