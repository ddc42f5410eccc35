"""Who wins where: means, marks and sentences, of models whose errors are known."""

import pandas as pd
import pytest

from massm.report.run.shown import choose_shown
from massm.report.run.standing import make_standing
from tests.evaluate.synthetic import ANATOMIES, CONFIG
from tests.report.names import NAMES


@pytest.fixture
def standing(many):
    return make_standing(many.shown, ["local"], ANATOMIES)


def by_label(rows):
    return {row.label: row for row in rows}


def test_models_come_by_their_mean_and_bounds_below(standing):
    labels = [row.label for row in standing.rivals]
    assert labels[:2] == ["U-Net", "MASSM"]
    assert set(labels[2:]) == {"DeepSSM, local", "U-Net, all anatomies", "U-Net, fitted"}
    assert [row.label for row in standing.bounds] == ["Mean shape", "Pca oracle", "Truth"]
    assert standing.places == ("All anatomies", "Spleen", "Kidney left")
    assert [row.is_reference for row in standing.rivals[:2]] == [False, True]


def test_best_is_who_knows_no_truth_and_excess_is_over_it(standing):
    rows = by_label([*standing.rivals, *standing.bounds])
    assert all(cell.best for cell in rows["U-Net"].cells)
    assert not any(
        cell.best for name in ("MASSM", "Pca oracle", "Truth") for cell in rows[name].cells
    )
    assert rows["U-Net"].cells[0].excess == 0
    assert rows["DeepSSM, local"].cells[0].excess == 1  # more than twice the best's error
    assert rows["Truth"].cells[0].excess == 0
    values = [rows[name].cells[1].value for name in ("U-Net", "MASSM", "DeepSSM, local")]
    assert values == sorted(values)


def test_missed_structures_are_told_in_their_cell(standing):
    rows = by_label(standing.rivals)
    assert [cell.missed for cell in rows["MASSM"].cells] == [1, 0, 1]
    assert [cell.missed for cell in rows["U-Net"].cells] == [0, 0, 0]


def test_a_clear_difference_is_marked_with_its_way_and_p_value(many):
    tests = many.shown.tests.assign(p_holm=0.01)
    shown = many.shown.__class__(**{**vars(many.shown), "tests": tests})
    rows = by_label(make_standing(shown, ["local"], ANATOMIES).rivals)
    assert {cell.clear for cell in rows["U-Net"].cells} == {"lower"}
    assert {cell.clear for cell in rows["DeepSSM, local"].cells} == {"higher"}
    assert {cell.clear for cell in rows["MASSM"].cells} == {""}
    assert rows["U-Net"].cells[0].words == "lower, p = 0.01"


def test_what_is_not_clear_has_no_mark(many):
    tests = many.shown.tests.assign(p_holm=0.2)
    shown = many.shown.__class__(**{**vars(many.shown), "tests": tests})
    rows = by_label(make_standing(shown, ["local"], ANATOMIES).rivals)
    assert rows["U-Net"].cells[0].clear == ""
    assert rows["U-Net"].cells[0].words == "not clearly different, p = 0.20"


def test_the_verdict_names_the_winner_the_distance_and_who_wins_how_many(many):
    for p, words in (
        (0.01, "MASSM is 300\N{NO-BREAK SPACE}% above U-Net (p = 0.01)."),
        (0.2, "which is not clear"),
    ):
        tests = many.shown.tests.assign(p_holm=p)
        shown = many.shown.__class__(**{**vars(many.shown), "tests": tests})
        verdict = make_standing(shown, ["local"], ANATOMIES).verdict
        assert verdict.startswith("U-Net has the least error over all anatomies: 0.22 mm.")
        assert words in verdict
        assert verdict.endswith("Best of 2 anatomies: U-Net in 2.")


def test_where_the_reference_model_wins_it_is_compared_with_the_next(many):
    own = many.shown.summary
    shown = many.shown.__class__(**{**vars(many.shown), "summary": own[own["model"] != "unet"]})
    verdict = make_standing(shown, ["local"], ANATOMIES).verdict
    assert verdict.startswith("MASSM has the least error")
    assert "MASSM is 50\N{NO-BREAK SPACE}% below" in verdict


def standing_of(many, **changes):
    """The standings of a report that shows something else."""
    shown = many.shown.__class__(**{**vars(many.shown), **changes})
    return make_standing(shown, ["local"], ANATOMIES)


def test_it_is_compared_with_a_rival_and_not_with_its_own_weights(many):
    summary = many.shown.summary
    others = summary[summary["model"] != "unet"]
    before = standing_of(many, summary=others)
    ours, following, third, *_ = before.rivals
    assert f"below {following.label}" in before.verdict
    names = many.shown.names.model_copy(update={"variants": (following.method[0],)})
    after = standing_of(many, summary=others, names=names)
    assert f"below {third.label}" in after.verdict
    both = summary["model"].isin([ours.method[0], following.method[0]])
    alone = standing_of(many, summary=summary[both], names=names)  # there is nobody else
    assert f"below {following.label}" in alone.verdict


def test_a_run_without_rivals_or_tests_needs_none(run, many):
    shown = choose_shown(run, CONFIG, NAMES)
    assert make_standing(shown, ["local"], ANATOMIES) is None
    bare = many.shown.__class__(**{**vars(many.shown), "tests": pd.DataFrame()})
    assert make_standing(bare, ["local"], ANATOMIES).rivals


def test_a_single_anatomy_is_its_own_place(many):
    own = many.shown.summary
    own = own[own["anatomy"] == "spleen"]
    shown = many.shown.__class__(**{**vars(many.shown), "summary": own})
    standing = make_standing(shown, ["local"], ANATOMIES)
    assert standing.places == ("Spleen",)
    assert "of the spleen: 0.21 mm" in standing.verdict
