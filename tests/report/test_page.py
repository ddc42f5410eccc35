import base64
import json
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.report import page as page_module
from massm.report.page import build_page
from massm.report.run.sources import read_run
from massm.report.sections import training
from massm.report.sections.section import Fragment, PageSection
from tests.evaluate.synthetic import ANATOMIES, MISSED, reported


@pytest.fixture(scope="module")
def page(made):
    return (made / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def figures(made):
    return made / "figures"


def own_part(page):
    """The page without plotly's own code."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def data_of(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[
        1
    ]
    return json.loads(text)


def test_nothing_is_fetched_from_elsewhere(page):
    sources = re.findall(r'(?:src|href)="([^"]*)"', own_part(page))
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "@import" not in page.split("</style>")[0]


def test_every_element_is_closed(page):
    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "link", "br", "input"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    balance = Balance()
    balance.feed(own_part(page))
    assert balance.open == []


def test_text_from_outside_is_escaped(page):
    assert "Shape &amp; &lt;anatomies&gt;" in page
    assert "<anatomies>" not in page


def test_page_says_what_was_found_and_what_was_left_out(page):
    text = own_part(page)
    assert "1 false positive, 1 known absent" in text
    assert "cut by the field of view" in text
    assert "surface_samples: 5000" in text
    assert "MASSM 50 % lower" in text
    assert "correspond/spleen.npz" in text


def test_each_anatomy_has_a_mesh_with_its_error(page):
    data = data_of(page)
    assert set(data["cases"]) == set(ANATOMIES)
    case = data["cases"]["spleen"]["cases"][0]
    error = np.frombuffer(base64.b64decode(case["error"]), "<f4")
    assert 1.5 < error.max() < 2.1
    assert len(data["modes"]["spleen"]["modes"]) == 2
    assert len(data["scroll"]["ct"]["axial"]) == 5


def test_the_ct_shown_is_of_a_subject_with_all_anatomies(page):
    assert f"Subject {MISSED[0]}:" not in own_part(page).split('id="surfaces"')[0]


def test_every_figure_lies_beside_the_page_as_svg_and_png(page, figures):
    names = {path.stem for path in figures.glob("*.svg")}
    assert names == {path.stem for path in figures.glob("*.png")}
    assert {"box_local_surface_mean", "box_world_particle_rmse", "error_spleen"} <= names
    assert {"slices", "modes_kidney_left", "training_massm", "shape_model"} <= names


def test_a_run_without_world_heads_ct_or_training_has_a_page_without_them(material):
    heads = ["local", "detection"]
    run, shown = material.run, material.shown
    values = shown.values[shown.values["anatomy"] == "spleen"]
    shown = replace(
        shown,
        values=values[values["head"].isin(heads)],
        summary=shown.summary[shown.summary["head"].isin(heads)],
        tests=shown.tests.iloc[:0],
    )
    bare = replace(
        run,
        anatomies=("spleen",),
        subjects=run.subjects.assign(image=""),
        histories={},
        joint=None,
    )
    page = own_part(build_page(replace(material, run=bare, shown=shown)))
    for section in ("world", "ct", "joint", "training"):
        assert f'id="{section}"' not in page
        assert f'href="#{section}"' not in page
    assert 'id="results"' in page


def test_a_new_section_is_a_module_and_a_line_in_the_table(material, monkeypatch):
    def render(material):
        text = f"<p>Of {escape(material.config.title)}.</p>"
        return Fragment(text, {"cases": {"mine": {"x": 1}}})

    mine = PageSection("mine", "A section of mine", "Mine", render)
    monkeypatch.setattr(page_module, "SECTIONS", (mine, training.SECTION))
    page = own_part(build_page(material))
    assert re.findall(r'<section id="(\w+)">', page) == ["mine", "training"]
    assert re.findall(r'<a href="#(\w+)">', page) == ["mine", "training"]
    assert "<p>Of Shape &amp; &lt;anatomies&gt;.</p>" in page
    assert data_of(page)["cases"] == {"mine": {"x": 1}}


def test_a_stage_that_was_not_run_is_named(tmp_path, config):
    joint = config.correspond.joint
    with pytest.raises(DataError, match="run the stage"):
        read_run(tmp_path, ANATOMIES, **reported(tmp_path), joint=joint)
