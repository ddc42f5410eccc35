import numpy as np

from massm.report.page import local_tables, shown
from massm.report.results import as_text, headline_table, number, p_value
from tests.evaluate.synthetic import ANATOMIES, CONFIG


def test_a_table_says_who_is_better_and_by_how_much(run):
    what = shown(run, CONFIG)
    table = next(t for t in local_tables(what, ANATOMIES) if t.key == "particle_euclidean")
    assert table.methods == ("MASSM", "Mean shape", "PCA oracle")
    name, (ours, floor, ceiling) = table.rows[-1]
    assert name == "All anatomies"
    assert (ours.mean, floor.mean, ceiling.mean) == ("2.00", "4.00", "0.50")
    assert floor.versus.startswith("MASSM 50 % lower, p = ")
    assert (ours.best, floor.best, ceiling.best) == (True, False, False)
    assert ours.count == "n = 9, 1 missed"


def test_measures_to_the_segmentation_come_first(run):
    keys = [table.key for table in local_tables(shown(run, CONFIG), ANATOMIES)]
    assert keys[0] == "surface_mean"
    assert keys.index("dice") < keys.index("surface_mean_particles")
    assert "particle_rmse_x" not in keys


def test_text_is_aligned(run):
    table = local_tables(shown(run, CONFIG), ANATOMIES)[0]
    lines = as_text(table).splitlines()
    assert lines[0] == "surface distance, mean, mm: mean (median)"
    assert lines[1].index("Mean shape") == lines[2].index(
        f"{table.rows[0][1][1].mean} ({table.rows[0][1][1].median})"
    )


def test_headline_table_keeps_every_summary_row(run):
    table = headline_table(run.summary, run.tests, "massm")
    assert len(table) == len(run.summary)
    row = table[
        (table["model"] == "mean_shape")
        & (table["measure"] == "particle_euclidean")
        & (table["anatomy"] == "spleen")
        & (table["head"] == "local")
    ]
    np.testing.assert_allclose(row["reference_percent"], -50)


def test_numbers_read_well():
    assert number(1.234, "mm") == "1.23"
    assert number(0.91234, "1") == "0.912"
    assert (p_value(0.0002), p_value(0.03), p_value(0.5)) == ("p < 0.001", "p = 0.03", "p = 0.50")
