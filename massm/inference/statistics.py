"""Where a shape lies among those that a model was trained on: quantiles, and distances.

Tables of quantiles stand for the training subjects, so that a percentile can be looked up with
nobody's values at hand: a row of a table belongs to no subject, and two tables cannot be joined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.pdm.shape_model import ShapeModel, fit_shape_model

PROBABILITIES = np.linspace(0, 1, 101)
"""Of the quantiles in every table."""

FEW_SUBJECTS = 20
"""With fewer, the range of the training subjects says little of a new one.

A new shape of their population is as likely as any of them to be the most extreme (exchangeability,
as in conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic learning in a random world",
2005): it lies beyond all N with a chance of 1 in N + 1, which is below 5 % from N = 20 on.
"""

_VARIANCE = 0.95  # share of the variance that the modes of the distance hold, if they are that few
_FOLDS = 50  # models that are made without some subjects, at most


@dataclass(frozen=True)
class Percentiles:
    """Where one shape lies among the training subjects: 0 below all of them, 100 above, 50 amid.

    Attributes:
        volume: Of its volume.
        area: Of its surface area.
        scores: Of its score along each mode.
        mahalanobis: Of its distance from the mean; what exceeds 100 % of them is unlike any.
    """

    volume: float
    area: float
    scores: Float[np.ndarray, " J"]
    mahalanobis: float


@dataclass(frozen=True)
class TrainingStatistics:
    """Quantiles of the training subjects of one anatomy, at :data:`PROBABILITIES` (Q = 101).

    Volume and area are those of the groomed surfaces. Scores are those of the training shapes in
    the model made of them. Distances are those of training shapes that a model has never seen: of
    N shapes in the N - 1 modes of their own model all are alike, and in fewer modes too small.

    Attributes:
        volume_ml: Of the enclosed volume, ml.
        area_mm2: Of the surface area, mm^2.
        scores: Of the score along each of the first J modes, standard deviations of the mode.
        mahalanobis: Of the distance from the mean in these modes, see :func:`mahalanobis_of`, of
            shapes that were left out of the model.
        subjects: How many there were.
    """

    volume_ml: Float[np.ndarray, " Q"]
    area_mm2: Float[np.ndarray, " Q"]
    scores: Float[np.ndarray, "J Q"]
    mahalanobis: Float[np.ndarray, " Q"]
    subjects: int

    @property
    def modes(self) -> int:
        """How many modes scores and distance are of."""
        return len(self.scores)

    def percentiles(
        self, *, volume_ml: float, area_mm2: float, scores: Float[np.ndarray, " J"]
    ) -> Percentiles:
        """Look up where a shape lies.

        Args:
            volume_ml: Its volume, ml.
            area_mm2: Its surface area, mm^2.
            scores: Its scores along the J modes of the tables or more, standard deviations, see
                :func:`standard_scores`.

        Raises:
            ValueError: If there are fewer scores than modes.
        """
        if len(scores) < self.modes:
            raise ValueError(f"{len(scores)} scores, expected those of {self.modes} modes")
        scores = scores[: self.modes]
        along = [percentile_of(value, row) for value, row in zip(scores, self.scores, strict=True)]
        return Percentiles(
            volume=percentile_of(volume_ml, self.volume_ml),
            area=percentile_of(area_mm2, self.area_mm2),
            scores=np.array(along, float),
            mahalanobis=percentile_of(mahalanobis_of(scores), self.mahalanobis),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all tables, for a file; the number of subjects is not among them."""
        return {
            "volume_ml": self.volume_ml,
            "area_mm2": self.area_mm2,
            "scores": self.scores,
            "mahalanobis": self.mahalanobis,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray], subjects: int) -> "TrainingStatistics":
        """Put together what :meth:`arrays` named."""
        names = ("volume_ml", "area_mm2", "scores", "mahalanobis")
        return cls(**{name: arrays[name] for name in names}, subjects=subjects)


def percentile_of(value: float, quantiles: Float[np.ndarray, " Q"]) -> float:
    """Say below how much of a population a value lies, 0 to 100; nan of nan.

    Between quantiles it is interpolated; at a value that several have, it is the middle of theirs.

    Args:
        value: In the unit of the quantiles.
        quantiles: In ascending order, at equally spaced probabilities from 0 to 1.
    """
    if np.isnan(value):
        return float("nan")
    if value < quantiles[0] or value > quantiles[-1]:
        return 0.0 if value < quantiles[0] else 100.0
    values, first, count = np.unique(quantiles, return_index=True, return_counts=True)
    middle = (first + (count - 1) / 2) / (len(quantiles) - 1)
    return float(100 * np.interp(value, values, middle))


def standard_scores(
    model: ShapeModel, world: Float[np.ndarray, "*n M 3"], modes: int | None = None
) -> Float[np.ndarray, "*n J"]:
    """Write shapes as distances along the first modes, in standard deviations of each.

    Args:
        model: Mean and modes, world frame, mm.
        world: Shapes in the same frame, mm.
        modes: How many; all by default.
    """
    deviations = np.sqrt(model.variances[:modes])
    return np.asarray(model.scores(world)[..., :modes] / deviations)


