"""Static figures of a run."""

import numpy as np
import pandas as pd
import pytest

from massm.report.figures.training import training_curves

EPOCH = np.arange(1, 41)


def scales(**columns):
    """Scale of each panel by the name of its column."""
    figure = training_curves(pd.DataFrame({"epoch": EPOCH, **columns}), "massm")
    panels = [axes for axes in figure.axes if axes.axison]
    return [axes.get_yscale() for axes in panels]


def test_a_first_epoch_far_above_the_others_gets_a_logarithmic_scale(style):
    falling = np.where(EPOCH == 1, 300.0, 5 / np.sqrt(EPOCH))
    figure = training_curves(pd.DataFrame({"epoch": EPOCH, "loss": falling}), "massm")
    (axes,) = figure.axes
    ends = axes.transData.transform([(1, falling[1]), (1, falling[-1])])[:, 1]
    assert abs(ends[0] - ends[1]) > 0.15 * axes.bbox.height  # of a linear scale it were 0.01


def test_curves_of_one_size_stay_linear(style):
    assert scales(loss=1 + 1 / EPOCH, learning_rate=np.full(40, 1e-4)) == ["linear", "linear"]


def test_values_that_have_no_logarithm_do_not_stop_the_figure(style):
    term = np.where(EPOCH < 10, 0.0, 9.0 / EPOCH)
    found = scales(term=term, zero=0.0 * EPOCH, signed=np.sin(EPOCH))
    assert found == ["log", "linear", "linear"]


@pytest.mark.parametrize("ratio", [3.1, 9, 50, 1e5])
@pytest.mark.parametrize("low", [0.055, 1.05, 1.6, 210])
def test_a_logarithmic_scale_has_a_few_labels(style, low, ratio):
    history = pd.DataFrame({"epoch": EPOCH, "loss": np.geomspace(low * ratio, low, 40)})
    figure = training_curves(history, "massm")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    bottom, top = axes.get_ylim()
    assert 2 <= sum(bottom <= tick <= top for tick in axes.get_yticks()) <= 7
