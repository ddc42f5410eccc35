"""Every test subject's result for every anatomy, as a colored matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from massm.evaluate.rows import DETECTION, LOCAL
from massm.report.figures.rendering import ERROR_MAP
from massm.report.run.shown import Shown


@dataclass(frozen=True)
class MatrixCell:
    """One anatomy of one subject.

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
    shown: Shown, cohort: pd.DataFrame, measure: str, anatomies: Sequence[str]
) -> list[tuple[str, list[MatrixCell]]]:
    """Lay one measure out by subject and anatomy, the worst subjects first.

    Args:
        shown: Its split and model.
        cohort: ``dataset/cohort.tsv``: says why an anatomy has no value.
        measure: Name of the measure, mm.
        anatomies: The columns.
    """
    own = shown.values[shown.values["model"] == shown.model]
    chosen = own[(own["head"] == LOCAL) & (own["measure"] == measure)]
    table = chosen.pivot(index="subject", columns="anatomy", values="value")
    limit = float(np.nanpercentile(table.to_numpy(float), 97)) if table.size else 1.0
    flags = _flags(own, cohort[cohort["split"] == shown.split])
    subjects = sorted({subject for subject, _ in flags})
    mean = table.mean(axis=1)
    subjects.sort(key=lambda name: -float(mean.get(name, -1.0)))
    found = table.stack().dropna().to_dict()
    return [
        (
            subject,
            [
                _value(found[subject, name], limit)
                if (subject, name) in found
                else flags.get((subject, name), MatrixCell("", "flag"))
                for name in anatomies
            ],
        )
        for subject in subjects
    ]


def _flags(values: pd.DataFrame, cohort: pd.DataFrame) -> dict[tuple[str, str], MatrixCell]:
    """Say of every anatomy of every subject why it may have no value."""
    status = {
        (str(row.subject), str(row.anatomy)): MatrixCell(str(row.status), "flag")
        for row in cohort.itertuples()
    }
    wrong = dict.fromkeys(
        _flagged(values, "false_positive"), MatrixCell("false positive", "missed")
    )
    missed = dict.fromkeys(_flagged(values, "missed"), MatrixCell("missed", "missed"))
    return status | wrong | missed


def _flagged(values: pd.DataFrame, measure: str) -> set[tuple[str, str]]:
    chosen = values[
        (values["head"] == DETECTION) & (values["measure"] == measure) & (values["value"] > 0)
    ]
    return set(zip(chosen["subject"].astype(str), chosen["anatomy"].astype(str), strict=True))


def _value(value: float, limit: float) -> MatrixCell:
    color = ERROR_MAP(0.65 * min(1.0, value / max(limit, 1e-9)))  # text must stay readable
    bright = float(np.dot(color[:3], (0.299, 0.587, 0.114)))
    return MatrixCell(f"{value:.2f}", "value", to_hex(color), "#1d2733" if bright > 0.5 else "#fff")
