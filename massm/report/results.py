"""The results as tables for people: means with intervals, medians, and who is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from massm.evaluate.measures import describe
from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.summary import ALL
from massm.report.naming import (
    Method,
    anatomy_label,
    method_label,
    model_label,
    ordered,
)

DASH = "\N{EN DASH}"
_TO_PARTICLES = "_particles"
_CEILING = "pca_oracle"  # sees the truth, so it cannot be "best"
_DROPPED = ("particle_rmse_x", "particle_rmse_y", "particle_rmse_z")  # in summary.csv
_ORDER = (
    "surface_mean", "surface_p95", "surface_hausdorff", "dice", "surface_dice", "particle_rmse",
    "particle_euclidean",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One model's result for one anatomy.

    Attributes:
        mean: With unit-dependent decimals.
        interval: Confidence interval of the mean; empty if there is none.
        median: As text.
        count: Organs measured, and how many were missed.
        best: Whether it is the best mean of the row (the oracle aside).
        versus: What the paired test says of the reference model against this one.
        clear: Whether that difference is significant after correction.
    """

    mean: str
    interval: str
    median: str
    count: str
    best: bool
    versus: str
    clear: bool


@dataclass(frozen=True)
class ResultTable:
    """One measure: anatomies down, models across."""

    key: str
    label: str
    unit: str
    methods: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]

    @property
    def to_particles(self) -> bool:
        """Whether it measures to the surface from true particles, not to the segmentation."""
        return self.key.endswith(_TO_PARTICLES)

    @property
    def short(self) -> str:
        """The label without what it is measured to."""
        return describe(self.key.removesuffix(_TO_PARTICLES)).label


def result_tables(
    summary: pd.DataFrame,
    tests: pd.DataFrame,
    *,
    heads: Sequence[str],
    anatomies: Sequence[str],
    reference_model: str,
) -> list[ResultTable]:
    """Make one table for each measure of some heads.

    Args:
        summary: Rows of one split.
        tests: Rows of one split.
        heads: Local, or the world heads.
        anatomies: In the order of the rows.
        reference_model: Its first head is what the others are compared with.
    """
    own = summary[summary["head"].isin(list(heads)) & ~summary["measure"].isin(_DROPPED)]
    methods = ordered(list(zip(own["model"], own["head"], strict=True)))
    present = set(own["anatomy"])
    names = [name for name in [*anatomies, ALL] if name in present]
    tables = []
    for measure in sorted(set(own["measure"]), key=_rank):
        rows = own[own["measure"] == measure].set_index(["model", "head", "anatomy"])
        compared = tests[tests["measure"] == measure]
        lines = tuple(
            (anatomy_label(name), _cells(rows, compared, methods, name, measure, reference_model))
            for name in names
        )
        described = describe(measure)
        unit = "" if described.unit == "1" else described.unit
        labels = tuple(method_label(method) for method in methods)
        tables.append(ResultTable(measure, described.label, unit, labels, lines))
    return tables


def _rank(measure: str) -> tuple[bool, int, str]:
    places = [i for i, start in enumerate(_ORDER) if measure.startswith(start)]
    return measure.endswith(_TO_PARTICLES), places[0] if places else len(_ORDER), measure


def _cells(
    rows: pd.DataFrame,
    tests: pd.DataFrame,
    methods: Sequence[Method],
    anatomy: str,
    measure: str,
    reference_model: str,
) -> tuple[Cell | None, ...]:
    found = {m: _row(rows, m, anatomy) for m in methods if (*m, anatomy) in rows.index}
    sign = 1 if describe(measure).better == "low" else -1
    rivals = {m: sign * float(row["mean"]) for m, row in found.items() if m[0] != _CEILING}
    best = min(rivals, key=lambda m: rivals[m]) if len(rivals) > 1 else None
    ours = next((m for m in methods if m[0] == reference_model), None)
    cells: list[Cell | None] = []
    for method in methods:
        if method not in found:
            cells.append(None)
            continue
        row = found[method]
        versus, clear = _versus(tests, ours, method, anatomy)
        missed = f", {int(row['missed'])} missed" if row["missed"] else ""
        cells.append(
            Cell(
                mean=number(row["mean"], row["unit"]),
                interval=interval(row["ci_low"], row["ci_high"], row["unit"]),
                median=number(row["median"], row["unit"]),
                count=f"n = {int(row['n'])}{missed}",
                best=method == best,
                versus=versus,
                clear=clear,
            )
        )
    return tuple(cells)


