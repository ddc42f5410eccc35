"""Was the organ found, and where?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from massm.evaluate.measures import within_name
from massm.geometry.boxes import box_iou


class Box(NamedTuple):
    """Center and half extents of an organ's box, mm."""

    center: Float[np.ndarray, "3"]
    radius: Float[np.ndarray, "3"]


def detection_measures(
    found: Box | None, true: Box | None, *, present: bool, within_mm: Sequence[float]
) -> dict[str, float]:
    """Measure the detection of one organ whose presence is known.

    Args:
        found: The predicted box; None if the model says that the organ is not there.
        true: The true box; None for an absent organ, or a present one without true particles.
        present: Whether the organ is in the image.
        within_mm: Distances within which a center counts as right; a missed organ is not.

    Returns:
        For a present organ ``missed`` (0 or 1) and, where both boxes exist, center error (mm), box
        IoU and ``center_within_*``; for an absent one ``false_positive`` (0 or 1).
    """
    if not present:
        return {"presence": 0.0, "false_positive": float(found is not None)}
    measures = {"presence": 1.0, "missed": float(found is None)}
    if true is None:
        return measures
    error = np.inf if found is None else float(np.linalg.norm(found.center - true.center))
    if found is not None:
        measures["center_error"] = error
        measures["box_iou"] = float(box_iou(*found, *true))
    measures.update({within_name(limit): float(error <= limit) for limit in within_mm})
    return measures


def auroc(score: Float[np.ndarray, " n"], present: Bool[np.ndarray, " n"]) -> float:
    """Measure how well a score tells present from absent organs.

    The area under the ROC curve as the Mann-Whitney statistic: the chance that a present organ
    scores higher than an absent one, ties counted half.

    Returns:
        The area, or nan where only one class occurs.
    """
    positives = int(np.count_nonzero(present))
    negatives = len(present) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[present].sum() - positives * (positives + 1) / 2) / positives / negatives)
