"""What radii promise and hold, as a table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from massm.evaluate.coverage import SHARE, WHOLE
from massm.evaluate.scopes import ALL, ANATOMY
from massm.report.naming import ALL_LABEL, Names, anatomy_label
from massm.report.run.words import number, percent, percents


@dataclass(frozen=True)
class Promise:
    """One statement and how it was kept, as text."""

    radius: str
    covered: str
    interval: str


@dataclass(frozen=True)
class SureRow:
    """One anatomy of one model, or all of them.

    Attributes:
        name: Of the anatomy, or of the model.
        is_total: Whether it is of all anatomies.
        share: Of the particles.
        whole: Of whole anatomies.
        count: How many anatomies of subjects were measured.
        calibrated: Of how many subjects factors are, and whether of all anatomies together.
        note: Why something is not promised; empty if all is.
    """

    name: str
    is_total: bool
    share: Promise
    whole: Promise
    count: str
    calibrated: str
    note: str


@dataclass(frozen=True)
class Sureness:
    """How sure a model is.

    Attributes:
        model: Its name.
        split: Of the subjects that were measured.
        level: What is promised, as text.
        calibration: Whose errors decide.
        rows: Of its anatomies, then of all.
        others: Of other models, all anatomies together.
        sentence: The same in words; empty where nothing is promised.
        curve: Rows of the table at all levels.
    """

    model: str
    split: str
    level: str
    calibration: str
    rows: Sequence[SureRow]
    others: Sequence[SureRow]
    sentence: str
    curve: pd.DataFrame


def tell_sureness(
    coverage: pd.DataFrame, model: str, anatomies: Sequence[str], names: Names
) -> Sureness:
    """Put the table of coverage into words.

    Args:
        coverage: ``evaluate/coverage.csv``.
        model: The one that is shown, if it has intervals; else it is the first that has.
        anatomies: In the order of the config.
        names: Of models.
    """
    there = list(dict.fromkeys(coverage["model"]))
    model = model if model in there else str(there[0])
    own = coverage[coverage["model"] == model]
    stated = own[own["stated"]]
    known = [name for name in anatomies if name in set(stated["anatomy"])]
    rows = [_row(stated, anatomy_label(name), ANATOMY, name) for name in known]
    if ALL in set(stated["scope"]):
        rows.append(_row(stated, ALL_LABEL, ALL, ""))
    first = stated.iloc[0]
    level = f"{100 * float(first['level']):g} %"
    return Sureness(
        model=names.model(model),
        split=str(first["split"]),
        level=level,
        calibration=str(first["calibration"]),
        rows=rows,
        others=_others(coverage[coverage["stated"]], model, names),
        sentence=_sentence(stated, level),
        curve=own,
    )


def _others(stated: pd.DataFrame, model: str, names: Names) -> list[SureRow]:
    every = stated[(stated["scope"] == ALL) & (stated["n"] > 0)]
    order = [name for name, _ in names.ordered([(str(one), "") for one in set(every["model"])])]
    return [
        _row(every[every["model"] == name], names.model(name), ALL, "")
        for name in order
        if name != model
    ]


def _sentence(stated: pd.DataFrame, level: str) -> str:
    """Say in words what is promised of all anatomies together, or of the only one."""
    scope = ALL if ALL in set(stated["scope"]) else ANATOMY
    own = stated[(stated["scope"] == scope) & (stated["n"] > 0)]
    found = {str(row["measure"]): row for row in own.to_dict("records")}
    parts = []
    if SHARE in found:
        row = found[SHARE]
        parts.append(
            f"{level} of an anatomy\N{RIGHT SINGLE QUOTATION MARK}s particles are promised to lie "
            f"within {_mm(row)} of the true surface, on average over particles, and {_held(row)} do"
        )
    if WHOLE in found:
        row = found[WHOLE]
        parts.append(
            f"with {level} all of them are promised to lie within {_mm(row)}, and in {_held(row)} "
            "of the anatomies all do"
        )
    return "; ".join(parts)


def _mm(row: Mapping[Any, Any]) -> str:
    return f"{number(float(row['radius_mm']), 'mm')} mm"


def _held(row: Mapping[Any, Any]) -> str:
    spread = percents(float(row["ci_low"]), float(row["ci_high"]))
    return percent(float(row["covered"])) + (f" ({spread})" if spread else "")


def _row(stated: pd.DataFrame, name: str, scope: str, anatomy: str) -> SureRow:
    own = stated[(stated["scope"] == scope) & (stated["anatomy"] == anatomy)]
    found = {str(row["measure"]): row for row in own.to_dict("records")}
    share, whole = found[SHARE], found[WHOLE]
    count = int(share["calibrated"])
    pooled = ", factors of all" if share["pooled"] else ""
    return SureRow(
        name=name,
        is_total=scope == ALL,
        share=_promise(share),
        whole=_promise(whole),
        count=str(max(int(share["n"]), int(whole["n"]))),
        calibrated=f"{count}{pooled}" if scope == ANATOMY else "",
        note=str(share["note"]),
    )


def _promise(row: Mapping[Any, Any]) -> Promise:
    return Promise(
        number(float(row["radius_mm"]), "mm"),
        percent(float(row["covered"])),
        percents(float(row["ci_low"]), float(row["ci_high"])),
    )
