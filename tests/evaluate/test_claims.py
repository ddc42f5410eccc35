import numpy as np
import pandas as pd
import pytest

from massm.config.evaluate import ClaimConfig
from massm.evaluate.claims import HELD, LEFT_OUT, NOT_HELD, UNDECIDED, overall, try_claims
from massm.evaluate.comparison import compare
from massm.evaluate.measures import describe
from massm.evaluate.rows import COLUMNS
from massm.evaluate.statistics import Resampling

HOW = Resampling(400, 0.95, 0)
NONE = pd.DataFrame(columns=COLUMNS)
BASE = 5 + np.sin(np.arange(12.0))
CLAIM = ClaimConfig(
    says="Ours is nearer",
    model="massm",
    against=("unet", "deepssm_local"),
    frame="local",
    measures=("surface_mean",),
)


def rows(model, values, head="local", measure="surface_mean", anatomy="liver"):
    return [
        (model, head, f"s{i:02d}", anatomy, "test", measure, value)
        for i, value in enumerate(values)
    ]


def tried(values, claim=CLAIM, missed=(), bounds=()):
    costs = pd.DataFrame(missed, columns=COLUMNS) if missed else NONE
    table = pd.DataFrame(values, columns=COLUMNS)
    return try_claims(table, costs, {"x": claim}, HOW, bounds=bounds)


def verdicts(table, **key):
    key = {"counting": "found", "scope": "anatomy", **key}
    for name, value in key.items():
        table = table[table[name] == value]
    return dict(zip(table["model_b"], table["verdict"], strict=True))


def test_a_claim_holds_fails_or_is_open_by_what_the_subjects_say():
    noise = np.array([1.0, -1, 1, -1, 1, -1, 0.9, -0.9, 0.8, -0.8, 0.7, -0.7])
    steps = np.linspace(0.2, 0.6, 12)
    table = tried(
        rows("massm", BASE) + rows("unet", BASE + steps) + rows("deepssm_local", BASE + noise)
    )
    assert verdicts(table) == {"unet": HELD, "deepssm_local": UNDECIDED}
    table = tried(rows("massm", BASE) + rows("unet", BASE - steps))
    assert verdicts(table) == {"unet": NOT_HELD}


def test_more_is_better_for_dice():
    claim = CLAIM.model_copy(update={"measures": ("dice",)})
    steps = np.linspace(0.02, 0.06, 12)
    ours = rows("massm", BASE / 10, measure="dice")
    assert verdicts(tried(ours + rows("unet", BASE / 10 - steps, measure="dice"), claim)) == {
        "unet": HELD
    }
    assert verdicts(tried(ours + rows("unet", BASE / 10 + steps, measure="dice"), claim)) == {
        "unet": NOT_HELD
    }


def test_the_numbers_and_the_correction_are_those_of_the_comparison():
    """Holm runs over rivals that the claim does not name, too, and not over bounds."""
    steps = np.linspace(-0.1, 0.6, 12)
    values = rows("massm", BASE) + rows("unet", BASE + steps) + rows("mean_shape", BASE + 9)
    values += rows("other", BASE + steps[::-1] / 2)
    table = tried(values, bounds=["mean_shape"])
    full = compare(pd.DataFrame(values, columns=COLUMNS), NONE, "massm", HOW, bounds=["mean_shape"])
    of_unet = (full["model_b"] == "unet") & (full["counting"] == "found")
    named = table[(table["model_b"] == "unet") & (table["counting"] == "found")]
    pd.testing.assert_frame_equal(
        named[list(full.columns)].reset_index(drop=True),
        full[of_unet].reset_index(drop=True),
        check_dtype=False,
    )
    assert named["p_holm"].item() > named["p"].item()


def test_a_model_that_the_run_lacks_is_named_and_the_others_are_tried():
    table = tried(rows("massm", BASE) + rows("unet", BASE + np.linspace(0.2, 0.6, 12)))
    left = table[table["verdict"] == LEFT_OUT]
    assert left["model_b"].to_list() == ["deepssm_local"]
    assert left["note"].to_list() == ["deepssm_local is not in the run"]
    assert verdicts(table) == {"unet": HELD}