def _row(rows: pd.DataFrame, method: Method, anatomy: str) -> dict[str, Any]:
    key: Any = (*method, anatomy)
    return dict(rows.loc[key])


def _versus(
    tests: pd.DataFrame, ours: Method | None, method: Method, anatomy: str
) -> tuple[str, bool]:
    if ours is None or method == ours or tests.empty:
        return "", False
    pair = tests[
        (tests["anatomy"] == anatomy)
        & (tests["model_a"] == ours[0])
        & (tests["head_a"] == ours[1])
        & (tests["model_b"] == method[0])
        & (tests["head_b"] == method[1])
    ]
    if pair.empty:
        return "", False
    row = pair.iloc[0]
    p = p_value(row["p_holm"])
    if row["better"] == "same":
        return f"no difference, {p}", False
    if np.isfinite(row["difference_percent"]):
        word = "lower" if row["difference"] < 0 else "higher"
        size = f"{abs(row['difference_percent']):.0f} % {word}"
    else:
        size = f"{row['difference']:+.2f}"
    return f"{model_label(ours[0])} {size}, {p}", bool(row["p_holm"] < 0.05)


def number(value: float, unit: str) -> str:
    """Write a value: millimeters with two decimals, fractions with three."""
    if not np.isfinite(value):
        return DASH
    return f"{value:.3f}" if unit == "1" else f"{value:.2f}"


def interval(low: float, high: float, unit: str) -> str:
    """Write a confidence interval; empty if there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{number(low, unit)} {DASH} {number(high, unit)}"


def p_value(p: float) -> str:
    """Write a p-value."""
    if not np.isfinite(p):
        return "no test"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.095 else f"p = {p:.2f}"


def headline_table(
    summary: pd.DataFrame, tests: pd.DataFrame, reference_model: str
) -> pd.DataFrame:
    """Put results and comparisons side by side: the table that goes to ``report/results.csv``.

    Returns:
        The rows of the summary, with the paired difference of the reference model's first head to
        each other method in percent, its interval and the corrected p-value.
    """
    heads = summary[summary["model"] == reference_model]["head"].unique()
    first = {LOCAL: LOCAL, DETECTION: DETECTION}
    world = sorted(head for head in heads if head not in first)
    chosen = [LOCAL, DETECTION, *world[:1]]
    pairs = tests[(tests["model_a"] == reference_model) & tests["head_a"].isin(chosen)]
    renamed = pairs.rename(
        columns={"model_b": "model", "head_b": "head", "difference_percent": "reference_percent"}
    )
    keys = ["split", "model", "head", "anatomy", "measure"]
    columns = [*keys, "reference_percent", "percent_ci_low", "percent_ci_high", "p_holm"]
    return summary.merge(renamed[columns], on=keys, how="left")


def as_text(table: ResultTable) -> str:
    """Write a table as aligned text: mean (median) of each model, then the comparisons."""
    head = ["", *table.methods]
    lines = [
        [name, *(DASH if cell is None else f"{cell.mean} ({cell.median})" for cell in cells)]
        for name, cells in table.rows
    ]
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    unit = f", {table.unit}" if table.unit else ""
    text = [f"{table.label}{unit}: mean (median)"]
    for line in [head, *lines]:
        first, *others = (part.ljust(width) for part, width in zip(line, widths, strict=True))
        text.append("  ".join([first, *(part.rjust(len(part)) for part in others)]).rstrip())
    for name, cells in table.rows[-1:]:
        for method, cell in zip(table.methods, cells, strict=True):
            if cell is not None and cell.versus:
                text.append(f"{name}, against {method.lower()}: {cell.versus}")
    return "\n".join(text)
