"""The configuration's page is written from the sections themselves."""

from pathlib import Path

import pytest

from massm.config.loading import read_yaml
from massm.config.reference import main, reference

ROOT = Path(__file__).parents[2]


@pytest.fixture
def values():
    return read_yaml(ROOT / "config.yaml")


def test_the_page_in_docs_is_up_to_date(values):
    page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert page == reference(values), "run make reference"


def test_every_key_has_a_meaning(values):
    rows = [line for line in reference(values).splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    without = [row for row in rows if row.replace("\\|", "").split("|")[4].strip() == ""]
    assert without == []


def test_a_row_says_type_limits_and_value(values):
    rows = reference(values).splitlines()
    assert "| `epochs` | integer > 0 | `300` | Passes over the training split. |" in rows
    assert any(row.startswith("| `layout` | `totalsegmentator`, `table` |") for row in rows)
    assert any(row.startswith("| `root` | path or null | `null` |") for row in rows)


def test_a_family_without_an_entry_is_described_too(values):
    given = values["models"].pop("deepssm_world_detected")
    lines = reference(values).splitlines()
    begin = lines.index("### `models.NAME`, family `variant`")
    assert any(line.startswith("| `of` | text | (not given) |") for line in lines[begin:])
    values["models"]["mine"] = given
    assert "### `models.NAME`, family `variant`" not in reference(values).splitlines()


def test_an_entry_like_another_tells_what_differs(values):
    lines = reference(values).splitlines()
    begin = lines.index("### `models.deepssm_world`")
    assert "- `encoder.padded`: `false`" in lines[begin : begin + 15]
    assert "#### `models.deepssm_world.encoder`" not in lines


def test_nested_sections_have_chapters_of_their_own(values):
    lines = reference(values).splitlines()
    assert "### `train.augment`" in lines
    assert "#### `models.massm.backbone`" in lines
    assert lines.index("### `models.massm`") < lines.index("### `models.truth`")
    assert lines.index("## `groom`") < lines.index("### `groom.surface`")


def test_check_fails_on_an_old_page_and_writes_nothing(tmp_path, capsys):
    page = tmp_path / "config.md"
    page.write_text("old")
    arguments = [str(page), "--config", str(ROOT / "config.yaml")]
    assert main([*arguments, "--check"]) == 1
    assert "make reference" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "old"
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
