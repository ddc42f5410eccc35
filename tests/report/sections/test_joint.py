"""The joint model of several anatomies on the page."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from massm.pdm.joint.model import JointModel, fit_joint_model
from massm.reconstruct.from_particles import Warp
from massm.report.figures.gallery import Gallery
from massm.report.figures.joint import SPLIT_COLORS, hidden_plot, joint_compactness, score_plot
from massm.report.palette import anatomy_colors
from massm.report.sections.joint import joint_view, render
from massm.report.shapes.joint_modes import joined, joint_modes, side_by_side
from tests.evaluate.synthetic import closed_sphere
from tests.pdm.joint.population import make_population
from tests.toy_cohort import sphere_points

NAMES = ("spleen", "kidney_left")
HIDDEN = {
    "left_out": {
        "spleen": {"subjects": 8, "predicted_mm": 2.0, "mean_shape_mm": 3.0, "better": 0.75}
    },
    "test": {
        name: {"subjects": 4, "predicted_mm": 5.0, "mean_shape_mm": 4.0, "better": 0.25}
        for name in NAMES
    },
}


@pytest.fixture
def model() -> JointModel:
    return fit_joint_model(make_population().with_gaps(), 3)


@pytest.fixture
def balls():
    """Two balls of 10 mm, 5 mm apart, that grow and shrink together; their warps."""
    dots, ball = sphere_points(60), closed_sphere(200)
    homogeneous = [np.hstack([p, np.ones((len(p), 1))]) for p in (ball.vertices, dots)]
    warp = Warp(homogeneous[0] @ np.linalg.pinv(homogeneous[1]), ball.faces)
    mean = np.concatenate([10 * dots, 10 * dots + [5.0, 0, 0]])
    growth = np.concatenate([dots, dots])[None] / np.sqrt(120)
    model = JointModel(
        *(NAMES, (60, 60), np.ones(2), mean, growth, np.array([120.0])),
        noise=1e-6,
        evidence=1.0,
        log_likelihoods=np.zeros(1),
    )
    return model, dict.fromkeys(NAMES, warp)


def scores(lacking):
    """Eight subjects; ``lacking`` tells by number which of them lack the left kidney."""
    columns = {
        "subject": [f"s{row}" for row in range(8)],
        "split": ["train"] * 5 + ["validation"] + ["test"] * 2,
        "has_spleen": True,
        "has_kidney_left": [row not in lacking for row in range(8)],
        "mode_1": np.linspace(-2, 2, 8),
        "mode_2": np.linspace(1, -1, 8),
    }
    return pd.DataFrame(columns)


def drawn(axes):
    """Points by color, marker and whether they are filled."""
    lines = [line for line in axes.lines if line.get_marker() != "None" and len(line.get_xdata())]
    found = {}
    for line in lines:
        is_filled = line.get_markerfacecolor() != "white"
        key = to_hex(line.get_color()).upper(), line.get_marker(), is_filled
        found[key] = found.get(key, 0) + len(line.get_xdata())
    return found


def test_the_page_shows_the_joint_model(made):
    page = (made / "report.html").read_text(encoding="utf-8")
    assert 'id="joint"' in page
    assert "One shape model of spleen and kidney left together, made from 4 training" in page
    assert re.search(r"nearer in \d of 4", page)
    assert 'data-viewer="modes" data-shows="joint-model"' in page
    assert (made / "figures" / "modes_joint-model.svg").is_file()


def test_a_run_without_joint_anatomies_has_no_such_section(material):
    bare = replace(material, run=replace(material.run, joint=None))
    assert render(bare) is None


def test_the_table_tells_by_how_much_and_how_often(run, config, style, tmp_path):
    quality = run.joint.quality | {"hidden": HIDDEN}
    changed = replace(run, joint=replace(run.joint, quality=quality))
    view = joint_view(changed, config.report, Gallery(tmp_path, 30))
    assert view.splits == ["training subjects, left out", "test"]
    (_, _, (spleen, test)), (_, _, (kidney, _)) = view.hidden
    assert (spleen.change, spleen.nearer, spleen.is_better) == ("33 % lower", "6 of 8", True)
    assert (test.change, test.nearer, test.is_better) == ("25 % higher", "1 of 4", False)
    assert kidney is None


def test_every_anatomy_has_a_line_and_all_together_one(model, style):
    axes = joint_compactness(model, anatomy_colors(model.anatomies)).axes[0]
    labels = [line.get_label() for line in axes.lines]
    assert labels == ["Liver", "Spleen", "Kidney", "all together"]
    np.testing.assert_allclose(axes.lines[-1].get_ydata(), 100 * model.compactness)


def test_subjects_are_colored_by_split_and_open_where_they_lack_an_anatomy(style):
    found = drawn(score_plot(scores({1, 7}), NAMES).axes[0])
    assert found == {
        (SPLIT_COLORS["train"], "o", True): 4,
        (SPLIT_COLORS["train"], "^", False): 1,
        (SPLIT_COLORS["validation"], "o", True): 1,
        (SPLIT_COLORS["test"], "o", True): 1,
        (SPLIT_COLORS["test"], "^", False): 1,
    }


def test_one_mode_is_drawn_too(style):
    axes = score_plot(scores({}).drop(columns="mode_2"), NAMES).axes[0]
    heights = {float(value) for line in axes.lines for value in line.get_ydata()}
    assert heights == {0.0, -1.0, -2.0}


def test_hidden_anatomies_that_no_subject_of_a_split_has_are_left_out(style):
    panels = hidden_plot(HIDDEN, NAMES).axes
    counts = [len([line for line in axes.lines if len(line.get_xdata())]) for axes in panels]
    assert counts == [3, 6]  # a line and its two ends for each


def test_a_joint_mode_moves_all_anatomies_together(balls):
    model, warps = balls
    parts = joint_modes(model, warps, modes=3, faces=300)
    both = joined(parts)
    counts = [len(part.mean.vertices) for part in parts]
    assert np.bincount(both.owner).tolist() == counts
    np.testing.assert_allclose(both.modes.shares, [1], rtol=1e-3)
    np.testing.assert_allclose(both.modes.outward(0), 1, atol=0.05)  # 1 mm for one SD
    second = both.modes.shape(0, 2.0).vertices[both.owner == 1]
    np.testing.assert_allclose(np.linalg.norm(second - [5, 0, 0], axis=1), 12, rtol=0.01)


def test_anatomies_beside_each_other_do_not_touch_at_the_ends_of_a_mode(balls):
    model, warps = balls
    along = np.array([1.0, 0, 0])
    parts = side_by_side(joint_modes(model, warps, modes=1, faces=300), along, 2.0)
    for step in (-2.0, 0.0, 2.0):
        first, second = (part.shape(0, step).vertices[:, 0] for part in parts)
        assert first.max() < second.min()
