"""What is usual of each evidence, and from where on it is not: tables of subjects held back.

Strangeness of a value is its distance from the median, divided by that of the 95 % quantile on the
same side, so that 1 is at the edge of the usual, whatever the unit; of an anatomy or a scan it is
the largest of its evidence. Where it becomes amber and red is read off the subjects themselves,
each judged by the tables of the others.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from massm.evaluate.conformal import whole_factor
from massm.inference.statistics import PROBABILITIES
from massm.inference.trust.evidence import Gathered
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN, EvidenceKind, floor_of
from massm.inference.trust.places import Arrangement
from massm.io.trust import TrustTables

FEWEST = 5
"""With fewer subjects that have a value, nothing is usual; it takes one more to judge each."""

_LOW, _MIDDLE, _HIGH = 5, 50, 95  # percent


def strangeness(
    values: Float[np.ndarray, " E"],
    quantiles: Float[np.ndarray, "E Q"],
    evidence: Mapping[str, EvidenceKind],
) -> Float[np.ndarray, " E"]:
    """Measure how strange each of some values is: 0 usual, 1 at the edge of the usual, and so on.

    Args:
        values: Of each evidence; nan: not known, which is not strange.
        quantiles: Of the subjects, at :data:`~massm.inference.statistics.PROBABILITIES`.
        evidence: What they are.

    Returns:
        Of each; nan where value or quantiles are not known.
    """
    last = quantiles.shape[-1] - 1
    low, middle, high = (
        quantiles[:, round(percent / 100 * last)] for percent in (_LOW, _MIDDLE, _HIGH)
    )
    floor = np.maximum([floor_of(name) for name in evidence], 1e-9)
    below = (middle - values) / np.maximum(middle - low, floor)
    above = (values - middle) / np.maximum(high - middle, floor)
    sides = np.array([one.sides for one in evidence.values()])
    below, above = np.where(sides == "high", 0, below), np.where(sides == "low", 0, above)
    found = np.maximum(np.maximum(below, above), 0)
    return np.asarray(np.where(np.isfinite(values) & np.isfinite(middle), found, np.nan))


def usual(
    subjects: Sequence[Gathered], places: Arrangement, false_alarms: float, calibration: str
) -> TrustTables:
    """Make the tables of a model.

    An anatomy, or the scan, is amber beyond what all but a share ``false_alarms`` of its subjects
    show. Red is beyond what all but half of that share show in *any* of their anatomies, or in the
    scan: halves, so that both together are not more (split conformal prediction of the largest
    strangeness, whose scores are by leave-one-out as in the jackknife). One odd organ among the
    subjects so says nothing of what a scan may look like.
    With too few subjects for that share, the largest that was seen stands for both: a new scan lies
    beyond it with a chance of 1 in N + 1.

    Args:
        subjects: Evidence of each subject that the model did not learn from.
        places: Where anatomies lie; the names of all.
        false_alarms: Share of usual scans that may have something red, 0 to 1.
        calibration: In words, who the subjects are.
    """
    anatomies = places.anatomies
    scan = np.array([one.scan for one in subjects]).reshape(-1, len(OF_SCAN))
    nothing = np.full(len(OF_ANATOMY), np.nan)
    every = np.array(
        [[one.anatomies.get(name, nothing) for name in anatomies] for one in subjects], float
    ).reshape(-1, len(anatomies), len(OF_ANATOMY))
    of_anatomies = np.stack(
        [_left_out(every[:, row], OF_ANATOMY) for row in range(len(anatomies))], axis=1
    )
    of_scan = _left_out(scan, OF_SCAN)
    largest = np.fmax.reduce(of_anatomies, axis=1)
    return TrustTables(
        subjects=len(subjects),
        false_alarms=false_alarms,
        calibration=calibration,
        anatomies=anatomies,
        found=np.array([sum(name in one.anatomies for one in subjects) for name in anatomies]),
        evidence=tuple(OF_ANATOMY),
        quantiles=np.stack([_quantiles(every[:, row]) for row in range(len(anatomies))]),
        amber=np.array([_beyond(column, false_alarms) for column in of_anatomies.T]),
        scan_evidence=tuple(OF_SCAN),
        scan_quantiles=_quantiles(scan),
        scan_amber=_beyond(of_scan, false_alarms),
        scan_red=_beyond(of_scan, false_alarms / 2),
        red=_beyond(largest, false_alarms / 2),
        place_mean=places.mean,
        place_covariance=places.covariance,
    )


def _quantiles(values: Float[np.ndarray, "N E"]) -> Float[np.ndarray, "E Q"]:
    tables = np.full((values.shape[1], len(PROBABILITIES)), np.nan)
    for row, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known) >= FEWEST:
            tables[row] = np.maximum.accumulate(np.quantile(known, PROBABILITIES))
    return tables


def _left_out(
    values: Float[np.ndarray, "N E"], evidence: Mapping[str, EvidenceKind]
) -> Float[np.ndarray, " N"]:
    """Measure the strangeness of each subject by the tables of the others; nan: not known."""
    found = np.full(len(values), np.nan)
    for row, own in enumerate(values):
        others = _quantiles(np.delete(values, row, axis=0))
        found[row] = np.fmax.reduce(strangeness(own, others, evidence))
    return found


def _beyond(scores: Float[np.ndarray, " N"], false_alarms: float) -> float:
    """Choose what all but a share of the scores reach at most, no less than 1; infinite of few."""
    known = scores[np.isfinite(scores)]
    if len(known) < FEWEST:
        return math.inf
    level = whole_factor(known, 1 - false_alarms)
    return max(1.0, level if math.isfinite(level) else float(known.max()))
