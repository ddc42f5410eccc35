"""What a run's tables say of the model that it trained, for the model folder."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from massm.evaluate.rows import DETECTION, LOCAL

MEASURES = (
    *("surface_mean", "surface_p95", "surface_hausdorff", "dice", "particle_euclidean"),
    *("center_error", "box_iou", "missed", "false_positive", "presence_auroc"),
)
"""Measures of the run that go with the model."""

_COLUMNS = ["split", "head", "scope", "anatomy", "measure", "counting", "unit", "n", "subjects"]
_COLUMNS += ["missed", "mean", "median", "sd", "ci_low", "ci_high", "interval", "note"]


def metrics_of(summary: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """Take the rows of one model's local particles and detection out of the run's summary.

    Args:
        summary: ``evaluate/summary.csv``.
        model: Name of the model.

    Returns:
        One mapping for each split, anatomy (``scope``: ``anatomy``, or ``all``), measure and way of
        counting, with n, missed, mean, median, sd and interval; what is not known is None.
    """
    own = summary[(summary["model"] == model) & summary["head"].isin([LOCAL, DETECTION])]
    own = own[own["measure"].isin(MEASURES)][_COLUMNS]
    return [
        {str(name): None if pd.isna(value) else _plain(value) for name, value in row.items()}
        for row in own.to_dict("records")
    ]


def counts_of(
    subjects: pd.DataFrame, counts: pd.DataFrame, anatomies: Sequence[str]
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Count usable subjects by split, and in how many scans each anatomy is.

    Args:
        subjects: ``dataset/subjects.tsv``.
        counts: ``dataset/counts.tsv``.
        anatomies: Those of the model.
    """
    used = subjects[subjects["status"] == "used"]["split"].value_counts()
    by_split = {split: int(used.get(split, 0)) for split in ("train", "validation", "test")}
    rows = {str(row.pop("anatomy")): row for row in counts.to_dict("records")}
    organs = {
        name: {str(key): int(count) for key, count in rows[name].items()} for name in anatomies
    }
    return by_split, organs


def _plain(value: Any) -> Any:
    """Turn a number of numpy into one of Python."""
    return value.item() if hasattr(value, "item") else value
