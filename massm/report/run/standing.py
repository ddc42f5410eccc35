"""Who wins where, and by how much: models down, anatomies across, one measure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from massm.evaluate.measures import describe
from massm.evaluate.scopes import ALL, ANATOMY, WITH_MISSED
from massm.report.naming import ALL_LABEL, Method, Names, anatomy_label
from massm.report.run.rivals import rivals_of
from massm.report.run.shown import Shown
from massm.report.run.words import number, p_value

LEVEL = 0.05  # of a corrected p-value below which a difference is clear
_TWICE = 1.0  # excess over the best at which a cell is darkest: twice its error

Place = tuple[str, str]  # scope, anatomy


@dataclass(frozen=True)
class StandingCell:
    """One method's mean in one place.

    Attributes:
        text: The mean.
        value: The same, to sort by.
        excess: How much worse than the best, 0 to 1; 0 for who knows the truth.
        best: Whether it is the best of those that know no truth.
        clear: ``higher`` or ``lower`` than the reference model's, if that is clear; else empty.
        words: The same with its p-value; empty where there is no test.
        missed: How many structures it did not find.
    """

    text: str
    value: float
    excess: float
    best: bool
    clear: str
    words: str
    missed: int


@dataclass(frozen=True)
class StandingRow:
    """One method.

    Attributes:
        method: Which.
        label: Its name for people.
        is_reference: Whether the others are compared with it.
        cells: One for each place; None where nothing was measured.
    """

    method: Method
    label: str
    is_reference: bool
    cells: tuple[StandingCell | None, ...]


@dataclass(frozen=True)
class RankTable:
    """A frame's standing.

    Attributes:
        measure: Its name for people, with unit.
        places: All anatomies first, if there are several, then each.
        rivals: Rows of models, the best first.
        bounds: Rows of bounds, in the order of tables.
        verdict: Who is best, in a sentence or two.
    """

    measure: str
    places: tuple[str, ...]
    rivals: tuple[StandingRow, ...]
    bounds: tuple[StandingRow, ...]
    verdict: str


def make_standing(
    shown: Shown, heads: Sequence[str], anatomies: Sequence[str], measure: str = "surface_mean"
) -> RankTable | None:
    """Lay out the means of one measure in one frame; None where nobody rivals the reference model.

    Args:
        shown: Its reference model's first head is what the others are compared with.
        heads: Local, or the world heads.
        anatomies: In the order of the columns.
        measure: One where less is better.
    """
    means = _means(shown.summary, heads, measure)
    methods = shown.names.ordered(list(means))
    ours = next((m for m in methods if m[0] == shown.model), None)
    models = [m for m in methods if m[0] not in shown.names.bounds]
    if ours is None or not any(m[0] != shown.model for m in models):
        return None
    places = _places(means, anatomies)
    tests = _tests(shown.tests, ours, measure)
    labels = shown.names.methods(methods)
    best = {place: _best(means, methods, place, shown.names) for place in places}
    rows = {
        m: StandingRow(
            m,
            labels[m],
            m[0] == shown.model,
            tuple(
                _cell(means[m].get(place), means, best[place], m, tests.get((m, place)))
                for place in places
            ),
        )
        for m in methods
    }
    first = places[0]
    models.sort(key=lambda m: means[m][first]["mean"] if first in means[m] else np.inf)
    described = describe(measure)
    return RankTable(
        measure=f"{described.label}, {described.unit}",
        places=tuple(ALL_LABEL if scope == ALL else anatomy_label(name) for scope, name in places),
        rivals=tuple(rows[m] for m in models),
        bounds=tuple(rows[m] for m in methods if m not in models),
        verdict=_verdict(means, best, rivals_of(models, shown.names), ours, tests, labels),
    )


def _means(
    summary: pd.DataFrame, heads: Sequence[str], measure: str
) -> dict[Method, dict[Place, dict[str, Any]]]:
    """Collect the summary's rows of what was found, by method and place."""
    own = summary[
        summary["head"].isin(list(heads))
        & (summary["measure"] == measure)
        & (summary["counting"] != WITH_MISSED)
    ]
    means: dict[Method, dict[Place, dict[str, Any]]] = {}
    for row in own.to_dict("records"):
        method = (str(row["model"]), str(row["head"]))
        place = (str(row["scope"]), str(row["anatomy"]))
        means.setdefault(method, {})[place] = {str(key): value for key, value in row.items()}
    return means


