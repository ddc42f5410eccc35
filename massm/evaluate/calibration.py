"""From the errors of calibration subjects to radii that hold with a stated coverage."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.evaluate.conformal import (
    Factors,
    choose_factors,
    choose_pooled_factors,
    fewest_subjects,
)
from massm.io.intervals import AnatomyIntervals, Intervals
from massm.io.residuals import Residuals

SHRINKAGE_SUBJECTS = 10
"""As many subjects whose distance is the anatomy's mean everywhere join those that were measured:
the mean of few at one particle is mostly chance."""

FLOOR_MM = 0.1
"""No spread is below: of particles that all lay on the surface a factor could make nothing."""

_FEWEST_FOUND = 2  # one is scored by the spread of the other


class _Scored(NamedTuple):
    """What the calibration subjects say of one anatomy.

    Attributes:
        distance: Of the n subjects that have it, mm; infinite: missed.
        scores: Of each, by subject's row; None if it was found too seldom for a spread.
    """

    distance: Float[np.ndarray, "n M"]
    scores: dict[int, Float[np.ndarray, " M"]] | None


def spread_of(distance: Float[np.ndarray, "n M"]) -> Float[np.ndarray, " M"]:
    """Estimate how far each particle is expected from the true surface, mm.

    The mean over subjects, drawn towards the mean over particles (:data:`SHRINKAGE_SUBJECTS`), at
    least :data:`FLOOR_MM`. Factors make a radius of it, so only its differences between particles
    matter.

    Args:
        distance: Of the subjects in which the anatomy was found, at least one, mm.
    """
    count = len(distance)
    weight = count / (count + SHRINKAGE_SUBJECTS)
    drawn = weight * distance.mean(0) + (1 - weight) * distance.mean()
    return np.asarray(np.maximum(drawn, FLOOR_MM))


def left_out_scores(distance: Float[np.ndarray, "n M"]) -> list[Float[np.ndarray, " M"]] | None:
    """Divide the distances of each subject by the spread of the others.

    So no subject has a say in the spread that it is judged by, as a new one has none.

    Args:
        distance: mm; infinite of a subject in which the anatomy was missed.

    Returns:
        Scores of each subject, infinite where missed; None if it was found in fewer than two.
    """
    found = np.isfinite(distance).all(1)
    if found.sum() < _FEWEST_FOUND:
        return None
    scores = []
    for row, own in enumerate(distance):
        others = found & (np.arange(len(distance)) != row)
        scores.append(own / spread_of(distance[others]))
    return scores


def calibrate(residuals: Residuals, level: float, calibration: str) -> Intervals:
    """Choose the radii of every anatomy.

    An anatomy with enough subjects has factors of its own (Mondrian conformal prediction: Vovk,
    Gammerman and Shafer, "Algorithmic learning in a random world", 2005, section 4.5). One with
    fewer takes those of all anatomies together, which promise an average over anatomies, if the
    subjects of all are enough; else nothing is promised.

    Args:
        residuals: Of subjects that the model did not learn from.
        level: Coverage, 0 to 1.
        calibration: In words, whose they are.
    """
    scored = [_scored(residuals, column) for column in range(len(residuals.anatomies))]
    fewest = fewest_subjects(level)
    together = _by_subject([one.scores for one in scored])
    pooled = choose_pooled_factors(together, level) if len(together) >= fewest else None
    return Intervals(
        level,
        calibration,
        {
            name: _of_anatomy(one, pooled, len(together), level)
            for name, one in zip(residuals.anatomies, scored, strict=True)
        },
    )


def _scored(residuals: Residuals, column: int) -> _Scored:
    rows = np.flatnonzero(residuals.known[:, column])
    distance = residuals.distance_mm[rows, column]
    scores = left_out_scores(distance)
    by_row = None if scores is None else dict(zip(rows.tolist(), scores, strict=True))
    return _Scored(distance, by_row)


def _by_subject(
    scores: Sequence[dict[int, Float[np.ndarray, " M"]] | None],
) -> list[list[Float[np.ndarray, " M"]]]:
    """Collect the scores of each subject's anatomies."""
    together: dict[int, list[np.ndarray]] = {}
    for of_anatomy in scores:
        for row, one in (of_anatomy or {}).items():
            together.setdefault(row, []).append(one)
    return [together[row] for row in sorted(together)]


def _of_anatomy(
    scored: _Scored, pooled: Factors | None, subjects: int, level: float
) -> AnatomyIntervals:
    fewest, count = fewest_subjects(level), len(scored.distance)
    missed = int(np.isinf(scored.distance).any(1).sum())
    own = count >= fewest
    factors, reason = None, ""
    if scored.scores is None:
        reason = f"found in {count - missed} calibration subjects, 2 are needed for a spread"
    elif own:
        factors = choose_factors(list(scored.scores.values()), level)
    elif pooled is not None:
        factors = pooled
    else:
        reason = f"{subjects} calibration subjects, {fewest} are needed for {100 * level:g} %"
    if factors is not None and not (math.isfinite(factors.whole) and math.isfinite(factors.share)):
        where = f"missed in {missed} of {count} calibration subjects" if own else "missed too often"
        reason = f"{where}, which leaves too few for {100 * level:g} %"
    found = scored.distance[np.isfinite(scored.distance).all(1)]
    nothing = np.full(scored.distance.shape[1], np.nan)
    return AnatomyIntervals(
        spread_mm=nothing if factors is None else spread_of(found),
        share=math.inf if factors is None else factors.share,
        whole=math.inf if factors is None else factors.whole,
        subjects=count,
        missed=missed,
        pooled=factors is not None and not own,
        reason=reason,
    )
