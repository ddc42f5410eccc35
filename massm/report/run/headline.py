"""The results for files: the table of all numbers, and tables as aligned text for a log."""

from collections.abc import Sequence
from textwrap import wrap

import pandas as pd

from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.summary import KEYS
from massm.report.run.claims import ToldClaim, claims_text
from massm.report.run.detection import count_found
from massm.report.run.results import Cell, ResultTable, local_tables
from massm.report.run.shown import Shown
from massm.report.run.words import DASH

_PAIRED = (
    "percent_ci_low", "percent_ci_high", "effect", "effect_ci_low", "effect_ci_high", "p",
    "family", "p_holm",
)  # fmt: skip
_COLUMN = 14  # letters of a column's head, at most (longer words stay whole)


def headline_table(
    summary: pd.DataFrame, tests: pd.DataFrame, reference_model: str
) -> pd.DataFrame:
    """Put results and comparisons side by side: the table that goes to ``report/results.csv``.

    Returns:
        The rows of the summary, with the paired difference of the reference model's first head to
        each other method in percent, its interval, the share of subjects in which the reference
        model is better, and the corrected p-value.
    """
    heads = summary[summary["model"] == reference_model]["head"].unique()
    first = {LOCAL: LOCAL, DETECTION: DETECTION}
    world = sorted(head for head in heads if head not in first)
    chosen = [LOCAL, DETECTION, *world[:1]]
    pairs = tests[(tests["model_a"] == reference_model) & tests["head_a"].isin(chosen)]
    renamed = pairs.rename(
        columns={"model_b": "model", "head_b": "head", "difference_percent": "reference_percent"}
    )
    columns = [*KEYS, "reference_percent", *_PAIRED]
    return summary.merge(renamed[columns], on=KEYS, how="left")


def as_text(table: ResultTable) -> str:
    """Write a table as aligned text, a line for each model: mean (median) of each anatomy.

    Below it stand the comparisons of all anatomies together. Names of anatomies take several lines
    rather than wide columns.
    """
    heads = [wrap(row.name, _COLUMN, break_long_words=False) for row in table.rows]
    depth = max(map(len, heads))
    lines = [
        ["", *(head[place] if place < len(head) else "" for head in heads)]
        for place in range(depth)
    ]
    for place, method in enumerate(table.methods):
        cells = [row.cells[place] for row in table.rows]
        lines.append([method, *(_text(cell) for cell in cells)])
    unit = f", {table.unit}" if table.unit else ""
    return "\n".join([f"{table.label}{unit}: mean (median)", *_aligned(lines), *_compared(table)])


def _text(cell: Cell | None) -> str:
    return DASH if cell is None else f"{cell.mean} ({cell.median})"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return [
        "  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _compared(table: ResultTable) -> list[str]:
    """Say how the model that is compared does against each other, over the last row."""
    name, cells, _ = table.rows[-1]
    told = zip(table.methods, cells, strict=True)
    return [
        f"{name}, against {method}: {cell.versus}"
        for method, cell in told
        if cell is not None and cell.versus
    ]


_PRINTED = ("surface_mean", "particle_rmse", "dice")


def log_text(shown: Shown, anatomies: Sequence[str], claims: Sequence[ToldClaim]) -> str:
    """Write the main results, and what became of the claims, for the log."""
    tables = [table for table in local_tables(shown, anatomies) if table.key in _PRINTED]
    found = count_found(shown.values, shown.model)
    counts = (
        f"{shown.names.model(shown.model)} found {found.present - found.missed} of {found.present} "
        f"structures; false positives: {found.false_positives} of {found.absent} absent ones"
    )
    told = [f"claims\n{claims_text(claims)}"] if claims else []
    text = "\n\n".join([*map(as_text, tables), counts, *told])
    return f"results on the {shown.split} split\n\n{text}"