def test_a_claim_about_a_model_that_the_run_lacks_is_left_out_once():
    table = tried(rows("unet", BASE))
    assert table["verdict"].to_list() == [LEFT_OUT]
    assert table["note"].to_list() == ["massm is not in the run"]


def test_a_model_without_the_measure_is_told_from_one_that_is_not_there():
    claim = CLAIM.model_copy(update={"frame": "world", "measures": ("particle_rmse",)})
    values = rows("massm", BASE, "cvae", "particle_rmse") + rows("unet", BASE)
    table = tried(values, claim)
    assert dict(zip(table["model_b"], table["note"], strict=True)) == {
        "unet": "unet has no such measure",
        "deepssm_local": "deepssm_local is not in the run",
    }


def test_best_of_all_is_tried_against_each_rival_and_no_bound():
    claim = CLAIM.model_copy(update={"model": "deepssm_world", "against": "rivals"})
    steps = np.linspace(0.2, 0.6, 12)
    values = rows("deepssm_world", BASE) + rows("massm", BASE + steps)
    values += rows("unet", BASE - steps) + rows("truth", BASE * 0)
    table = tried(values, claim, bounds=["truth", "deepssm_world"])
    assert verdicts(table) == {"massm": HELD, "unet": NOT_HELD}
    alone = tried(rows("deepssm_world", BASE) + rows("truth", BASE), claim, bounds=["truth"])
    assert alone["note"].to_list() == ["the run has no rival to compare with"]


def test_each_world_head_is_tried():
    claim = CLAIM.model_copy(update={"frame": "world"})
    steps = np.linspace(0.2, 0.6, 12)
    values = rows("massm", BASE, "cvae") + rows("massm", BASE + 2 * steps, "procrustes")
    table = tried(values + rows("unet", BASE + steps, "fit"), claim)
    found = table[(table["counting"] == "found") & (table["verdict"] != LEFT_OUT)]
    assert dict(zip(found["head_a"], found["verdict"], strict=True)) == {
        "cvae": HELD,
        "procrustes": NOT_HELD,
    }


def test_with_misses_counted_a_claim_may_fall_otherwise():
    """Ours is better in what both found, but misses most."""
    steps = np.linspace(0.2, 0.6, 12)
    values = rows("massm", BASE)[:7] + rows("unet", BASE + steps)
    missed = rows("massm", BASE + 40 + steps)[7:]
    claim = CLAIM.model_copy(update={"against": ("unet",)})
    table = tried(values, claim, missed)
    assert verdicts(table) == {"unet": HELD}
    assert verdicts(table, counting="with_missed") == {"unet": UNDECIDED}


def test_all_anatomies_are_one_verdict_over_subjects():
    steps = np.linspace(0.2, 0.6, 12)
    values = rows("massm", BASE) + rows("unet", BASE + steps)
    values += rows("massm", BASE, anatomy="heart") + rows("unet", BASE - steps / 9, anatomy="heart")
    claim = CLAIM.model_copy(update={"against": ("unet",)})
    table = tried(values, claim)
    total = table[(table["scope"] == "all") & (table["counting"] == "found")]
    assert (total["verdict"].item(), total["subjects"].item(), total["n"].item()) == (HELD, 12, 24)
    of_heart = table[(table["anatomy"] == "heart") & (table["counting"] == "found")]
    assert of_heart["verdict"].item() == NOT_HELD


def test_one_subject_decides_nothing():
    assert verdicts(tried(rows("massm", [1.0]) + rows("unet", [9.0]))) == {"unet": UNDECIDED}


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([HELD, HELD], HELD),
        ([HELD, UNDECIDED], UNDECIDED),
        ([HELD, UNDECIDED, NOT_HELD], NOT_HELD),
        ([HELD, LEFT_OUT], HELD),
        ([LEFT_OUT], LEFT_OUT),
    ],
)
def test_a_claim_against_several_holds_if_it_holds_against_each(parts, whole):
    assert overall(parts) == whole


def test_every_measure_that_a_claim_may_name_exists():
    for name in ClaimConfig.model_fields["measures"].annotation.__args__[0].__args__:
        assert describe(name).better in ("low", "high")
