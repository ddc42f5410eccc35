from dataclasses import replace

import numpy as np

from massm.report.run.headline import as_text, headline_table
from massm.report.run.results import local_tables
from massm.report.run.shown import choose_shown
from tests.evaluate.synthetic import ANATOMIES, CONFIG
from tests.report.names import NAMES


def test_a_table_says_who_is_better_and_by_how_much(run):
    what = choose_shown(run, CONFIG, NAMES)
    table = next(t for t in local_tables(what, ANATOMIES) if t.key == "particle_euclidean")
    assert table.methods == ("MASSM", "Mean shape", "PCA projection", "True particles")
    name, cells, is_total = table.rows[-1]
    assert (name, is_total) == ("All anatomies", True)
    assert [cell.mean for cell in cells] == ["2.00", "4.00", "0.50", "0.00"]
    ours, mean_shape, *_ = cells
    assert mean_shape.versus.startswith("MASSM 50 % lower, p = ")
    assert mean_shape.versus.endswith("n = 9 of 6 subjects")
    assert [cell.best for cell in cells] == [True, False, False, False]
    assert ours.count == "n = 9 of 6 subjects, 1 missed"


def test_missed_structures_are_told_beside_those_found(run):
    table = next(
        t
        for t in local_tables(choose_shown(run, CONFIG, NAMES), ANATOMIES)
        if t.key == "surface_mean"
    )
    row = next(row for row in table.rows if row.name == "Kidney left")
    ours, mean_shape, projection, _ = row.cells
    assert (ours.count, projection.count) == ("n = 3, 1 missed", "n = 4")
    assert ours.with_missed[0].endswith("n = 4")
    assert float(ours.with_missed[0].split()[0]) > float(ours.mean) + 2
    assert mean_shape.with_missed[1].startswith("MASSM")
    spleen = next(row for row in table.rows if row.name == "Spleen")
    assert {cell.with_missed for cell in spleen.cells} == {()}


def test_measures_to_the_segmentation_come_first(run):
    keys = [table.key for table in local_tables(choose_shown(run, CONFIG, NAMES), ANATOMIES)]
    assert keys[0] == "surface_mean"
    order = ["dice", "surface_mean_mask", "surface_mean_particles"]
    assert [keys.index(key) for key in order] == sorted(keys.index(key) for key in order)
    assert "particle_rmse_x" not in keys


def test_text_is_aligned_with_a_line_for_each_model(run):
    table = local_tables(choose_shown(run, CONFIG, NAMES), ANATOMIES)[0]
    lines = as_text(table).splitlines()
    assert lines[0] == "surface distance, mean, mm: mean (median)"
    kidney = table.rows[1].cells[0]
    row = next(line for line in lines if line.startswith("MASSM"))
    assert lines[1].index("Kidney left") == row.index(f"{kidney.mean} ({kidney.median})")
    assert lines[-1].startswith("All anatomies, against True particles: MASSM ")


def test_text_of_ten_models_and_seven_anatomies_fits_a_wide_terminal(run):
    table = local_tables(choose_shown(run, CONFIG, NAMES), ANATOMIES)[0]
    first = table.rows[0]
    cell = replace(first.cells[1], mean="12.34", median="12.34")
    names = [f"Lung upper lobe, side {place}" for place in range(7)]
    rows = tuple(first._replace(name=name, cells=(cell,) * 10) for name in names)
    methods = tuple(f"DeepSSM, detected {place}" for place in range(10))
    text = as_text(replace(table, rows=rows, methods=methods))
    assert max(len(line) for line in text.splitlines()[:14]) <= 140


def test_headline_table_keeps_every_summary_row(run):
    table = headline_table(run.summary, run.tests, "massm")
    assert len(table) == len(run.summary)
    row = table[
        (table["model"] == "mean_shape")
        & (table["measure"] == "particle_euclidean")
        & (table["anatomy"] == "spleen")
        & (table["head"] == "local")
        & (table["counting"] == "found")
    ]
    np.testing.assert_allclose(row["reference_percent"], -50)
