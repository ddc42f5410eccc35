"""Confidence intervals, of means and of rates, and paired tests."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import beta, norm, t, wilcoxon

FEW = 15
"""With fewer subjects bootstrap intervals are too narrow, and Student's t takes their place."""

_AREA_STEP = 1e-9
_EXACT = 50  # pairs


class Interval(NamedTuple):
    """A confidence interval; nan where there is too little to make one.

    Attributes:
        low: Lower end.
        high: Upper end.
        method: How it was made: ``bca`` (bootstrap), ``t``, ``exact`` (Clopper-Pearson), ``exact
            clustered`` (the same, for anatomies of the same subjects), ``newcombe`` (AUROC); empty
            where there is none.
    """

    low: float
    high: float
    method: str

    def within(self, least: float, most: float) -> "Interval":
        """Cut off what the value cannot be."""
        low, high = np.clip([self.low, self.high], least, most)
        return Interval(float(low), float(high), self.method)


NO_INTERVAL = Interval(float("nan"), float("nan"), "")


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
    """Make a confidence interval of the mean, with whole clusters as what was sampled.

    Anatomies of one patient are not independent, so patients are drawn and all their values come
    along. Bias-corrected and accelerated bootstrap: Efron, "Better bootstrap confidence
    intervals", JASA 82, 1987, acceleration from the jackknife over clusters; its quantiles are
    widened for the spread that resamples of n lack (Hesterberg, "What teachers should know about
    the bootstrap", The American Statistician 69, 2015). With fewer than ``FEW`` clusters that is
    not enough, and Student's t is taken.

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
    """Make a confidence interval of ``sum(above) / sum(below)``, see :func:`mean_interval`.

    With ``below`` all 1 this is the mean; with a paired difference above and the other model's
    error below it is the relative difference.
    """
    names, member = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        return NO_INTERVAL
    over = np.bincount(member, above, len(names))
    under = np.bincount(member, below, len(names))
    if len(names) < FEW:
        return _linearized_t(over, under, how.confidence)
    estimate = over.sum() / under.sum()
    draws = _resampled(len(names), how)
    resampled = (draws @ over) / (draws @ under)
    left_out = (over.sum() - over) / (under.sum() - under)
    return _bca(estimate, resampled, left_out, how.confidence)


@lru_cache(maxsize=4)
def _resampled(count: int, how: Resampling) -> np.ndarray:
    """Draw subjects with replacement: how often each comes in each resample.

    They are the same for all means of as many subjects, so they are kept.
    """
    chance = np.full(count, 1 / count)
    drawn = np.random.default_rng(how.seed).multinomial(count, chance, how.samples)
    return drawn.astype(float)


def _linearized_t(over: np.ndarray, under: np.ndarray, confidence: float) -> Interval:
    """Take Student's t for a ratio of cluster sums, its error linearized (exact for a mean)."""
    count = len(over)
    estimate = over.sum() / under.sum()
    error = (over - estimate * under) / under.mean()
    half = stdtrit(count - 1, (1 + confidence) / 2) * error.std(ddof=1) / np.sqrt(count)
    return Interval(float(estimate - half), float(estimate + half), "t")


def rate_interval(
    event: Bool[np.ndarray, " n"], clusters: Shaped[np.ndarray, " n"], confidence: float
) -> Interval:
    """Make an exact confidence interval of a rate (Clopper and Pearson, Biometrika 26, 1934).

    Where clusters have several values, these are taken for as many independent ones as spread as
    much (Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data", Survey Methodology 24, 1998). Where all values are
    the same, clusters show no spread, and values count as independent.

    Args:
        event: Whether it happened.
        clusters: Name of the cluster (subject) of each value.
        confidence: Level of the interval.
    """
    count, happened = len(event), int(np.count_nonzero(event))
    if count == 0:
        return NO_INTERVAL
    names, member = np.unique(clusters, return_inverse=True)
    if len(names) == count or happened in (0, count):
        return count_interval(float(happened), count, confidence)
    if len(names) < 2:
        return NO_INTERVAL
    effective = _effective_count(event, member, confidence)
    low, high = _clopper_pearson(effective * happened / count, effective, confidence)
    return Interval(low, high, "exact clustered")


def _effective_count(event: np.ndarray, member: np.ndarray, confidence: float) -> float:
    """Count the independent values that would spread as much as those of clusters do."""
    count, clusters = len(event), int(member.max()) + 1
    rate = event.mean()
    error = np.bincount(member, event - rate, clusters)
    variance = clusters / (clusters - 1) * np.square(error).sum() / count**2
    spread = max(variance, rate * (1 - rate) / count)  # never more certain than independent ones
    tail = (1 + confidence) / 2
    freedom = (t.ppf(tail, count - 1) / t.ppf(tail, clusters - 1)) ** 2
    return float(rate * (1 - rate) / spread * freedom)


