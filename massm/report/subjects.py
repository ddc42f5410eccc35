"""Every test subject's result for every anatomy, as a colored matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from massm.evaluate.rows import DETECTION, LOCAL
from massm.report.rendering import ERROR_MAP


@dataclass(frozen=True)
class MatrixCell:
    """One organ of one subject.

    Attributes:
        text: Its distance, or why there is none.
        kind: ``value``, ``missed`` or ``flag``.
        color: Of the cell; empty for none.
        ink: Of the text on it.
    """

    text: str
    kind: str
    color: str = ""
    ink: str = ""


def subject_matrix(
    values: pd.DataFrame,
    cohort: pd.DataFrame,
    *,
    model: str,
    measure: str,
    split: str,
    anatomies: Sequence[str],
) -> list[tuple[str, list[MatrixCell]]]:
    """Lay one measure out by subject and anatomy, the worst subjects first.

    Args:
        values: Measures of single organs of the split.
        cohort: ``dataset/cohort.tsv``: says why an organ has no value.
        model: Whose results.
        measure: Name of the measure, mm.
        split: Which subjects.
        anatomies: The columns.
    """
    own = values[values["model"] == model]
    chosen = own[(own["head"] == LOCAL) & (own["measure"] == measure)]
    table = chosen.pivot(index="subject", columns="anatomy", values="value")
    of_split = cohort[cohort["split"] == split]
    status = {(str(r.subject), str(r.anatomy)): str(r.status) for r in of_split.itertuples()}
    missed, invented = _flagged(own, "missed"), _flagged(own, "false_positive")
    limit = float(np.nanpercentile(table.to_numpy(float), 97)) if table.size else 1.0
    subjects = sorted(set(of_split["subject"].astype(str)))
    mean = table.mean(axis=1)
    subjects.sort(key=lambda name: -float(mean.get(name, -1.0)))
    rows = []
    for subject in subjects:
        cells = []
        for anatomy in anatomies:
            key = (subject, anatomy)
            there = subject in table.index and anatomy in table.columns
            value = float(table[anatomy][subject]) if there else float("nan")
            if np.isfinite(value):
                cells.append(_value(value, limit))
            elif key in missed:
                cells.append(MatrixCell("missed", "missed"))
            elif key in invented:
                cells.append(MatrixCell("invented", "missed"))
            else:
                cells.append(MatrixCell(status.get(key, ""), "flag"))
        rows.append((subject, cells))
    return rows


def _flagged(values: pd.DataFrame, measure: str) -> set[tuple[str, str]]:
    chosen = values[
        (values["head"] == DETECTION) & (values["measure"] == measure) & (values["value"] > 0)
    ]
    return set(zip(chosen["subject"].astype(str), chosen["anatomy"].astype(str), strict=True))


def _value(value: float, limit: float) -> MatrixCell:
    color = ERROR_MAP(0.65 * min(1.0, value / max(limit, 1e-9)))  # text must stay readable
    bright = float(np.dot(color[:3], (0.299, 0.587, 0.114)))
    return MatrixCell(f"{value:.2f}", "value", to_hex(color), "#1d2733" if bright > 0.5 else "#fff")
