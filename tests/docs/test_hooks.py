"""What is made of the repository while the site is built."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_file_says_what_it_is_by_docstring_or_comment(hook, tmp_path):
    line_of = hook("first_lines").line_of
    texts = {
        "a.py": '"""Do this.\n\nAnd more."""\n',
        "b.smk": '"""Rules of that; and more."""\n\n\nrule x:\n    input:\n        "y",\n',
        "c.yaml": "# The paper: as\n# printed. More of it.\na: 1\n",
        "d.js": "// Turns surfaces.\nx;\n",
        "e.css": "/* Looks. */\n",
        "f.j2": "{#- A page. -#}\n<p>\n",
        "g.py": "x = 1\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    said = {name: line_of(tmp_path / name, tmp_path) for name in texts}
    assert said == {
        "a.py": "Do this.",
        "b.smk": "Rules of that; and more.",
        "c.yaml": "The paper: as printed.",
        "d.js": "Turns surfaces.",
        "e.css": "Looks.",
        "f.j2": "A page.",
        "g.py": "",
    }


def test_a_test_without_a_docstring_names_what_it_tests(hook, tmp_path):
    for name in ("massm/io/meshes.py", "tests/io/test_meshes.py", "massm/io/page.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "massm/io/page.css").write_text("a {}\n")
    line_of = hook("first_lines").line_of
    assert (
        line_of(tmp_path / "tests/io/test_meshes.py", tmp_path) == "Tests of `massm/io/meshes.py`."
    )
    assert line_of(tmp_path / "massm/io/page.css", tmp_path) == "Belongs to `page.py`."


def test_every_file_has_its_line(hook):
    page, silent = hook("first_lines").page_of_files(ROOT)
    assert silent == []
    assert "| `objective.py` |" in page
    modules = [path for path in ROOT.glob("massm/**/*.py") if path.stat().st_size]
    assert page.count("\n| `") >= len(modules)


def test_every_command_and_option_is_listed(hook):
    from massm.cli.app import app

    page = hook("command_pages").page_of_commands(app)
    for command in app.registered_commands:
        assert f"## `massm {command.callback.__name__}`" in page
    rows = [row for row in page.splitlines() if row.startswith("| `")]
    assert any(
        row.startswith("| `--out`{.whole}, `-o`{.whole} | `DIR` | required | ") for row in rows
    )
    assert any(row.startswith("| `--device`{.whole} | `cpu` or `cuda` | `cpu` | ") for row in rows)
    flags = "`--label-map`{.whole}, `--no-label-map`{.whole}"
    assert any(row.startswith(f"| {flags} |  | `--label-map` |") for row in rows)
    assert all(row.rsplit("|", 2)[1].strip() for row in rows), "an option without help"
    assert "[cyan]" not in page


def test_equations_become_mathml_and_keep_their_source(hook):
    pytest.importorskip("latex2mathml", reason="needs the extra docs: make docs")
    with_mathml = hook("equations").with_mathml
    inline = with_mathml(r'<p>a <span class="arithmatex">\(x_j &lt; 1\)</span></p>')
    assert inline.startswith('<p>a <math alttext="x_j &lt; 1"')
    assert "<msub><mi>x</mi><mi>j</mi></msub>" in inline
    block = with_mathml('<div class="arithmatex">\\[\n\\frac{a}{b}\n\\]</div>')
    assert block.startswith('<div class="equation"><math')
    assert 'display="block"' in block
    assert "<mfrac>" in block
    assert with_mathml("<p>5 $ and 6 $</p>") == "<p>5 $ and 6 $</p>"


def test_roles_of_docstrings_become_links_where_the_name_is_full(hook):
    plain = hook("docstring_markup").plain
    assert plain(":func:<code>fit</code>") == "<code>fit</code>"
    name = "massm.io.meshes.Mesh"
    linked = f'<autoref identifier="{name}" optional><code>{name}</code></autoref>'
    assert plain(f":class:<code>{name}</code>") == linked
    name = "massm.io.meshes.Mesh"
    linked = f'<autoref identifier="{name}" optional><code>{name}</code></autoref>'
    assert plain(f":class:<code>{name}</code>") == linked
    assert plain("<p>With p::</p>") == "<p>With p:</p>"


def test_every_module_of_a_room_is_on_its_page(hook):
    pages = hook("room_pages")
    assert {"geometry", "pdm", "models", "inference"} <= set(pages.rooms_of(ROOT))
    assert "config" not in pages.rooms_of(ROOT)
    page = pages.room_page(ROOT, "pdm")
    docstring = ast.get_docstring(ast.parse((ROOT / "massm/pdm/__init__.py").read_text()))
    assert page.startswith(f"# massm.pdm\n\n{docstring}\n\n")
    assert "::: massm.pdm.embedded.engine\n" in page
    assert page.count("\n::: ") == len(
        [path for path in ROOT.glob("massm/pdm/**/*.py") if path.name != "__init__.py"]
    )


@pytest.mark.parametrize("page", ["cli.md", "files.md"])
def test_pages_that_are_filled_say_where(page):
    assert (ROOT / "docs" / page).read_text(encoding="utf-8").count("<!-- ") == 1
