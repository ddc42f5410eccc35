"""The chapter on the shape models."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from massm.io.particles import load_set, save_set
from massm.report.figures.curves import shape_model_curves
from massm.report.figures.gallery import Gallery
from massm.report.sections.shape_models import render
from massm.report.sections.shape_views import shape_views
from tests.evaluate.synthetic import ANATOMIES


@pytest.fixture(scope="module")
def page(made):
    return (made / "report.html").read_text(encoding="utf-8")


def chapter(page):
    return page.partition('<section id="shape">')[2].partition("</section>")[0]


def panel(page, anatomy):
    return chapter(page).partition(f'id="shape-{anatomy}"')[2].partition("</article>")[0]


@pytest.fixture
def changed(run, tmp_path, evaluated):
    """Gives the run with other particles of some anatomies."""

    def change(**changes):
        results = tmp_path / "results"
        shutil.copytree(evaluated, results)
        for anatomy, how in changes.items():
            path = results / "correspond" / f"{anatomy}.npz"
            save_set(how(load_set(path)), path)
        return replace(run, results=results, anatomies=tuple(changes))

    return change


@pytest.fixture
def gallery(style, tmp_path):
    return Gallery(tmp_path / "figures", 30)


def training(count):
    """Leave so many of the training subjects in the training split."""

    def change(particles):
        rows = [i for i, split in enumerate(particles.splits) if split == "train"][count:]
        splits = tuple(
            "validation" if i in rows else split for i, split in enumerate(particles.splits)
        )
        return replace(particles, splits=splits)

    return change


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_each_anatomy_has_its_modes_its_particles_and_its_worst_subjects(page, made, anatomy):
    text = panel(page, anatomy)
    for figure in ("modes", "particles", "misfit"):
        assert (made / "figures" / f"{figure}_{anatomy}.svg").is_file()
    texts = re.findall(r'alt="([^"]*)"', text)
    assert len(texts) == 3
    assert "signed displacement from the mean" in texts[0]
    assert "the same color on all of them" in texts[1]
    worst = re.search(r"rebuilt worst, (s\d) \(([\d.]+)&nbsp;mm\)", text)
    assert f"{worst[1]} ({worst[2]} mm)" in texts[2]
    assert worst[1] in ("s0", "s1", "s2", "s3")  # a training subject


def test_table_has_the_numbers_of_the_curves(page):
    row = re.search(r"Spleen</th>(.*?)</tr>", chapter(page), re.DOTALL)[1]
    cells = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
    assert cells[:3] == ["4", "48", "\N{EN DASH}"]  # the synthetic curve ends below 95 %
    assert cells[3:7] == ["2", "0.72", "0.54", "1.08"]


def test_curves_show_both_kinds_of_generalization_on_one_scale(run, style):
    figure = shape_model_curves(run.curves, ANATOMIES)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:2] == ["Compactness", "Specificity"]
    particles, surface = figure.axes[2:]
    assert particles.get_ylim() == surface.get_ylim()
    np.testing.assert_allclose(surface.lines[0].get_ydata(), [0.9, 0.54, 0.324])


def test_a_page_without_enough_training_shapes_says_so(changed, material):
    run = changed(spleen=training(0), kidney_left=training(2))
    html = render(replace(material, run=run)).html
    page = f'<section id="shape">{html}</section>'
    assert "No training subject has particles of this anatomy" in panel(page, "spleen")
    assert "<img" not in panel(page, "spleen")
    two = panel(page, "kidney_left")
    assert "at least 3 training shapes; here there are 2." in two
    assert "with their particles as disks" in two
    assert "Where the model is worst" not in two


def test_one_training_shape_has_particles_but_no_modes(changed, config, gallery):
    (view,) = shape_views(changed(spleen=training(1)), config.report, gallery)
    assert view.modes_picture is view.rebuilt is None
    assert view.particles_picture is not None
    assert "here there is 1." in view.notes[1]


def test_equal_training_shapes_have_no_modes_and_no_error(changed, config, gallery):
    def alike(particles):
        return replace(particles, world=np.repeat(particles.world[:1], len(particles.world), 0))

    (view,) = shape_views(changed(spleen=alike), config.report, gallery)
    assert view.notes == ["All training shapes are the same, so there are no modes."]
    assert view.rebuilt.mean == "0.00"
