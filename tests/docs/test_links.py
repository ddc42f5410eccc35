"""Links of the documents lead to files that are there, on a code host and in the site."""

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)\s#]*)(?:#(?P<anchor>[^)\s]*))?\)")


def prose(document):
    return FENCED.sub("", (ROOT / document).read_text(encoding="utf-8"))


def anchors(document):
    """Anchors of headings, as code hosts and the site make them."""
    titles = re.findall(r"^#+ (.*)$", prose(document), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title).strip().lower() for title in titles)
    return {re.sub(r"[ -]+", "-", title) for title in plain}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document):
    broken = []
    for link in LINK.finditer(prose(document)):
        target, anchor = link["target"], link["anchor"]
        if ":" in target:
            continue
        path = (ROOT / document).parent / target if target else ROOT / document
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(link[0])
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_lists_are_lists_in_the_site_too(document):
    """It wants four spaces before what is inside of an item, and a blank line before a list."""
    lines = prose(document).splitlines()
    shallow = [line for line in lines if re.match(r" {1,3}(?:[-*]|\d+\.) ", line)]
    assert not shallow
    inside = r"\s|[-*] |\d+\. |$"
    starts = [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r"(?:[-*]|\d+\.) ", line) and not re.match(inside, before)
    ]
    assert not starts


@pytest.fixture
def links(hook, tmp_path):
    for path in ("README.md", "docs/how/to.md", "docs/picture.svg", "massm/io/meshes.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "config.yaml").write_text("a: 1\n")
    return hook("outside_links").Links(tmp_path, ("io",))


@pytest.mark.parametrize(
    ("written", "turned"),
    [
        ("[a](docs/how/to.md#x)", "[a](how/to.md#x)"),
        ("![a](docs/picture.svg)", "![a](picture.svg)"),
        ("[`meshes.py`](massm/io/meshes.py)", "[`meshes.py`](api/io.md#massm.io.meshes)"),
        ("[`read`](massm/io/meshes.py)", "[`read`](api/io.md#massm.io.meshes.read)"),
        ("[io](massm/io)", "[io](api/io.md)"),
        ("[all](massm)", "[all](files.md#folder-massm)"),
        ("[c](config.yaml)", "[c](source/config.yaml.md)"),
        ("[web](https://a.b/c.md) [here](#x)", "[web](https://a.b/c.md) [here](#x)"),
        ("`[c](config.yaml)`", "`[c](config.yaml)`"),
        ("```\n[c](config.yaml)\n```", "```\n[c](config.yaml)\n```"),
    ],
)
def test_a_link_out_of_the_documents_becomes_one_of_the_site(links, written, turned):
    assert links.turned(written, "README.md", "index.md") == turned


def test_links_are_relative_to_their_page(links):
    turned = links.turned(
        "[r](../../README.md) [c](../../config.yaml)", "docs/how/to.md", "how/to.md"
    )
    assert turned == "[r](../index.md) [c](../source/config.yaml.md)"
    assert links.shown == {"config.yaml"}


def test_a_link_that_leads_nowhere_is_noted(links):
    links.turned("[x](massm/nothing.py)", "README.md", "index.md")
    assert links.broken == ["README.md: massm/nothing.py"]


def test_a_shown_file_may_hold_fences(hook):
    page = hook("outside_links").page_that_shows("a.md", "```\nx\n```\n")
    assert page.splitlines()[2:] == ["````text", "```", "x", "```", "````"]


def test_the_table_of_the_readme_is_that_of_its_page():
    page = (ROOT / "docs/benchmarks/openkbp.md").read_text(encoding="utf-8")
    results = (ROOT / "README.md").read_text(encoding="utf-8").split("## How good it is")[1]
    rows = [row for row in results.split("\n## ")[0].splitlines() if row.startswith("| ")]
    assert len(rows) > 5
    assert [row for row in rows if row not in page] == []
