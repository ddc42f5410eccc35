"""Bootstrap confidence intervals and paired tests."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import norm, wilcoxon


class Interval(NamedTuple):
    """A confidence interval; nan where there is too little to make one."""

    low: float
    high: float


class Resampling(NamedTuple):
    """How confidence intervals are made.

    Attributes:
        samples: Number of resamples.
        confidence: Level of the interval, such as 0.95.
        seed: The same seed gives the same intervals.
    """

    samples: int
    confidence: float
    seed: int


def mean_interval(
    values: Float[np.ndarray, " n"], clusters: Shaped[np.ndarray, " n"], how: Resampling
) -> Interval:
    """Make a confidence interval of the mean by resampling whole clusters.

    Organs of one patient are not independent, so patients are drawn and all their values come
    along. Bias-corrected and accelerated interval: Efron, "Better bootstrap confidence intervals",
    JASA 82, 1987, acceleration from the jackknife over clusters.

    Args:
        values: Finite numbers.
        clusters: Name of the cluster (subject) of each value.
        how: Number of resamples, level and seed.
    """
    return ratio_interval(values, np.ones_like(values), clusters, how)


def ratio_interval(
    above: Float[np.ndarray, " n"],
    below: Float[np.ndarray, " n"],
    clusters: Shaped[np.ndarray, " n"],
    how: Resampling,
) -> Interval:
    """Make a confidence interval of ``sum(above) / sum(below)`` by resampling whole clusters.

    With ``below`` all 1 this is the mean; with a paired difference above and the other model's
    error below it is the relative difference. See :func:`mean_interval`.
    """
    names, member = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        return Interval(float("nan"), float("nan"))
    over = np.bincount(member, above, len(names))
    under = np.bincount(member, below, len(names))
    estimate = over.sum() / under.sum()
    chance = np.full(len(names), 1 / len(names))
    draws = np.random.default_rng(how.seed).multinomial(len(names), chance, how.samples)
    resampled = (draws @ over) / (draws @ under)
    left_out = (over.sum() - over) / (under.sum() - under)
    return _bca(estimate, resampled, left_out, how.confidence)


def _bca(
    estimate: float, resampled: np.ndarray, left_out: np.ndarray, confidence: float
) -> Interval:
    if np.ptp(resampled) < 1e-12 * max(1.0, abs(estimate)):
        return Interval(float(estimate), float(estimate))
    below = (resampled < estimate).mean() + (resampled == estimate).mean() / 2
    bias = norm.ppf(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    pull = left_out.mean() - left_out
    spread = np.square(pull).sum() ** 1.5
    acceleration = (pull**3).sum() / (6 * spread) if spread > 0 else 0.0
    quantile = norm.ppf(np.array([1 - confidence, 1 + confidence]) / 2)
    moved = norm.cdf(bias + (bias + quantile) / (1 - acceleration * (bias + quantile)))
    low, high = np.quantile(resampled, moved)
    return Interval(float(low), float(high))


def signed_rank(difference: Float[np.ndarray, " n"]) -> float:
    """Test whether paired differences scatter around zero (Wilcoxon signed-rank, two-sided).

    Exact for up to 50 pairs; with ties or zeros, which measured distances hardly ever have, the
    normal approximation.

    Returns:
        The p-value: 1 where no pair differs, nan where there is no pair.
    """
    if len(difference) == 0:
        return float("nan")
    if not np.any(difference):
        return 1.0
    size = np.abs(difference)
    distinct = len(np.unique(size)) == len(size) and size.min() > 0
    method = "exact" if distinct and len(size) <= 50 else "asymptotic"
    return float(wilcoxon(difference, method=method).pvalue)


def holm(p_values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Correct the p-values of one family of tests (Holm, Scand. J. Statistics 6, 1979).

    Returns:
        Corrected values in the order given; nan stays nan and does not count as a test.
    """
    corrected = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested])]
    factor = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * factor), 1.0)
    return corrected
