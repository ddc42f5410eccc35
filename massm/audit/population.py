"""How far values lie from those of a cohort that may hold faults itself."""

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge

FOLDS = 10
_KEPT = 0.85  # share of the cohort that says what is usual; the farthest are left out of that
_ROUNDS = 3
_FARTHEST = 20.0  # robust standard deviations beyond which a single value counts as no farther
_PENALTY = 3.0  # of the regression's weights, in samples
_FITTING = 3.0  # residuals beyond so many standard deviations take no part
_CLOSE = 0.1  # of the cohort's spread: residuals may differ by so much


def usual(
    values: Float[np.ndarray, "n ..."], least: float | Float[np.ndarray, " k"] = 1e-6
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Return the median, and the spread: the median absolute deviation x 1.4826.

    Args:
        values: A row for each subject.
        least: The smallest spread, so that near copies make nothing an outlier.
    """
    middle = np.median(values, axis=0)
    spread = 1.4826 * np.median(np.abs(values - middle), axis=0)
    return np.asarray(middle), np.asarray(np.maximum(spread, least))


def folds_of(count: int) -> Int[np.ndarray, " n"]:
    """Deal subjects into parts; each is judged by what the other parts say."""
    return np.arange(count) % FOLDS


def distances(
    values: Float[np.ndarray, "n k"], least: float | Float[np.ndarray, " k"] = 1e-3
) -> Float[np.ndarray, " n"]:
    """Measure how far each row lies from a normal distribution of the rows of the other parts.

    Mahalanobis distance, divided by the root of the number of columns, by a covariance that is
    shrunk (Ledoit and Wolf, Journal of Multivariate Analysis 88, 2004) and made from the 85 % of
    rows that are nearest.

    Args:
        values: A row for each subject.
        least: The smallest spread of a column.
    """
    middle, spread = usual(values, least)
    scaled = np.clip((values - middle) / spread, -_FARTHEST, _FARTHEST)
    found, folds = np.zeros(len(values)), folds_of(len(values))
    for fold in np.unique(folds):
        others = used = scaled[folds != fold]
        for _ in range(_ROUNDS):
            far = LedoitWolf().fit(used).mahalanobis(others)
            used = others[far <= np.quantile(far, _KEPT)]
        found[folds == fold] = LedoitWolf().fit(used).mahalanobis(scaled[folds == fold])
    return np.asarray(np.sqrt(found / values.shape[1]))


def residuals(
    given: Float[np.ndarray, "n k"],
    wanted: Float[np.ndarray, "n m"],
    least: float | Float[np.ndarray, " m"] = 1e-6,
) -> Float[np.ndarray, "n m"]:
    """Predict values from others by the subjects of the other parts; return what is left.

    Ridge regression; subjects that it does not fit take no part in it.

    Args:
        given: What it is predicted from, a row for each subject.
        wanted: What is predicted.
        least: The smallest spread of its columns.
    """
    middle, spread = usual(given, 1e-3)
    x = np.clip((given - middle) / spread, -6, 6)
    middle, spread = usual(wanted, least)
    y = (wanted - middle) / spread
    left, folds = np.zeros_like(wanted), folds_of(len(wanted))
    for fold in np.unique(folds):
        learned = folds != fold
        fits = _near(y[learned])
        for _ in range(_ROUNDS + 1):
            model = Ridge(alpha=_PENALTY).fit(x[learned], y[learned], sample_weight=fits)
            said = model.predict(x).reshape(y.shape)  # of one column it makes a row
            fits = _near((y - said)[learned])
        out = folds == fold
        left[out] = ((y - said) * spread)[out]
    return left


def _near(values: Float[np.ndarray, "n m"]) -> Bool[np.ndarray, " n"]:
    middle, spread = usual(values, _CLOSE)
    far = np.sqrt((((values - middle) / spread) ** 2).mean(axis=1))
    return np.asarray(far <= max(_FITTING, float(np.median(far))))
