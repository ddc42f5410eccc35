"""From which score on an anatomy counts as present."""

import itertools
import math
from collections.abc import Sequence


def presence_threshold(
    present: Sequence[float], absent: Sequence[float], *, fraction: float
) -> float:
    """Choose the threshold of one anatomy from scores of subjects that have it or lack it.

    With examples of both, it is the one with the best balanced accuracy; of several, the middle
    (in log odds) of the widest gap. Where nobody lacks the anatomy, as is common, absence cannot
    be learned from data: the threshold is ``fraction`` of the lowest score that a present one got,
    so that only a response much weaker than any seen counts as none. So it is where no threshold
    is better than to find everybody, as for one subject "without" whose mask was forgotten. Without
    any example it is 0.5.

    Args:
        present: Scores where the anatomy is there.
        absent: Scores where it is known not to be.
        fraction: Between 0 and 1.
    """
    if not present:
        return 0.5
    if not absent:
        return fraction * min(present)
    logits = sorted(_logit(score) for score in [*present, *absent])
    edges = [logits[0] - 1.0, *logits, logits[-1] + 1.0]
    best = (-1.0, -1.0, 0.0)
    for low, high in itertools.pairwise(edges):
        middle = _sigmoid((low + high) / 2)
        found = sum(score >= middle for score in present) / len(present)
        rejected = sum(score < middle for score in absent) / len(absent)
        best = max(best, (found + rejected, high - low, middle))
    return best[2] if best[0] > 1 else fraction * min(present)


def _logit(score: float) -> float:
    clipped = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
