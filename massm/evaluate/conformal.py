"""How far off a prediction may be, with a stated coverage: conformal prediction by subject.

A *score* is a distance divided by the spread that was expected there, so that one factor serves
particles that are easy and hard to place. Factors are chosen from subjects that the models never
saw (cross-validation); what is promised is promised for a new subject that is drawn as these were,
so the subject is the unit: 256 particles of 60 subjects are 60 draws, not 15 000.

Two statements, see :func:`whole_factor` and :func:`share_factor`: the *whole* surface of an anatomy
lies within its band, or a *share* of its particles lies within their radii.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from massm.evaluate.statistics import (
    NO_INTERVAL,
    Interval,
    Resampling,
    mean_interval,
    rate_interval,
)


class Factors(NamedTuple):
    """What expected spreads are multiplied by; infinite where the subjects are too few.

    Attributes:
        whole: For the whole surface.
        share: For the share of particles.
        subjects: How many subjects they are chosen from.
    """

    whole: float
    share: float
    subjects: int


def fewest_subjects(level: float) -> int:
    """Return how many subjects it takes to promise a coverage at all: 9 for 90 %.

    With fewer, the largest score that was seen is not rare enough.
    """
    _refuse_no_level(level)
    # The smallest n with n / (n + 1) >= level; rounding of 0.9 must not make it 10.
    return max(1, math.ceil(level / (1 - level) - 1e-9))


def whole_factor(scores: Float[np.ndarray, " n"], level: float) -> float:
    """Choose the factor within which a whole subject lies with a given chance.

    Split conformal prediction: the ``ceil((n + 1) level)``-th smallest of n scores (Vovk, Gammerman
    and Shafer, "Algorithmic learning in a random world", 2005; Angelopoulos and Bates,
    arXiv:2107.07511, section 1). Coverage is at least ``level`` on average over draws of the
    subjects; a score that is not finite (an anatomy that was missed) counts as larger than any.

    Args:
        scores: One for each subject: its largest.
        level: Coverage, 0.9 for 90 %.

    Returns:
        The factor; infinite with too few subjects, see :func:`fewest_subjects`.
    """
    _refuse_no_level(level)
    ordered = np.sort(np.where(np.isfinite(scores), scores, np.inf))
    place = math.ceil((len(ordered) + 1) * level - 1e-9)
    return float(ordered[place - 1]) if place <= len(ordered) else math.inf


def share_factor(scores: Sequence[Float[np.ndarray, " _"]], level: float) -> float:
    """Choose the factor within which, on average over subjects, a share of the particles lies.

    Conformal risk control (Angelopoulos et al., "Conformal risk control", ICLR 2024, equation 4):
    the smallest factor whose mean share outside, with one more subject that lies outside
    altogether, is at most ``1 - level``.

    Args:
        scores: Of each subject those of its particles.
        level: Share of particles, 0.9 for 90 %.

    Returns:
        The factor; infinite with too few subjects.
    """
    _refuse_no_level(level)
    count = len(scores)
    allowed = (1 - level) * (count + 1) - 1 + 1e-9  # summed share outside, of all subjects
    if count == 0 or allowed < 0:
        return math.inf
    values = np.concatenate([np.where(np.isfinite(one), one, np.inf) for one in scores])
    weights = np.concatenate([np.full(len(one), 1 / len(one)) for one in scores])
    order = np.argsort(values, kind="stable")
    outside = count - np.cumsum(weights[order])  # with the factor at each value in turn
    # Equal values are inside together: the last of them counts.
    enough = np.flatnonzero(outside <= allowed + 1e-9)
    return float(values[order[enough[0]]]) if len(enough) else math.inf


def choose_factors(scores: Sequence[Float[np.ndarray, " _"]], level: float) -> Factors:
    """Choose both factors from the scores of each subject."""
    largest = np.array([one.max() for one in scores], dtype=float)
    return Factors(whole_factor(largest, level), share_factor(scores, level), len(scores))


def choose_pooled_factors(
    scores: Sequence[Sequence[Float[np.ndarray, " _"]]], level: float
) -> Factors:
    """Choose both factors for several anatomies together, from the scores of all of each subject.

    Anatomies of one subject are not independent, so what is promised is an average: that a share
    ``level`` of a new subject's anatomies (or of all their particles) lies within. Of one anatomy
    it is what :func:`choose_factors` chooses.

    Args:
        scores: Of each subject those of each of its anatomies; at least one.
        level: Coverage, 0.9 for 90 %.
    """
    largest = [np.array([one.max() for one in each], dtype=float) for each in scores]
    together = [np.concatenate(list(each)) for each in scores]
    return Factors(share_factor(largest, level), share_factor(together, level), len(scores))


class Covered(NamedTuple):
    """How much lies within, of what there is a finite factor for.

    Attributes:
        rate: 0 to 1; nan of nothing.
        interval: Of the rate, by subject.
        structures: How many anatomies of subjects were asked.
        subjects: Of how many subjects they are.
    """

    rate: float
    interval: Interval
    structures: int
    subjects: int


@dataclass(frozen=True)
class Coverage:
    """What was covered of subjects that chose no factor.

    Attributes:
        whole: Structures that lie within altogether; the interval is Clopper and Pearson's.
        share: Mean share of a structure's particles within; the interval is of the mean.
    """

    whole: Covered
    share: Covered


def measure_coverage(
    scores: Sequence[Float[np.ndarray, " _"]],
    factors: Sequence[Factors],
    clusters: Shaped[np.ndarray, " n"],
    how: Resampling,
) -> Coverage:
    """Count what lies within, of one anatomy or of several.

    A factor that is not finite promises nothing: what it belongs to is not counted.

    Args:
        scores: Of each structure (anatomy of a subject) those of its particles; infinite: missed.
        factors: Of each; chosen from other subjects.
        clusters: The subject of each.
        how: How intervals are made.
    """
    promised = {
        name: np.array([math.isfinite(getattr(one, name)) for one in factors], dtype=bool)
        for name in ("whole", "share")
    }
    pairs = list(zip(scores, factors, strict=True))
    whole = np.array([bool((one <= each.whole).all()) for one, each in pairs], dtype=bool)
    share = np.array([float(np.mean(one <= each.share)) for one, each in pairs], dtype=float)
    whole, of_whole = whole[promised["whole"]], clusters[promised["whole"]]
    share, of_share = share[promised["share"]], clusters[promised["share"]]
    interval = mean_interval(share, of_share, how) if len(share) else NO_INTERVAL
    return Coverage(
        whole=_covered(
            whole.astype(float), rate_interval(whole, of_whole, how.confidence), of_whole
        ),
        share=_covered(share, interval.within(0.0, 1.0), of_share),
    )


def _covered(
    values: Float[np.ndarray, " n"], interval: Interval, clusters: Shaped[np.ndarray, " n"]
) -> Covered:
    rate = float(values.mean()) if len(values) else math.nan
    return Covered(rate, interval, len(values), len(np.unique(clusters)))


def _refuse_no_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"a coverage lies between 0 and 1, found {level:g}")