def _places(
    means: dict[Method, dict[Place, dict[str, Any]]], anatomies: Sequence[str]
) -> list[Place]:
    found = {place for own in means.values() for place in own}
    ordered = [(ALL, ""), *((ANATOMY, name) for name in anatomies)]
    return [place for place in ordered if place in found]


def _best(
    means: dict[Method, dict[Place, dict[str, Any]]],
    methods: Sequence[Method],
    place: Place,
    names: Names,
) -> Method | None:
    fair = [m for m in methods if m[0] not in names.knowing and place in means[m]]
    return min(fair, key=lambda m: float(means[m][place]["mean"])) if fair else None


def _tests(
    tests: pd.DataFrame, ours: Method, measure: str
) -> dict[tuple[Method, Place], dict[str, Any]]:
    """Collect the paired tests of the reference model against each other method."""
    if tests.empty:
        return {}
    own = tests[
        (tests["model_a"] == ours[0])
        & (tests["head_a"] == ours[1])
        & (tests["measure"] == measure)
        & (tests["counting"] != WITH_MISSED)
    ]
    return {
        (
            (str(row["model_b"]), str(row["head_b"])),
            (str(row["scope"]), str(row["anatomy"])),
        ): {str(key): value for key, value in row.items()}
        for row in own.to_dict("records")
    }


def _cell(
    row: dict[str, Any] | None,
    means: dict[Method, dict[Place, dict[str, Any]]],
    best: Method | None,
    method: Method,
    test: dict[str, Any] | None,
) -> StandingCell | None:
    if row is None:
        return None
    mean = float(row["mean"])
    least = float(means[best][row["scope"], row["anatomy"]]["mean"]) if best else mean
    excess = (mean / least - 1) / _TWICE if least > 0 else 0.0
    clear = _clear(test)
    return StandingCell(
        text=number(mean, str(row["unit"])),
        value=mean,
        excess=round(float(np.clip(excess, 0, 1)), 3),
        best=method == best,
        clear=clear,
        words=f"{clear or 'not clearly different'}, {p_value(float(test['p_holm']))}"
        if test
        else "",
        missed=int(row["missed"]),
    )


def _clear(test: dict[str, Any] | None) -> str:
    """Say how another method's error is to the reference model's, if that is clear."""
    if test is None or not float(test["p_holm"]) < LEVEL or test["better"] == "same":
        return ""
    return "higher" if float(test["difference"]) < 0 else "lower"


def _verdict(
    means: dict[Method, dict[Place, dict[str, Any]]],
    best: dict[Place, Method | None],
    models: Sequence[Method],
    ours: Method,
    tests: dict[tuple[Method, Place], dict[str, Any]],
    labels: dict[Method, str],
) -> str:
    """Write who is best over all anatomies and by how much, then who in how many of them."""
    place = next(iter(best))
    winner = best[place]
    if winner is None or place not in means[ours]:
        return ""
    others = [m for m in models if m[0] != ours[0] and place in means[m]]
    other = winner if winner != ours and winner[0] != ours[0] else next(iter(others), None)
    unit = str(means[winner][place]["unit"])
    least = number(float(means[winner][place]["mean"]), unit)
    where = "over all anatomies" if place[0] == ALL else f"of the {anatomy_label(place[1]).lower()}"
    text = f"{labels[winner]} has the least error {where}: {least} {unit}."
    if other is not None:
        text += f" {_pair(tests.get((other, place)), labels[ours], labels[other])}"
    wins = Counter(labels[m] for (scope, _), m in best.items() if scope == ANATOMY and m)
    if place[0] == ALL and wins:
        count = sum(wins.values())
        named = ", ".join(f"{label} in {n}" for label, n in wins.most_common())
        text += f" Best of {count} anatomies: {named}."
    return text


def _pair(test: dict[str, Any] | None, ours: str, other: str) -> str:
    if test is None:
        return ""
    percent, p = float(test["difference_percent"]), p_value(float(test["p_holm"]))
    word = "below" if percent < 0 else "above"
    unclear = "" if float(test["p_holm"]) < LEVEL else ", which is not clear"
    return f"{ours} is {abs(percent):.0f}\N{NO-BREAK SPACE}% {word} {other}{unclear} ({p})."
