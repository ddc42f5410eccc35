import pytest

from massm.report.run.shown import choose_shown
from massm.report.sections.matrix import subject_matrix
from tests.evaluate.synthetic import ABSENT, ANATOMIES, CONFIG, EXCLUDED, MISSED
from tests.report.names import NAMES


def test_matrix_shows_the_worst_first_and_why_a_value_is_missing(run):
    rows = subject_matrix(choose_shown(run, CONFIG, NAMES), run.cohort, "surface_mean", ANATOMIES)
    cells = {name: {a: c.text for a, c in zip(ANATOMIES, r, strict=True)} for name, r in rows}
    assert len(cells) == 6
    assert cells[MISSED[0]][MISSED[1]] == "missed"
    assert cells[ABSENT[0]][ABSENT[1]] == "false positive"
    assert cells[EXCLUDED[0]][EXCLUDED[1]] == "excluded"
    means = [
        sum(values) / len(values)
        for row in cells.values()
        if (values := [float(v) for v in row.values() if v[0].isdigit()])
    ]
    assert means == pytest.approx(sorted(means, reverse=True), abs=0.011)
