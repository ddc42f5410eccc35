"""Box plots of few and of many methods."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

from massm.evaluate.rows import MeasureRow, to_table
from massm.report.figures.box_data import Panel
from massm.report.figures.boxes import box_plot
from massm.report.figures.gallery import save_figure
from massm.report.palette import method_looks
from tests.report.names import NAMES

MODELS = [
    *("massm", "massm_unrefined", "mean_shape", "pca_oracle", "truth"),
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


def test_many_models_are_named_beside_their_boxes_which_have_one_scale(values, style):
    own = values[values["head"] == "local"]
    figure = box_plot(own, [Panel("surface_mean"), Panel("particle_rmse")], ANATOMIES * 2, NAMES)
    assert figure.get_figwidth() <= 10.6
    assert figure.legends == []
    pictures = [axes for axes in figure.axes if axes.axison]
    assert len(pictures) == 2 * (2 * len(ANATOMIES) + 1)
    first = pictures[: len(pictures) // 2]
    assert len({axes.get_xlim() for axes in first}) == 1
    assert {axes.get_ylim() for axes in first} == {(len(MODELS) - 0.4, -0.6)}
    named = [text.get_text() for text in first[0].get_yticklabels()]
    assert named[0] == "MASSM"
    assert len(set(named)) == len(MODELS)
    assert boxes(first[0])[0] == ("#0072b2", "")


def test_a_few_models_stand_side_by_side_and_have_a_legend(values, style):
    own = values[(values["head"] == "local") & values["model"].isin(MODELS[:4])]
    figure = box_plot(own, [Panel("surface_mean")], ANATOMIES * 3, NAMES)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 4
    assert len(figure.axes) == 2  # nine anatomies and all of them take two lines
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_values_beyond_the_axis_of_lying_boxes_are_counted_too(values, style):
    own = values[values["head"] == "local"].copy()
    own.loc[own.index[own["measure"] == "surface_mean"][0], "value"] = 500.0
    figure = box_plot(own, [Panel("surface_mean")], ANATOMIES, NAMES)
    end = figure.axes[0].get_xlim()[1]
    above = (own[own["measure"] == "surface_mean"]["value"] > end).sum()
    title = figure.subfigs[0].get_suptitle()
    assert f" {above} above" in title.replace("\N{NO-BREAK SPACE}", " ")
    edge = [line for line in figure.axes[0].lines if line.get_marker() == ">"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in edge], end)


def test_a_value_far_above_all_others_is_counted_and_does_not_flatten_them(values, style):
    own = values[(values["head"] == "local") & (values["model"] == "truth")].copy()
    own.loc[own.index[0], ["measure", "value"]] = ["surface_mean", 500.0]
    figure = box_plot(own, [Panel("surface_mean")], ANATOMIES, NAMES)
    (axes,) = figure.axes
    assert axes.get_ylim()[1] < 50
    above = (own[own["measure"] == "surface_mean"]["value"] > axes.get_ylim()[1]).sum()
    assert above >= 1
    assert f"{above} above" in axes.get_title(loc="left")
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


def test_the_same_figure_gives_the_same_bytes(values, style, tmp_path):
    for folder in ("a", "b"):
        figure = box_plot(values[:200], [Panel("surface_mean")], ANATOMIES, NAMES)
        save_figure(figure, tmp_path / folder, "box", ("svg", "pdf", "png"), 40)
    for suffix in ("svg", "pdf", "png"):
        first, second = ((tmp_path / f / f"box.{suffix}").read_bytes() for f in "ab")
        assert first == second, suffix
