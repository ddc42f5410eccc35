"""The results as tables for people: means with intervals, medians, and who is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from massm.evaluate.measures import TO_MASK, TO_PARTICLES, describe, plain_name
from massm.evaluate.rows import LOCAL
from massm.evaluate.scopes import ALL, ANATOMY, WITH_MISSED
from massm.report.naming import (
    ALL_LABEL,
    Method,
    Names,
    anatomy_label,
    sample_size,
)
from massm.report.run.shown import Shown
from massm.report.run.words import interval, number, often, p_value, signed, signed_interval

_DROPPED = ("particle_rmse_x", "particle_rmse_y", "particle_rmse_z")  # in summary.csv
_ORDER = (
    "surface_mean", "surface_p95", "surface_hausdorff", "dice", "surface_dice", "particle_rmse",
    "particle_euclidean",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One model's result for one anatomy.

    Attributes:
        value: The mean, to sort by.
        mean: The same as text, with unit-dependent decimals.
        interval: Confidence interval of the mean; empty if there is none.
        median: As text.
        count: Structures (and subjects) measured, and how many were missed.
        best: Whether it is the best mean of the row (of models that do not know the truth).
        versus: What the paired test says of the reference model against this one.
        effect: The difference behind that, and in how many subjects the reference model is better.
        clear: Whether that difference is significant after correction.
        with_missed: Mean and interval with missed structures at their cost, then what the paired
            test says of these, if there is one; empty if none was missed.
    """

    value: float
    mean: str
    interval: str
    median: str
    count: str
    best: bool
    versus: str
    effect: str
    clear: bool
    with_missed: tuple[str, ...]


class Versus(NamedTuple):
    """A paired comparison: in short, the numbers behind it, and whether it is significant."""

    text: str = ""
    effect: str = ""
    clear: bool = False


class ResultRow(NamedTuple):
    """One anatomy, or all of them together."""

    name: str
    cells: tuple[Cell | None, ...]
    is_total: bool


@dataclass(frozen=True)
class ResultTable:
    """One measure: anatomies and models.

    Attributes:
        key: The measure's name in the tables.
        label: Its name for people.
        unit: ``mm``, or empty for fractions.
        methods: Names of models and their heads for people.
        models: Of each of these the model's name in the tables.
        rows: One for each anatomy.
        less_is_better: Which way to sort first.
    """

    key: str
    label: str
    unit: str
    methods: tuple[str, ...]
    models: tuple[str, ...]
    rows: tuple[ResultRow, ...]
    less_is_better: bool

    @property
    def group(self) -> str:
        """To which other surface than the groomed segmentation it measures; empty for that one."""
        if self.key.endswith(TO_PARTICLES):
            return "to the surface from true particles"
        return "to the mask, unsmoothed" if self.key.endswith(TO_MASK) else ""

    @property
    def short(self) -> str:
        """The label without what it is measured to."""
        return describe(plain_name(self.key)).label

    @property
    def across(self) -> tuple[ResultRow, ...]:
        """The rows with all anatomies together first: columns where models are rows."""
        return tuple(sorted(self.rows, key=lambda row: not row.is_total))


def local_tables(shown: Shown, anatomies: Sequence[str]) -> list[ResultTable]:
    """Make the tables of the image frame."""
    return result_tables(shown, [LOCAL], anatomies)


def result_tables(
    shown: Shown, heads: Sequence[str], anatomies: Sequence[str]
) -> list[ResultTable]:
    """Make one table for each measure of some heads.

    Args:
        shown: Its reference model's first head is what the others are compared with.
        heads: Local, or the world heads.
        anatomies: In the order of the rows.
    """
    summary = shown.summary
    own = summary[summary["head"].isin(list(heads)) & ~summary["measure"].isin(_DROPPED)]
    methods = shown.names.ordered(list(zip(own["model"], own["head"], strict=True)))
    ours = next((m for m in methods if m[0] == shown.model), None)
    lines = _lines(own, anatomies)
    tables = []
    for measure in sorted(set(own["measure"]), key=_rank):
        rows, compared = (t[t["measure"] == measure] for t in (own, shown.tests))
        made = [
            ResultRow(
                label,
                _cells(
                    _of(rows, scope, anatomy),
                    _of(compared, scope, anatomy),
                    methods,
                    measure,
                    ours,
                    shown.names,
                ),
                scope == ALL,
            )
            for scope, anatomy, label in lines
        ]
        described = describe(measure)
        unit = "" if described.unit == "1" else described.unit
        tables.append(
            ResultTable(
                key=measure,
                label=described.label,
                unit=unit,
                methods=tuple(shown.names.methods(methods).values()),
                models=tuple(model for model, _ in methods),
                rows=tuple(made),
                less_is_better=described.better == "low",
            )
        )
    return tables


