"""Was the anatomy found, and where?"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from massm.evaluate.measures import within_name
from massm.geometry.boxes import Box, box_iou


def presence_measures(*, found: bool, present: bool) -> dict[str, float]:
    """Measure whether an anatomy whose presence is known was found.

    Args:
        found: Whether the model says that the anatomy is in the image.
        present: Whether it is.

    Returns:
        ``presence`` (0 or 1); of a present anatomy ``missed``, of an absent one
        ``false_positive`` (0 or 1).
    """
    if present:
        return {"presence": 1.0, "missed": float(not found)}
    return {"presence": 0.0, "false_positive": float(found)}


def box_measures(found: Box | None, true: Box, *, within_mm: Sequence[float]) -> dict[str, float]:
    """Measure the box of an anatomy that is in the image.

    Args:
        found: The predicted box; None if the anatomy was missed by a model that gives boxes.
        true: The true box.
        within_mm: Distances within which a center counts as right; a missed anatomy is not.

    Returns:
        Center error (mm) and box IoU of a found anatomy, and ``center_within_*`` (0 or 1).
    """
    error = np.inf if found is None else float(np.linalg.norm(found.center - true.center))
    measures: dict[str, float] = {}
    if found is not None:
        measures = {"center_error": error, "box_iou": float(box_iou(*found, *true))}
    return measures | {within_name(limit): float(error <= limit) for limit in within_mm}


def auroc(score: Float[np.ndarray, " n"], present: Bool[np.ndarray, " n"]) -> float:
    """Measure how well a score tells present from absent anatomies.

    The area under the ROC curve as the Mann-Whitney statistic: the chance that a present anatomy
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
