"""How sure models are, on the page."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from massm.evaluate.calibration import calibrate
from massm.evaluate.coverage import coverage_table
from massm.evaluate.statistics import Resampling
from massm.io.residuals import Residuals
from massm.report.figures.reliability import reliability_curves
from massm.report.figures.style import STYLE
from massm.report.run.sureness import tell_sureness
from massm.report.sections.sureness import render
from tests.evaluate.synthetic import ANATOMIES
from tests.evaluate.test_calibration import drawn
from tests.report.names import NAMES


def coverage(calibration=30, models=("massm", "mean_shape")):
    tables = []
    for seed, model in enumerate(models):
        own, others = (
            Residuals(tuple(f"s{n}" for n in range(count)), ANATOMIES, drawn(number, count, 2))
            for number, count in ((seed, calibration), (seed + 10, 20))
        )
        stated = calibrate(own, 0.9, "validation split, which also chose thresholds")
        how = Resampling(200, 0.95, 0)
        tables.append(coverage_table(model, "test", own, others, stated, how))
    return pd.concat(tables, ignore_index=True)


def told(table, model="massm"):
    return tell_sureness(table, model, ANATOMIES, NAMES)


def test_the_table_has_a_row_for_each_anatomy_and_one_for_all():
    table = coverage()
    found = told(table)
    assert [row.name for row in found.rows] == ["Spleen", "Kidney left", "All anatomies"]
    assert [row.is_total for row in found.rows] == [False, False, True]
    assert [row.count for row in found.rows] == ["20", "20", "40"]
    assert [row.calibrated for row in found.rows] == ["30", "30", ""]
    stated = table[table["stated"] & (table["model"] == "massm")]
    every = stated[(stated["scope"] == "all") & (stated["measure"] == "whole")].iloc[0]
    assert found.rows[-1].whole.radius == f"{every['radius_mm']:.2f}"
    assert found.rows[-1].whole.covered == f"{100 * every['covered']:.0f} %"
    assert [row.name for row in found.others] == [NAMES.model("mean_shape")]


def test_words_say_what_is_promised_and_what_was_found():
    found = told(coverage())
    share, whole = found.sentence.split("; ")
    assert share.startswith("90 % of an anatomy")
    assert f"within {found.rows[-1].share.radius} mm" in share
    assert found.rows[-1].share.covered in share
    assert whole.startswith("with 90 % all of them are promised to lie within")
    assert f"in {found.rows[-1].whole.covered} (" in whole


def test_a_model_without_intervals_gives_way_to_the_first_that_has():
    assert told(coverage(models=("mean_shape",))).model == NAMES.model("mean_shape")


def test_the_curve_has_a_line_for_each_anatomy_and_bars_for_all():
    with mpl.rc_context(STYLE):
        figure = reliability_curves(told(coverage()).curve, "MASSM", ANATOMIES)
    left, right = figure.axes
    assert left.get_legend_handles_labels()[1] == ["Spleen", "Kidney left", "All anatomies"]
    line = next(one for one in right.lines if one.get_label() == "Spleen")
    np.testing.assert_allclose(line.get_xdata(), [50, 60, 70, 80, 90, 95])
    assert len(right.containers) == 1


@pytest.fixture
def shown(material):
    return lambda table: render(replace(material, run=replace(material.run, coverage=table)))


def test_the_section_has_table_words_and_figure(shown, material):
    html = shown(coverage()).html
    assert "validation split, which also chose thresholds" in html
    assert html.count("<tr") >= 6
    assert "<img" in html
    assert "Nothing is promised" not in html
    assert list((material.gallery._folder).glob("reliability.svg"))


def test_with_too_few_subjects_it_says_that_nothing_is_promised(shown):
    html = shown(coverage(calibration=3)).html
    assert "Nothing is promised: 3 calibration subjects, 9 are needed for 90 %" in html


def test_a_run_without_intervals_has_no_such_section(shown):
    assert shown(None) is None