def _lines(summary: pd.DataFrame, anatomies: Sequence[str]) -> list[tuple[str, str, str]]:
    """List scope, anatomy and label of each row."""
    present = set(summary[summary["scope"] == ANATOMY]["anatomy"])
    lines = [(ANATOMY, name, anatomy_label(name)) for name in anatomies if name in present]
    return [*lines, (ALL, "", ALL_LABEL)] if (summary["scope"] == ALL).any() else lines


def _of(table: pd.DataFrame, scope: str, anatomy: str) -> pd.DataFrame:
    return table[(table["scope"] == scope) & (table["anatomy"] == anatomy)]


def _rank(measure: str) -> tuple[int, int, str]:
    places = [i for i, start in enumerate(_ORDER) if measure.startswith(start)]
    group = 2 * measure.endswith(TO_PARTICLES) + measure.endswith(TO_MASK)
    return group, places[0] if places else len(_ORDER), measure


def _cells(
    rows: pd.DataFrame,
    tests: pd.DataFrame,
    methods: Sequence[Method],
    measure: str,
    ours: Method | None,
    names: Names,
) -> tuple[Cell | None, ...]:
    found, costly = _by_method(rows, with_missed=False), _by_method(rows, with_missed=True)
    sign = 1 if describe(measure).better == "low" else -1
    rivals = {m: sign * float(row["mean"]) for m, row in found.items() if m[0] not in names.knowing}
    best = min(rivals, key=lambda m: rivals[m]) if len(rivals) > 1 else None
    return tuple(
        None
        if method not in found
        else _cell(
            found[method],
            _versus(tests, ours, method, names, with_missed=False),
            _with_missed(tests, costly, ours, method, names),
            best=method == best,
        )
        for method in methods
    )


def _by_method(rows: pd.DataFrame, *, with_missed: bool) -> dict[Method, dict[str, Any]]:
    chosen = rows[(rows["counting"] == WITH_MISSED) == with_missed]
    return {
        (str(row["model"]), str(row["head"])): {str(key): value for key, value in row.items()}
        for row in chosen.to_dict("records")
    }


def _cell(row: dict[str, Any], versus: Versus, with_missed: tuple[str, ...], *, best: bool) -> Cell:
    missed = f", {int(row['missed'])} missed" if row["missed"] else ""
    return Cell(
        value=float(row["mean"]),
        mean=number(row["mean"], row["unit"]),
        interval=interval(row["ci_low"], row["ci_high"], row["unit"]),
        median=number(row["median"], row["unit"]),
        count=f"{sample_size(row)}{missed}",
        best=best,
        versus=versus.text,
        effect=versus.effect,
        clear=versus.clear,
        with_missed=with_missed,
    )


def _with_missed(
    tests: pd.DataFrame,
    costly: dict[Method, dict[str, Any]],
    ours: Method | None,
    method: Method,
    names: Names,
) -> tuple[str, ...]:
    """Write what changes when missed structures count; empty if neither of the two missed any."""
    row = costly.get(method)
    pair = [costly[m] for m in (method, ours) if m in costly]
    if row is None or not any(one["missed"] for one in pair):
        return ()
    spread = interval(row["ci_low"], row["ci_high"], row["unit"])
    mean = number(row["mean"], row["unit"])
    first = f"{mean} ({spread})" if spread else mean
    versus = _versus(tests, ours, method, names, with_missed=True).text
    return (f"{first}, {sample_size(row)}", *([versus] if versus else []))


def _versus(
    tests: pd.DataFrame, ours: Method | None, method: Method, names: Names, *, with_missed: bool
) -> Versus:
    if ours is None or method == ours or tests.empty:
        return Versus()
    pair = tests[
        ((tests["counting"] == WITH_MISSED) == with_missed)
        & (tests["model_a"] == ours[0])
        & (tests["head_a"] == ours[1])
        & (tests["model_b"] == method[0])
        & (tests["head_b"] == method[1])
    ]
    if pair.empty:
        return Versus()
    row = pair.iloc[0]
    count = f"{p_value(row['p_holm'])}, {sample_size(row)}"
    if row["better"] == "same":
        return Versus(f"no difference, {count}", often(row))
    if np.isfinite(row["difference_percent"]):
        word = "lower" if row["difference"] < 0 else "higher"
        size = f"{abs(row['difference_percent']):.0f} % {word}"
    else:
        size = f"{row['difference']:+.2f}"
    spread = signed_interval(row)
    effect = f"{signed(row)}{f' ({spread})' if spread else ''}, {often(row)}"
    text = f"{names.model(ours[0])} {size}, {count}"
    return Versus(text, effect, bool(row["p_holm"] < 0.05))