def count_interval(happened: float, count: int, confidence: float) -> Interval:
    """Make the exact interval of a share of independent values (Clopper and Pearson 1934).

    Args:
        happened: How many of them, 0 to ``count``; half ones are allowed.
        count: Number of values, at least 1.
        confidence: Level of the interval.
    """
    low, high = _clopper_pearson(happened, float(count), confidence)
    return Interval(low, high, "exact")


@lru_cache(maxsize=4096)  # a table asks for the same counts again and again
def _clopper_pearson(happened: float, count: float, confidence: float) -> tuple[float, float]:
    """Take the beta quantiles of Clopper and Pearson's interval, also for broken counts."""
    tail = (1 - confidence) / 2
    low = beta.ppf(tail, happened, count - happened + 1) if happened > 0 else 0.0
    high = beta.ppf(1 - tail, happened + 1, count - happened) if happened < count else 1.0
    return float(low), float(high)


def auroc_interval(area: float, positives: int, negatives: int, confidence: float) -> Interval:
    """Make a confidence interval of an area under the ROC curve, also of one that is 1.

    Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic. Part 2: asymptotic methods and evaluation", Statistics in Medicine 25, 2006, method
    5: the areas whose own standard error (Hanley and McNeil's, both classes of their mean size)
    reaches the one found.

    Args:
        area: The area found, 0 to 1.
        positives: Number of present anatomies, each of another subject.
        negatives: Number of absent ones.
        confidence: Level of the interval.
    """
    if positives == 0 or negatives == 0:
        return NO_INTERVAL
    z = norm.ppf((1 + confidence) / 2)
    others = (positives + negatives) / 2 - 1

    def excess(true: float) -> float:
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        variance = true * (1 - true) * spread / (positives * negatives)
        return float((true - area) ** 2 - z**2 * variance)

    # At 0 and 1 the excess of an area of 0 or 1 is 0 too: the other root is looked for.
    low = brentq(excess, 0.0, min(area, 1 - _AREA_STEP)) if area > 0 else 0.0
    high = brentq(excess, max(area, _AREA_STEP), 1.0) if area < 1 else 1.0
    return Interval(float(low), float(high), "newcombe")


def _bca(
    estimate: float, resampled: np.ndarray, left_out: np.ndarray, confidence: float
) -> Interval:
    if np.ptp(resampled) < 1e-12 * max(1.0, abs(estimate)):
        return Interval(float(estimate), float(estimate), "bca")
    below = (resampled < estimate).mean() + (resampled == estimate).mean() / 2
    bias = ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    pull = left_out.mean() - left_out
    spread = np.square(pull).sum() ** 1.5
    acceleration = (pull**3).sum() / (6 * spread) if spread > 0 else 0.0
    count = len(left_out)
    quantile = stdtrit(count - 1, np.array([1 - confidence, 1 + confidence]) / 2)
    quantile = quantile * np.sqrt(count / (count - 1))
    moved = ndtr(bias + (bias + quantile) / (1 - acceleration * (bias + quantile)))
    low, high = np.quantile(resampled, moved)
    return Interval(float(low), float(high), "bca")


def signed_rank(difference: Float[np.ndarray, " n"]) -> float:
    """Test whether paired differences scatter around zero (Wilcoxon signed-rank, two-sided).

    Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945. Exact for up
    to 50 pairs; with ties or zeros, which measured distances hardly ever have, the normal
    approximation.

    Returns:
        The p-value: 1 where no pair differs, nan where there is no pair.
    """
    if len(difference) == 0:
        return float("nan")
    if not np.any(difference):
        return 1.0
    size = np.abs(difference)
    distinct = len(np.unique(size)) == len(size) and size.min() > 0
    if not distinct or len(size) > _EXACT:
        return float(wilcoxon(difference, method="asymptotic").pvalue)
    ranks = np.empty(len(size), int)
    ranks[np.argsort(size)] = np.arange(1, len(size) + 1)
    at_most = np.cumsum(_rank_sums(len(size)))
    positive = int(ranks[difference > 0].sum())
    lower = min(positive, len(at_most) - 1 - positive)  # the distribution is symmetric
    return min(1.0, 2 * float(at_most[lower]))


@lru_cache(maxsize=_EXACT)
def _rank_sums(count: int) -> np.ndarray:
    """Give the chance of each sum of ranks 1 to ``count``, where each counts or not by a coin."""
    chance = np.ones(1)
    for rank in range(1, count + 1):
        without, with_it = np.pad(chance, (0, rank)), np.pad(chance, (rank, 0))
        chance = (without + with_it) / 2
    return chance


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
