"""Volumes that do not fit: compared with the training subjects alone."""

from collections.abc import Sequence

import numpy as np

FEWEST = 8  # fewer training volumes say nothing about spread
LEAST_SPREAD = 0.05  # of log volume: cohorts of near copies have no outliers within 5 %


def outlier_scores(volumes_ml: Sequence[float], training_ml: Sequence[float]) -> np.ndarray:
    """Measure how far log volumes lie from the training median, in robust standard deviations.

    Median and median absolute deviation x 1.4826, which for a normal distribution is its standard
    deviation. All 0 with fewer than eight training volumes.
    """
    if len(training_ml) < FEWEST:
        return np.zeros(len(volumes_ml))
    logs = np.log(np.asarray(training_ml, dtype=np.float64))
    median = float(np.median(logs))
    spread = max(1.4826 * float(np.median(np.abs(logs - median))), LEAST_SPREAD)
    return (np.log(np.asarray(volumes_ml, dtype=np.float64)) - median) / spread