def mahalanobis_of(scores: Float[np.ndarray, " J"]) -> float:
    """Measure how far a shape lies from the mean within the modes: the norm of standard scores.

    The Mahalanobis distance in the principal subspace, without what lies outside of it (Moghaddam
    and Pentland, "Probabilistic visual learning for object representation", IEEE TPAMI 19(7), 1997,
    their distance in feature space).
    """
    return float(np.linalg.norm(scores))


def training_statistics(
    model: ShapeModel, world: Float[np.ndarray, "N M 3"], surfaces: Iterable[Mesh]
) -> TrainingStatistics:
    """Describe the training subjects of one anatomy.

    Args:
        model: Made of ``world``.
        world: Particles of the training subjects, world frame, mm.
        surfaces: Their closed surfaces, one at a time, mm.

    Raises:
        ValueError: With fewer than three subjects: of no two is one a population for the other.
    """
    if len(world) < 3:
        raise ValueError(f"statistics of a population need at least 3 subjects, got {len(world)}")
    sizes = np.array([(mesh.volume_ml, mesh.area) for mesh in surfaces])
    modes = distance_modes(model, len(world))
    return TrainingStatistics(
        volume_ml=_table(sizes[:, 0]),
        area_mm2=_table(sizes[:, 1]),
        scores=_table(standard_scores(model, world, modes).T),
        mahalanobis=_table(left_out_distances(world, modes)),
        subjects=len(world),
    )


def distance_modes(model: ShapeModel, subjects: int) -> int:
    """Say in how many modes distances are measured.

    Those that hold 95 % of the variance, but no more than half of what the subjects could give: the
    variance of the last ones is far too small for new shapes, which would all be far away.
    """
    return min(needed_modes(model), max(1, (subjects - 1) // 2), len(model.variances))


def needed_modes(model: ShapeModel) -> int:
    """Count the modes that hold 95 % of the variance."""
    return int(np.searchsorted(model.compactness, _VARIANCE)) + 1


def cautions_of(model: ShapeModel, subjects: int) -> tuple[str, ...]:
    """Say why a population is too small to judge a new shape by; empty if it is not.

    Two reasons: fewer subjects than :data:`FEW_SUBJECTS`, and fewer than two for each mode that its
    variance needs. So many modes make a new shape's distance far too large: of N subjects of a
    normal population, measured along J given directions, the expected square is (N^2 - 1) /
    (N (N - J - 2)) times that with the true mean and covariance (Hotelling's T^2 of a new
    observation; Anderson, "An introduction to multivariate statistical analysis", 3rd ed. 2003,
    chapter 5): twice as large at N = 2 J + 4, without bound as J comes near N.
    :func:`distance_modes` takes no more than half of N, and so leaves out modes.

    Args:
        model: Made of all subjects.
        subjects: How many there were.
    """
    found = []
    if subjects < FEW_SUBJECTS:
        found.append(
            f"the shape model is of {subjects} training subjects: 1 of {subjects + 1} new subjects "
            f"of their population lies beyond all of them (below 5 % from {FEW_SUBJECTS} on)"
        )
    needed = needed_modes(model)
    if needed > distance_modes(model, subjects):
        found.append(
            f"{needed} modes hold 95 % of the shape model's variance, which needs "
            f"{2 * needed + 1} training subjects, two for each and one: there are {subjects}, and "
            f"distances are measured in {distance_modes(model, subjects)} modes"
        )
    return tuple(found)


def left_out_distances(world: Float[np.ndarray, "N M 3"], modes: int) -> Float[np.ndarray, " N"]:
    """Measure the distance of each shape from the mean of a model made without it.

    Leave-one-out; with more than 50 shapes some are left out together, so that no more models than
    that are made. So training shapes are judged as new ones are, and the rank of a new one among
    them means something (the reasoning of jackknife and conformal prediction).

    Args:
        world: Shapes, world frame, mm.
        modes: How many modes of the others, or all that they have.

    Returns:
        Distances as :func:`mahalanobis_of` makes them, in the order of the shapes.
    """
    count = len(world)
    distances = np.empty(count)
    for fold in range(min(count, _FOLDS)):
        out = np.arange(fold, count, _FOLDS)
        model = fit_shape_model(np.delete(world, out, axis=0), modes)
        distances[out] = np.linalg.norm(standard_scores(model, world[out]), axis=-1)
    return distances


def _table(values: Float[np.ndarray, "*J N"]) -> Float[np.ndarray, "*J Q"]:
    """Take the quantiles of the last axis; rounding lets none fall below the one before."""
    quantiles = np.moveaxis(np.quantile(values, PROBABILITIES, axis=-1), 0, -1)
    return np.ascontiguousarray(np.maximum.accumulate(quantiles, axis=-1))
