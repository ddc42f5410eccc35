"""What MkDocs calls while it builds the site: pages made of the repository, links, equations."""

import logging
from pathlib import Path
from typing import Any

from command_pages import page_of_commands
from docstring_markup import plain
from equations import with_mathml
from first_lines import page_of_files
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from outside_links import ROOT_PAGES, Links, page_that_shows, shown_page
from room_pages import room_page, rooms_of

from massm.cli.app import app

ROOT = Path(__file__).parents[2]
log = logging.getLogger("mkdocs.hooks.events")
links = Links(ROOT, rooms_of(ROOT))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the pages of the rooms to the navigation."""
    pages = [{f"massm.{room}": f"api/{room}.md"} for room in links.rooms]
    _place(config.nav or [], "python.md").extend(pages)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents at the root, the rooms, and every file that a page links to."""
    made = {page: _read(document) for document, page in ROOT_PAGES.items()}
    made |= {f"api/{room}.md": room_page(ROOT, room) for room in links.rooms}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    for file in files.documentation_pages():
        links.turned(file.content_string, _document_of(file.src_uri), file.src_uri)
    for path in sorted(links.shown):
        shown = page_that_shows(path, _read(path))
        files.append(File.generated(config, shown_page(path), content=shown))
    for link in links.broken:
        log.warning("%s leads nowhere", link)
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Turn links that lead out of docs/; fill the pages that say so."""
    uri = page.file.src_uri
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", page_of_commands(app))
    if "<!-- files -->" in markdown:
        lines, silent = page_of_files(ROOT)
        markdown = markdown.replace("<!-- files -->", lines)
        for file in silent:
            log.warning("%s has no docstring or comment that says what it is", file)
    if uri.startswith(("api/", "source/")):
        return markdown
    return links.turned(markdown, _document_of(uri), uri)


def on_page_content(html: str, *, page: Page, **_: Any) -> str:
    """Draw equations; tidy what docstrings hold."""
    return plain(html) if page.file.src_uri.startswith("api/") else with_mathml(html)


def _document_of(page: str) -> str:
    """Name the document of the repository that becomes a page."""
    documents = {name: document for document, name in ROOT_PAGES.items()}
    return documents.get(page, f"docs/{page}")


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _place(nav: list[Any], page: str) -> list[Any]:
    """Find the part of the navigation that lists a page."""
    for entry in nav:
        inner = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if inner == page:
            return nav
        found = _place(inner, page) if isinstance(inner, list) else []
        if found:
            return found
    return []
