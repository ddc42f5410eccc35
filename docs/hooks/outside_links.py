"""Links that lead out of ``docs/``: on a code host to files, in the site to pages made of them.

Modules become the reference of their room, documents at the root become pages, any other file a
page that shows it, any other folder its place in the list of files.
"""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from first_lines import anchor_of

ROOT_PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
FILES_PAGE = "files.md"
_CODE = re.compile(
    r"^ *```.*?^ *``` *$|\[`(?P<name>\w+)`\]\((?P<module>[^)\s#]+\.py)\)|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?(?=\))")


@dataclass
class Links:
    """Turns links of documents into links of the site.

    Attributes:
        root: The repository.
        rooms: Rooms of the package that have a page of reference.
        shown: Files that pages link to and that get a page for it.
        broken: Links that lead nowhere, each with the document it stands in.
    """

    root: Path
    rooms: tuple[str, ...]
    shown: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def turned(self, text: str, document: str, page: str) -> str:
        """Turn the links of a document.

        Args:
            text: Markdown; code in it stays as it is.
            document: Where it lies in the repository, ``docs/config.md``.
            page: The page it becomes, ``config.md``.
        """
        parts, end = [], 0
        for code in _CODE.finditer(text):
            parts += [self._prose(text[end : code.start()], document, page), code[0]]
            if code["name"]:  # of a function: the link leads to it, not to its module alone
                linked = self._prose(f"]({code['module']})", document, page)[:-1]
                parts[-1] = f"[`{code['name']}`{linked}{'.' if '#' in linked else ''}"
                parts[-1] += (code["name"] if "#" in linked else "") + ")"
            end = code.end()
        return "".join([*parts, self._prose(text[end:], document, page)])

    def _prose(self, text: str, document: str, page: str) -> str:
        # Code inside a link's own text, [`x.py`](x.py), cuts the link: its target is in this part.
        return _LINK.sub(lambda found: self._turn(found, document, page), text)

    def _turn(self, found: re.Match[str], document: str, page: str) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if not target or ":" in target:
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document), target))
        if not (self.root / path).exists():
            self.broken.append(f"{document}: {target}")
            return found[0]
        goal = self._page_of(path) + anchor
        here = posixpath.dirname(page)
        name, mark, place = goal.partition("#")
        return posixpath.relpath(name, here or ".") + mark + place

    def _page_of(self, path: str) -> str:
        if path.startswith("docs/") and not path.startswith("docs/hooks"):
            return path.removeprefix("docs/")
        if path in ROOT_PAGES:
            return ROOT_PAGES[path]
        name, *inner = path.removesuffix(".py").split("/")
        if name == "massm" and inner and inner[0] in self.rooms:
            place = "" if len(inner) == 1 else f"#{'.'.join(['massm', *inner])}"
            if place == "" or path.endswith(".py"):
                return f"api/{inner[0]}.md{place}"
        if (self.root / path).is_dir():
            return f"{FILES_PAGE}#{anchor_of(path)}"
        self.shown.add(path)
        return shown_page(path)


def shown_page(path: str) -> str:
    """Name the page that shows a file."""
    return f"source/{path}.md"


def page_that_shows(path: str, text: str) -> str:
    """Write the page that shows a file."""
    suffix = path.rpartition(".")[2]
    language = {"smk": "python", "py": "python", "yaml": "yaml", "toml": "toml"}.get(suffix, "text")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"# `{path}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
