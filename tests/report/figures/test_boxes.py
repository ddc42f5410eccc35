"""Box plots, and the paper's figures that are made of them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

from massm.evaluate.rows import MeasureRow, to_table
from massm.report.figures.boxes import Panel, box_plot
from massm.report.figures.gallery import save_figure
from massm.report.figures.paper import FIGURES
from massm.report.palette import method_looks
from tests.report.names import NAMES

MODELS = [
    *("massm", "massm_plain", "mean_shape", "pca_oracle", "truth"),
    *("deepssm_local", "deepssm_world", "deepssm_world_full", "unet_fit", "unet"),
]
ANATOMIES = ["spleen", "liver", "heart_atrium_left"]
MEASURES = ["particle_rmse", "particle_euclidean", "surface_mean", "surface_mean_particles"]


@pytest.fixture
def values(rng):
    """Ten models, three anatomies, two frames, twelve subjects."""
    rows = [
        MeasureRow(model, head, f"s{i}", anatomy, "test", measure, rng.gamma(2, 0.2 + place))
        for place, model in enumerate(MODELS)
        for head in ("local", "world")
        for anatomy in ANATOMIES
        for measure in MEASURES
        for i in range(12)
    ]
    return to_table(rows)


def boxes(axes):
    """Color and hatch of each box."""
    drawn = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    return [(to_hex(patch.get_edgecolor()), patch.get_hatch() or "") for patch in drawn]


def test_ten_models_have_ten_looks_in_every_anatomy(values, style):
    figure = box_plot(values[values["head"] == "local"], [Panel("surface_mean")], ANATOMIES, NAMES)
    looks = {
        (look.color.lower(), look.hatch)
        for look in method_looks([(model, "local") for model in MODELS], NAMES).values()
    }
    found = [box for axes in figure.axes for box in boxes(axes)]
    assert len(found) == len(MODELS) * 4  # three anatomies, and all of them
    assert set(found) == looks
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(MODELS)


def test_many_models_take_several_lines_of_one_scale(values, style):
    figure = box_plot(values, [Panel("surface_mean"), Panel("particle_rmse")], ANATOMIES * 2, NAMES)
    assert figure.get_figwidth() <= 10.6
    ranges = {axes.get_ylim() for axes in figure.axes[: len(figure.axes) // 2]}
    assert len(ranges) == 1


def test_a_value_far_above_all_others_is_counted_and_does_not_flatten_them(values, style):
    own = values[(values["head"] == "local") & (values["model"] == "truth")].copy()
    own.loc[own.index[0], ["measure", "value"]] = ["surface_mean", 500.0]
    figure = box_plot(own, [Panel("surface_mean")], ANATOMIES, NAMES)
    (axes,) = figure.axes
    assert axes.get_ylim()[1] < 50
    above = (own[own["measure"] == "surface_mean"]["value"] > axes.get_ylim()[1]).sum()
    assert above >= 1
    assert f" {above} above" in axes.get_title(loc="left")
    edge = [line for line in axes.lines if line.get_marker() == "^"]
    np.testing.assert_allclose([line.get_ydata()[0] for line in edge], axes.get_ylim()[1])


def test_a_title_is_not_cut_at_the_figures_edge(values, style):
    own = values[(values["head"] == "local") & (values["model"] == "truth")].copy()
    longest = "surface_mean_particles"
    own.loc[own["measure"] == "surface_mean", "measure"] = longest
    own.loc[own.index[0], ["measure", "value"]] = [longest, 500.0]
    figure = box_plot(own, [Panel(longest, "the paper's")], ANATOMIES, NAMES)
    figure.canvas.draw()
    (axes,) = figure.axes
    title = next(text for text in axes.texts + [axes._left_title] if " above " in text.get_text())
    assert title.get_window_extent().x1 <= figure.bbox.x1


def test_each_figure_of_the_paper_has_its_frame_and_both_measures(values, style):
    for name, draw in FIGURES.items():
        table = values.assign(head=np.where(values["head"] == "local", "local", "cvae"))
        figure = draw(table, ANATOMIES, NAMES)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert any("the paper's" in title for title in titles), name
        assert any("(ours)" in title for title in titles), name
        (legend,) = figure.legends
        names = {text.get_text() for text in legend.get_texts()}
        assert ("MASSM CVAE" in names) == name.startswith("figure_3")


def test_the_same_figure_gives_the_same_bytes(values, style, tmp_path):
    for folder in ("a", "b"):
        figure = box_plot(values[:200], [Panel("surface_mean")], ANATOMIES, NAMES)
        save_figure(figure, tmp_path / folder, "box", ("svg", "pdf", "png"), 40)
    for suffix in ("svg", "pdf", "png"):
        first, second = ((tmp_path / f / f"box.{suffix}").read_bytes() for f in "ab")
        assert first == second, suffix
