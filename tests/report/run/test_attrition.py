import pandas as pd

from massm.report.run.attrition import attrition_table
from massm.report.run.shown import choose_shown
from tests.evaluate.synthetic import ANATOMIES, CONFIG
from tests.report.names import NAMES


def test_every_structure_of_the_split_is_excluded_missed_or_measured(run):
    table = attrition_table(choose_shown(run, CONFIG, NAMES).attrition, ANATOMIES, NAMES)
    assert table.models == ("MASSM", "Mean shape", "PCA projection", "True particles")
    spleen, kidney, total = table.rows
    assert (spleen.in_data, spleen.excluded, spleen.measured) == (6, 0, (6, 6, 6, 6))
    assert spleen.reasons == ""
    assert (kidney.in_data, kidney.absent, kidney.excluded) == (5, 1, 1)
    assert (kidney.missed, kidney.measured) == ((1, 1, 0, 0), (3, 3, 4, 4))
    assert kidney.reasons == "1 x cut by the field of view"
    assert (total.name, total.is_total, total.in_data) == ("All anatomies", True, 11)
    assert not table.undrawn


def test_structures_of_subjects_in_no_split_are_told_beside(run):
    counts = choose_shown(run, CONFIG, NAMES).attrition
    beside = counts.iloc[:1].assign(split="", model="", in_data=2)
    table = attrition_table(pd.concat([counts, beside]), ANATOMIES, NAMES)
    assert table.undrawn
    assert sum(row.undrawn for row in table.rows) == 2
