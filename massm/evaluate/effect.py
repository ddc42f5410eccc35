"""How large a paired difference is without its unit: in how many subjects one model is better."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.evaluate.statistics import NO_INTERVAL, Interval, count_interval


class Effect(NamedTuple):
    """A share of subjects, and what it is counted from.

    Attributes:
        share: Of subjects in which a is better than b, those in which they are equal counted half;
            nan without subjects.
        interval: Of the share.
        better: Number of subjects in which a is better.
        worse: Number of subjects in which b is better.
    """

    share: float
    interval: Interval
    better: int
    worse: int


def superiority(
    difference: Float[np.ndarray, " n"], *, lower_is_better: bool, confidence: float
) -> Effect:
    """Measure in which share of the subjects a is better than b.

    The probability of superiority for dependent samples (Grissom and Kim, "Effect sizes for
    research", 2nd edition, 2012, chapter 5): 0.5 where neither is better, 1 where a always is. It
    stands beside the mean difference, which tells by how much. Unlike Cohen's d_z, which divides by
    the scatter of the differences, it needs nothing to be normal: its interval is exact (Clopper
    and Pearson, Biometrika 26, 1934) whatever outliers there are, and where a is better in all
    subjects. With equal subjects, which distances hardly ever have, half counts are put into the
    same interval.

    Args:
        difference: a minus b, one for each subject.
        lower_is_better: Which way the measure is better.
        confidence: Level of the interval.
    """
    lower, higher = (int(np.count_nonzero(sign * difference > 0)) for sign in (-1, 1))
    wins, losses = (lower, higher) if lower_is_better else (higher, lower)
    count = len(difference)
    if count == 0:
        return Effect(float("nan"), NO_INTERVAL, 0, 0)
    favorable = wins + (count - wins - losses) / 2
    return Effect(favorable / count, count_interval(favorable, count, confidence), wins, losses)
