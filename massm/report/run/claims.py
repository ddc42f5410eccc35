"""What a run says of each claim, in words: one sentence for each model that it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from massm.config.evaluate import ClaimConfig
from massm.evaluate.claims import LEFT_OUT, overall
from massm.evaluate.measures import describe
from massm.evaluate.scopes import ALL, ANATOMY, FOUND, WITH_MISSED
from massm.report.naming import Method, Names, anatomy_label, sample_size
from massm.report.run.shown import Shown
from massm.report.run.words import number, often, p_value, signed, signed_interval

_PAIR = ["head_a", "model_b", "head_b"]


@dataclass(frozen=True)
class AnatomyVerdict:
    """What one anatomy says: its name, the verdict, and the numbers behind it."""

    name: str
    verdict: str
    sentence: str


@dataclass(frozen=True)
class Against:
    """The claim's model against one other.

    Attributes:
        rival: The other, for people.
        verdict: Over all anatomies together, subjects as unit.
        sentence: The numbers behind it.
        with_missed: Verdict and numbers with missed anatomies at their cost; empty where neither
            of the two missed any.
        anatomies: The same for each anatomy; None where the two have none in common.
    """

    rival: str
    verdict: str
    sentence: str
    with_missed: str
    anatomies: tuple[AnatomyVerdict | None, ...]


@dataclass(frozen=True)
class ClaimPart:
    """One measure of a claim, of one output of its model: the verdict, and each comparison.

    Attributes:
        measure: For people.
        model: The claim's model, for people.
        verdict: Against all that it is compared with.
        anatomies: Names of the columns of ``Against.anatomies``; none where there is one anatomy.
        against: A comparison each.
    """

    measure: str
    model: str
    verdict: str
    anatomies: tuple[str, ...]
    against: tuple[Against, ...]


@dataclass(frozen=True)
class ToldClaim:
    """A claim and what became of it.

    Attributes:
        name: Its short name.
        says: The claim.
        verdict: Over all its parts.
        parts: Its measures; none where it was left out.
        left_out: What the run could not be asked, and why.
    """

    name: str
    says: str
    verdict: str
    parts: tuple[ClaimPart, ...]
    left_out: tuple[str, ...]


def tell_claims(
    table: pd.DataFrame,
    claims: Mapping[str, ClaimConfig],
    anatomies: Sequence[str],
    shown: Shown,
) -> list[ToldClaim]:
    """Write out ``evaluate/claims.csv`` for people.

    Args:
        table: The tried claims of all splits.
        claims: Of the configuration, by short name.
        anatomies: In the order wanted.
        shown: Split, names of models, and level of the intervals.
    """
    told = []
    for name, claim in claims.items():
        own = table[table["claim"] == name]
        tried = own[(own["verdict"] != LEFT_OUT) & (own["split"] == shown.split)]
        left = own[own["verdict"] == LEFT_OUT]
        parts = tuple(
            _part(group, anatomies, shown.names, shown.confidence)
            for _, group in tried.groupby(["measure", "head_a"], sort=False)
        )
        told.append(
            ToldClaim(
                name=name,
                says=claim.says,
                verdict=overall(part.verdict for part in parts),
                parts=parts,
                left_out=tuple(dict.fromkeys(str(note) for note in left["note"])),
            )
        )
    return told


def claims_text(claims: Sequence[ToldClaim]) -> str:
    """Write claims as lines for a log."""
    lines = []
    for claim in claims:
        missing = "; ".join(claim.left_out)
        why = f" ({missing})" if missing else ""
        lines.append(f"({claim.name}) {claim.says}: {claim.verdict}{why}")
        for part in claim.parts:
            for one in part.against:
                lines.append(f"    {part.model} against {one.rival}: {one.verdict}; {one.sentence}")
                lines += [f"        {text}" for text in _by_verdict(one.anatomies)]
                lines += [f"        missed counted: {one.with_missed}"] if one.with_missed else []
    return "\n".join(lines)


def _by_verdict(anatomies: Sequence[AnatomyVerdict | None]) -> list[str]:
    """List anatomies by their verdict: ``held: Spleen; undecided: Liver``."""
    told: dict[str, list[str]] = {}
    for one in anatomies:
        if one is not None:
            told.setdefault(one.verdict, []).append(one.name)
    return ["; ".join(f"{verdict}: {', '.join(n)}" for verdict, n in told.items())] if told else []


def _part(rows: pd.DataFrame, anatomies: Sequence[str], names: Names, confidence: str) -> ClaimPart:
    first = rows.iloc[0]
    several = bool((rows["scope"] == ALL).any())
    shown = [name for name in anatomies if several and name in set(rows["anatomy"])]
    against = tuple(
        _against(group, shown, names, confidence) for _, group in rows.groupby(_PAIR, sort=False)
    )
    ours: Method = (str(first["model_a"]), str(first["head_a"]))
    return ClaimPart(
        measure=describe(str(first["measure"])).label,
        model=names.method(ours),
        verdict=overall(one.verdict for one in against),
        anatomies=tuple(anatomy_label(name) for name in shown),
        against=against,
    )


def _against(
    rows: pd.DataFrame, anatomies: Sequence[str], names: Names, confidence: str
) -> Against:
    by_place = {
        (str(row["counting"]), str(row["anatomy"]) if row["scope"] == ANATOMY else ALL): row
        for row in rows.to_dict("records")
    }
    whole = ALL if anatomies else str(rows["anatomy"].iloc[0])
    found, costly = by_place.get((FOUND, whole)), by_place.get((WITH_MISSED, whole))
    # A model may have found nothing at all: then only what that costs can be compared.
    total = found or by_place[WITH_MISSED, whole]
    only = "" if found else "nothing was found by both, missed ones counted: "
    counted = found is not None and costly is not None and costly["n"] != found["n"]
    return Against(
        rival=names.method((str(total["model_b"]), str(total["head_b"]))),
        verdict=str(total["verdict"]),
        sentence=f"{only}{sentence(total, confidence)}",
        with_missed=f"{costly['verdict']}; {sentence(costly, confidence)}"
        if costly is not None and counted
        else "",
        anatomies=tuple(_of(name, by_place.get((FOUND, name)), confidence) for name in anatomies),
    )


def _of(name: str, row: Mapping[Any, Any] | None, confidence: str) -> AnatomyVerdict | None:
    if row is None:
        return None
    return AnatomyVerdict(anatomy_label(name), str(row["verdict"]), sentence(row, confidence))


def sentence(row: Mapping[Any, Any], confidence: str) -> str:
    """Write a comparison: both means, difference and interval, how often better, p, n.

    Args:
        row: Of ``evaluate/tests.csv`` or ``claims.csv``.
        confidence: Level of the intervals in percent.
    """
    unit = str(row["unit"])
    space = "" if unit == "1" else f" {unit}"
    means = f"{number(row['mean_a'], unit)} against {number(row['mean_b'], unit)}{space}"
    spread = signed_interval(row)
    within = f" ({confidence} % CI {spread})" if spread else ""
    return (
        f"{means}, difference {signed(row)}{within}, {often(row)}, "
        f"{p_value(row['p_holm'])}, {sample_size(row)}"
    )
