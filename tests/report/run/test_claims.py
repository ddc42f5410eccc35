from dataclasses import replace

import pytest

from massm.report.run.claims import claims_text, tell_claims
from massm.report.run.shown import choose_shown
from tests.evaluate.synthetic import ANATOMIES, CONFIG
from tests.report.names import NAMES


@pytest.fixture
def told(run):
    shown = choose_shown(run, CONFIG, NAMES)
    claims = tell_claims(run.claims, CONFIG.claims, ANATOMIES, shown)
    return {claim.name: claim for claim in claims}


def test_a_claim_says_its_numbers(told):
    claim = told["a"]
    assert (claim.says, claim.verdict) == ("MASSM is nearer than the mean shape", "held")
    part = claim.parts[0]
    assert (part.model, part.verdict) == ("MASSM", "held")
    assert part.measure == "particle RMSE (mean of the axes)"
    (one,) = part.against
    assert one.rival == "Mean shape"
    assert one.sentence.startswith(
        "0.67 against 1.33 mm, difference -0.67 mm (95 % CI -0.67 to -0.67), "
    )
    assert "better in 6 of 6 subjects (share 1.00, 0.54" in one.sentence
    assert one.sentence.endswith("p = 0.014, n = 9 of 6 subjects")


def test_each_anatomy_has_its_verdict(told):
    part = told["a"].parts[0]
    assert part.anatomies == ("Spleen", "Kidney left")
    assert [cell.verdict for cell in part.against[0].anatomies] == ["held", "undecided"]


def test_missed_anatomies_are_counted_beside(told):
    """Both models missed the same one, whose cost is the same for both."""
    one = told["a"].parts[0].against[0]
    assert one.with_missed.endswith("n = 10 of 6 subjects")
    assert one.with_missed.split(";")[0] in ("held", "undecided")


def test_a_rival_that_found_nothing_is_compared_by_what_that_costs(run):
    costly = run.claims[run.claims["counting"] != "found"]
    claim = tell_claims(costly, CONFIG.claims, ANATOMIES, choose_shown(run, CONFIG, NAMES))[0]
    (one,) = claim.parts[0].against
    assert one.sentence.startswith("nothing was found by both, missed ones counted: ")
    assert one.verdict in ("held", "undecided")
    assert one.with_missed == ""
    assert one.anatomies == (None, None)


def test_each_output_of_a_rival_is_told(told):
    rivals = [one.rival for part in told["b"].parts for one in part.against]
    assert rivals == ["MASSM CVAE", "MASSM Procrustes"]


def test_what_the_run_lacks_is_named(told):
    claim = told["c"]
    assert (claim.verdict, claim.parts) == ("left out", ())
    assert claim.left_out == ("deepssm_local is not in the run",)


def test_one_anatomy_is_told_as_such(run):
    alone = run.claims[(run.claims["anatomy"] == "spleen") & (run.claims["scope"] == "anatomy")]
    shown = choose_shown(run, CONFIG, NAMES)
    claim = tell_claims(alone, CONFIG.claims, ("spleen",), shown)[0]
    assert claim.parts[0].anatomies == ()
    assert claim.parts[0].against[0].sentence.endswith("n = 6")


def test_claims_of_other_splits_are_not_told(run):
    shown = replace(choose_shown(run, CONFIG, NAMES), split="validation")
    assert tell_claims(run.claims, CONFIG.claims, ANATOMIES, shown)[0].parts == ()


def test_as_text_each_claim_is_a_line_with_its_numbers_below(told):
    lines = claims_text(list(told.values())).splitlines()
    assert lines[0] == "(a) MASSM is nearer than the mean shape: held"
    assert lines[1].startswith("    MASSM against Mean shape: held; 0.67 against 1.33 mm")
    assert lines[2].strip() == "held: Spleen; undecided: Kidney left"
    assert lines[-1] == (
        "(c) MASSM is nearer than DeepSSM: left out (deepssm_local is not in the run)"
    )
