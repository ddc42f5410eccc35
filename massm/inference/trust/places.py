"""Where anatomies lie relative to each other, as a normal distribution for each pair."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

FEWEST_PAIRS = 5
"""With fewer training subjects that have both, nothing is said of two anatomies."""

MATCHED_MM = 5.0
"""Standard deviation of centers that is added, so that shapes that are a little off count alike."""

_ISOTROPIC = 5  # subjects that would have spread alike in all directions
_LEAST_MM = 1.0  # standard deviation that is added: centers are no better known
_SIDE = re.compile(r"left|right|(?<![a-z])[lr](?![a-z])", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


@dataclass(frozen=True)
class Place:
    """Where an anatomy should be.

    Attributes:
        center: Mean, LPS mm.
        covariance: mm^2.
    """

    center: Float[np.ndarray, "3"]
    covariance: Float[np.ndarray, "3 3"]

    def distance(self, point: Float[np.ndarray, "3"]) -> float:
        """Measure how far a point is, standard deviations, root mean square of 3 directions."""
        off = point - self.center
        return float(np.sqrt(off @ np.linalg.solve(self.covariance, off) / 3))


@dataclass(frozen=True)
class Arrangement:
    """Of each pair of anatomies the way between their centers; nan where it is not known.

    Attributes:
        anatomies: Their names.
        mean: From the second to the first, LPS mm.
        covariance: Of the same, mm^2.
    """

    anatomies: tuple[str, ...]
    mean: Float[np.ndarray, "K K 3"]
    covariance: Float[np.ndarray, "K K 3 3"]

    def strangeness(self, centers: Mapping[str, Float[np.ndarray, "3"]]) -> dict[str, float]:
        """Measure how far each anatomy is from where the others say it is.

        The Mahalanobis distance to each other anatomy, root mean square of the three directions;
        of these the median, of two the smaller, so that one other that is wrong does not matter.

        Args:
            centers: Of the anatomies that were found, LPS mm.

        Returns:
            Standard deviations; nan where no other one tells.
        """
        found = {}
        for one in centers:
            apart = [self._apart(one, other, centers) for other in centers if other != one]
            known = sorted(value for value in apart if np.isfinite(value))
            found[one] = known[(len(known) - 1) // 2] if known else float("nan")
        return found

    def expected(
        self,
        anatomy: str,
        centers: Mapping[str, Float[np.ndarray, "3"]],
        weights: Mapping[str, float],
    ) -> Place | None:
        """Say where an anatomy should be, by all others that were found.

        The product of their normal distributions, each to the power of its weight; no two of them
        are taken for better than :data:`MATCHED_MM`.

        Args:
            anatomy: Which.
            centers: Of the anatomies that were found, LPS mm.
            weights: How much each counts, 0 to 1.

        Returns:
            None where no other one tells.
        """
        precision, pull = np.zeros((3, 3)), np.zeros(3)
        for other, center in centers.items():
            pair = self._row(anatomy), self._row(other)
            if other == anatomy or weights[other] <= 0 or not np.isfinite(self.mean[pair]).all():
                continue
            spread = self.covariance[pair] + MATCHED_MM**2 * np.eye(3)
            own = weights[other] * np.linalg.inv(spread)
            precision += own
            pull += own @ (center + self.mean[pair])
        if not precision.any():
            return None
        covariance = np.linalg.inv(precision)
        return Place(covariance @ pull, covariance + MATCHED_MM**2 * np.eye(3))

    def sides(self, centers: Mapping[str, Float[np.ndarray, "3"]]) -> dict[str, float]:
        """Measure how far a left anatomy lies to the left of its right twin, and the reverse.

        Args:
            centers: Of the anatomies that were found, LPS mm.

        Returns:
            Of each anatomy the way from its twin along the usual way, as a share of that: 1 as
            usual, -1 exchanged; nan without a twin.
        """
        found = dict.fromkeys(centers, float("nan"))
        for one in centers:
            other = twin_of(one, self.anatomies)
            if other is not None and other in centers:
                usual = self.mean[self._row(one), self._row(other)]
                way = centers[one] - centers[other]
                found[one] = float(way @ usual / np.maximum(usual @ usual, 1e-9))
        return found

    def _apart(self, one: str, other: str, centers: Mapping[str, np.ndarray]) -> float:
        pair = self._row(one), self._row(other)
        if not np.isfinite(self.mean[pair]).all():
            return float("nan")
        off = centers[one] - centers[other] - self.mean[pair]
        return float(np.sqrt(off @ np.linalg.solve(self.covariance[pair], off) / 3))

    def _row(self, anatomy: str) -> int:
        return self.anatomies.index(anatomy)


def arrangement_of(anatomies: Sequence[str], centers: Float[np.ndarray, "N K 3"]) -> Arrangement:
    """Describe where anatomies lie.

    Covariances are drawn towards equal spread in all directions, as if five more subjects had it.

    Args:
        anatomies: Their names.
        centers: Of the training subjects, LPS mm; nan where an anatomy is not there.
    """
    count = len(anatomies)
    mean = np.full((count, count, 3), np.nan)
    covariance = np.full((count, count, 3, 3), np.nan)
    for one, other in np.argwhere(~np.eye(count, dtype=bool)):
        ways = centers[:, one] - centers[:, other]
        ways = ways[np.isfinite(ways).all(1)]
        if len(ways) < FEWEST_PAIRS:
            continue
        own = np.cov(ways.T, bias=True)
        round_ = np.eye(3) * np.trace(own) / 3
        drawn = (len(ways) * own + _ISOTROPIC * round_) / (len(ways) + _ISOTROPIC)
        mean[one, other] = ways.mean(0)
        covariance[one, other] = drawn + _LEAST_MM**2 * np.eye(3)
    return Arrangement(tuple(anatomies), mean, covariance)


def twin_of(anatomy: str, anatomies: Sequence[str]) -> str | None:
    """Find the anatomy whose name differs by left and right alone, as ``Lung_L`` and ``Lung_R``."""
    words = _SIDE.findall(anatomy)
    if len(words) != 1:
        return None
    mirrored = _SIDE.sub(lambda found: _OTHER[found[0].lower()], anatomy).lower()
    return next((name for name in anatomies if name.lower() == mirrored), None)
