"""Which subjects are shown of several models, and their errors on one surface."""

import numpy as np
import pytest

from massm.evaluate.rows import MeasureRow, to_table
from massm.geometry.mesh import Mesh
from massm.report.shapes.side_by_side import choose_showcases, side_by_side


def values(**models):
    rows = [
        MeasureRow(model, "local", f"s{i}", "spleen", "test", "surface_mean", float(mm))
        for model, own in models.items()
        for i, mm in enumerate(own)
        if mm is not None
    ]
    return to_table(rows)


def test_the_median_the_largest_lead_and_the_largest_lag_are_shown():
    table = values(massm=[1, 2, 3, 4, 5], unet=[2, 2.5, 9, 4.5, 1], deepssm=[3, 9, 8, 9, 9])
    cases = choose_showcases(table, "spleen", "massm", ["unet", "deepssm"])
    assert [(case.rank, case.subject) for case in cases] == [
        ("typical", "s2"),
        ("largest lag", "s4"),
    ]  # the median subject is that of the largest lead, too
    assert [case.lead_mm for case in cases] == [5, -4]


def test_a_lead_is_over_the_best_rival_of_that_subject():
    table = values(massm=[1, 2, 3], unet=[4, None, 3.5], deepssm=[2, 2.2, 9])
    cases = {c.rank: c for c in choose_showcases(table, "spleen", "massm", ["unet", "deepssm"])}
    assert (cases["largest lead"].subject, cases["largest lead"].lead_mm) == ("s0", 1)
    assert cases["typical"].lead_mm == pytest.approx(0.2)


def test_what_the_model_or_all_rivals_missed_is_not_shown():
    table = values(massm=[1, None, 2], unet=[2, 1, None])
    cases = choose_showcases(table, "spleen", "massm", ["unet"])
    assert {case.subject for case in cases} == {"s0"}
    assert choose_showcases(table, "liver", "massm", ["unet"]) == []
    assert choose_showcases(table, "spleen", "massm", ["deepssm"]) == []


def test_errors_of_all_methods_lie_on_one_surface_also_those_of_the_world(cube):
    shift = np.eye(4)
    shift[:3, 3] = [100, 0, 0]
    local = Mesh(cube.vertices + [0.5, 0, 0], cube.faces)
    world = Mesh(cube.vertices + [100, 0, 3], cube.faces)
    methods = {("massm", "local"): local, ("massm", "cvae"): world}
    made = side_by_side(cube, methods, {("massm", "cvae"): shift}, faces=1000)
    assert made.true is cube
    assert made.errors["massm", "local"].max() == pytest.approx(0.5)
    assert made.errors["massm", "cvae"].max() == pytest.approx(3)
    assert side_by_side(cube, {}, {}, faces=1000).errors == {}
