"""One line for each file, taken from the file itself: its docstring or the comment it begins with.

So the page cannot fall behind: a file that says nothing of itself is a warning, which
``mkdocs build --strict`` takes for an error.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("massm", "workflow", "benchmarks", "docs/hooks", "envs", "profiles", "tests")
_KINDS = {".py", ".smk", ".yaml", ".css", ".js", ".j2"}
_COMMENT = re.compile(r"\A(?:#|//|/\*|\{#-?)\s*(.*?)(?:\n(?!#|//)|\*/|-?#\}|\Z)", re.DOTALL)


def page_of_files(root: Path) -> tuple[str, list[str]]:
    """Write the lines of all files, folder by folder.

    Args:
        root: The repository.

    Returns:
        Markdown, and the files that say nothing of themselves.
    """
    lines, silent = [], []
    for folder in _folders(root):
        name = folder.relative_to(root).as_posix()
        lines += [f"## `{name}` {{#{anchor_of(name)}}}", "", "| file | what |", "|---|---|"]
        for file in _files(folder):
            said = line_of(file, root)
            if not said:
                silent.append(file.relative_to(root).as_posix())
            lines.append(f"| `{file.name}` | {said.replace('|', chr(92) + '|')} |")
        lines.append("")
    return "\n".join(lines), silent


def anchor_of(folder: str) -> str:
    """Name the place of a folder on the page."""
    return "folder-" + re.sub(r"\W+", "-", folder)


def line_of(file: Path, root: Path) -> str:
    """Return the first sentence that a file says of itself; what it belongs to, if it says none."""
    text = file.read_text(encoding="utf-8")
    said = _docstring(text) if file.suffix in {".py", ".smk"} else None
    if said is None:
        found = _COMMENT.match(text)
        said = re.sub(r"\n(?:#|//) ?", " ", found[1]) if found else ""
    return _first_sentence(said) or _belongs_to(file, root)


def _folders(root: Path) -> Iterator[Path]:
    for name in FOLDERS:
        top = root / name
        inner = sorted(path for path in top.rglob("*") if path.is_dir())
        yield from (folder for folder in (top, *inner) if _files(folder))


def _files(folder: Path) -> list[Path]:
    if folder.name.startswith((".", "_")):
        return []
    return sorted(
        file
        for file in folder.iterdir()
        if file.is_file()
        and file.suffix in _KINDS
        and (file.stat().st_size or file.suffix != ".py")
    )


def _docstring(text: str) -> str | None:
    """Read a docstring; rule files are Python in their first lines alone."""
    try:
        return ast.get_docstring(ast.parse(text))
    except SyntaxError:
        found = re.match(r'"""(.*?)"""', text, re.DOTALL)
        return found[1] if found else None


def _first_sentence(text: str) -> str:
    words = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=[.:;])\s(?=[A-Z`]|\Z)", words)[0].rstrip(":;")


def _belongs_to(file: Path, root: Path) -> str:
    """Name the module that a test mirrors, or that a template or script stands beside."""
    if file.name.startswith("test_"):
        inside = file.relative_to(root / "tests").with_name(file.name.removeprefix("test_"))
        tested = root / "massm" / inside
        if tested.is_file():
            return f"Tests of `massm/{inside.as_posix()}`."
        if tested.with_suffix("").is_dir():
            return f"Tests of `massm/{inside.with_suffix('').as_posix()}`."
    module = file.with_name(file.name.split(".")[0] + ".py")
    return f"Belongs to `{module.name}`." if module.is_file() and module != file else ""
