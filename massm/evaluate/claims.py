"""What a run says of claims that one model is better than others: held, not held, undecided.

A claim holds against another model where the corrected test finds a difference, the interval of the
mean difference leaves out 0, and the mean is on the claim's side; it does not where all that is on
the other side. Everything else is undecided.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from massm.config.evaluate import ClaimConfig
from massm.evaluate.comparison import COLUMNS as COMPARED
from massm.evaluate.comparison import compare, frame_of
from massm.evaluate.statistics import Resampling

HELD, NOT_HELD, UNDECIDED, LEFT_OUT = "held", "not held", "undecided", "left out"
COLUMNS = ["claim", "verdict", *COMPARED, "note"]
_RIVALS = "rivals"


def try_claims(
    values: pd.DataFrame,
    missed: pd.DataFrame,
    claims: Mapping[str, ClaimConfig],
    how: Resampling,
    *,
    bounds: Collection[str],
) -> pd.DataFrame:
    """Try claims on the measures of a run.

    The comparisons are those of :func:`massm.evaluate.comparison.compare` with the claim's model as
    reference: subjects are the unit, and Holm's correction runs over all rivals of that model,
    whether the claim names them or not, for each anatomy and for all together.

    Args:
        values: Long table of all models.
        missed: The same for anatomies that a model missed: what each costs it.
        claims: By their short names.
        how: How confidence intervals are made; 1 minus its level is what p has to stay below.
        bounds: Models that are no rivals.

    Returns:
        A row for each claim, split, measure, counting, scope, anatomy, head of the claim's model
        and model it is compared with: ``verdict``, and the columns of the comparison. A claim, or a
        model of it, that the run has no such measure of has a row with the verdict ``left out`` and
        a ``note`` that says why.
    """
    parts = [
        part.assign(claim=name)
        for name, claim in claims.items()
        for part in _try(values, missed, claim, how, bounds)
    ]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def overall(verdicts: Iterable[str]) -> str:
    """Bring the verdicts against several models together.

    A claim against all of them holds if it holds against each, and does not if it fails against
    one; what was left out says nothing.
    """
    told = [verdict for verdict in verdicts if verdict != LEFT_OUT]
    if not told:
        return LEFT_OUT
    if NOT_HELD in told:
        return NOT_HELD
    return UNDECIDED if UNDECIDED in told else HELD


def _try(
    values: pd.DataFrame,
    missed: pd.DataFrame,
    claim: ClaimConfig,
    how: Resampling,
    bounds: Collection[str],
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one claim, measure by measure."""
    for measure in claim.measures:
        own, costs = (_measured(table, claim.frame, measure) for table in (values, missed))
        found = set(own["model"])
        lacking = _lacking(claim, found, set(values["model"]), bounds)
        if claim.model in found and len(lacking) < len(_named(claim, found, bounds)):
            compared = compare(own, costs, claim.model, how, bounds=bounds)
            named = compared["model_b"].isin(_named(claim, found, bounds))
            rows = compared[named & (compared["model_a"] == claim.model)]
            yield rows.assign(
                verdict=[_verdict(row, how) for row in rows.to_dict("records")], note=""
            )
        if lacking:
            yield pd.DataFrame([_left_out(claim, measure, *one) for one in lacking.items()])


def _measured(table: pd.DataFrame, frame: str, measure: str) -> pd.DataFrame:
    """Take the rows of one measure in one frame."""
    return table[(table["measure"] == measure) & (table["head"].map(frame_of) == frame)]


def _named(claim: ClaimConfig, found: Collection[str], bounds: Collection[str]) -> list[str]:
    """List the models that the claim is compared with."""
    if claim.against != _RIVALS:
        return list(claim.against)
    return sorted(name for name in found if name not in bounds and name != claim.model)


def _lacking(
    claim: ClaimConfig, found: set[str], known: set[str], bounds: Collection[str]
) -> dict[str, str]:
    """Say of which models the run has no such measure, and why; "" is the claim's rivals."""
    asked = [claim.model] if claim.model not in found else _named(claim, found, bounds)
    if not asked:
        return {"": "the run has no rival to compare with"}
    return {
        name: f"{name} has no such measure" if name in known else f"{name} is not in the run"
        for name in asked
        if name not in found
    }


def _left_out(claim: ClaimConfig, measure: str, model: str, note: str) -> dict[str, Any]:
    lacks_own = model == claim.model
    return {
        **dict.fromkeys(COMPARED),
        "verdict": LEFT_OUT,
        "frame": claim.frame,
        "measure": measure,
        "model_a": claim.model,
        "model_b": "" if lacks_own else model,
        "note": note,
    }


def _verdict(row: Mapping[Any, Any], how: Resampling) -> str:
    apart = row["ci_low"] > 0 or row["ci_high"] < 0  # neither, where there is no interval
    if not (apart and row["p_holm"] < 1 - how.confidence):
        return UNDECIDED
    return HELD if row["better"] == "a" else NOT_HELD
