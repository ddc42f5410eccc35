"""The results for files: the table of all numbers, and tables as aligned text for a log."""

from collections.abc import Sequence

import pandas as pd

from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.summary import KEYS
from massm.report.run.detection import count_found
from massm.report.run.results import ResultTable, local_tables
from massm.report.run.shown import Shown
from massm.report.run.words import DASH

_PAIRED = ("percent_ci_low", "percent_ci_high", "p", "family", "p_holm")


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
    columns = [*KEYS, "reference_percent", *_PAIRED]
    return summary.merge(renamed[columns], on=KEYS, how="left")


def as_text(table: ResultTable) -> str:
    """Write a table as aligned text: mean (median) of each model, then the comparisons."""
    head = ["", *table.methods]
    lines = [
        [name, *(DASH if cell is None else f"{cell.mean} ({cell.median})" for cell in cells)]
        for name, cells, _ in table.rows
    ]
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    unit = f", {table.unit}" if table.unit else ""
    text = [f"{table.label}{unit}: mean (median)"]
    for line in [head, *lines]:
        first, *others = (part.ljust(width) for part, width in zip(line, widths, strict=True))
        text.append("  ".join([first, *(part.rjust(len(part)) for part in others)]).rstrip())
    for name, cells, _ in table.rows[-1:]:
        for method, cell in zip(table.methods, cells, strict=True):
            if cell is not None and cell.versus:
                text.append(f"{name}, against {method.lower()}: {cell.versus}")
    return "\n".join(text)


_PRINTED = ("surface_mean", "particle_rmse", "dice")


def log_text(shown: Shown, anatomies: Sequence[str]) -> str:
    """Write the main results for the log."""
    tables = [table for table in local_tables(shown, anatomies) if table.key in _PRINTED]
    found = count_found(shown.values, shown.model)
    counts = (
        f"{shown.names.model(shown.model)} found {found.present - found.missed} of {found.present} "
        f"structures; false positives: {found.false_positives} of {found.absent} absent ones"
    )
    text = "\n\n".join([*map(as_text, tables), counts])
    return f"results on the {shown.split} split\n\n{text}"
