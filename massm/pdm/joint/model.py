"""The joint shape model: mean, modes and noise of several anatomies, fitted with gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.pdm.joint.blocks import BlockSet
from massm.pdm.joint.ppca import LatentModel, fit_ppca

LEAST_SUBJECTS = 3

SUBJECTS_PER_MODE = 3
"""Subjects that must have an anatomy for each mode, where others lack it."""


class Posterior(NamedTuple):
    """What the present anatomies say of a subject's scores."""

    mean: Float[np.ndarray, "N q"]
    covariance: Float[np.ndarray, "N q q"]


@dataclass(frozen=True)
class JointModel:
    """A Gaussian of the concatenated particles of K anatomies, T in all.

    Coordinates of an anatomy are multiplied by its weight, one over the square root of its total
    variance: all anatomies then have the total variance 1, whatever their size, their unit and
    their number of particles. Modes are orthonormal in the weighted coordinates; scores, variances
    and noise are of these and have no unit. Covariances are those of maximum likelihood (divided by
    N, not N - 1).

    Attributes:
        anatomies: Names, in the order of the concatenation.
        particles: Particles of each anatomy.
        weights: Of each anatomy, 1/mm.
        mean: Mean particles, mm.
        modes: Orthonormal directions in weighted coordinates, longest first.
        variances: Along each mode, noise included.
        noise: Variance in every direction, also where there is no mode.
        evidence: Power that a subject's likelihood is raised to where missing anatomies are
            expected from it. 1: every coordinate is an independent measurement, as in Tipping and
            Bishop. Particles of one surface move together and are not; with less, what is expected
            comes nearer to the mean. :func:`massm.pdm.joint.quality.choose_evidence` finds it.
        log_likelihoods: Of the weighted training subjects at each step of EM.
    """

    anatomies: tuple[str, ...]
    particles: tuple[int, ...]
    weights: Float[np.ndarray, " K"]
    mean: Float[np.ndarray, "T 3"]
    modes: Float[np.ndarray, "q T 3"]
    variances: Float[np.ndarray, " q"]
    noise: float
    evidence: float
    log_likelihoods: Float[np.ndarray, " steps"]

    @property
    def compactness(self) -> Float[np.ndarray, " q"]:
        """Fraction of the variance that the first modes hold, cumulative; the noise counts too."""
        rest = (self.mean.size - len(self.variances)) * self.noise
        return np.asarray(np.cumsum(self.variances) / (self.variances.sum() + rest))

    @property
    def anatomy_compactness(self) -> Float[np.ndarray, "K q"]:
        """Fraction of each anatomy's variance that the first modes hold, cumulative."""
        ends = 3 * np.cumsum(self.particles)
        squares = np.square(self.modes).reshape(len(self.modes), -1)
        along = np.stack([part.sum(1) for part in np.split(squares, ends[:-1], axis=1)])
        held = along * self.variances
        rest = self.noise * (3 * np.array(self.particles) - along.sum(1))
        return np.asarray(np.cumsum(held, 1) / (held.sum(1) + rest)[:, None])

    def posterior(self, blocks: BlockSet, evidence: float = 1.0) -> Posterior:
        """Find the scores that the present anatomies speak for, and how surely.

        After Tipping and Bishop 1999, section 3.1: with U the modes and d a subject's offset from
        the mean, both in the coordinates that are there, L the variances without noise, and s the
        noise over the evidence, the scores have the covariance ``(U^T U / s + L^-1)^-1`` and the
        mean ``covariance U^T d / s``.
        """
        prior = np.diag(1 / (self.variances - self.noise))
        certainty = evidence / self.noise
        scores = np.zeros((len(blocks.subjects), len(self.modes)))
        covariance = np.zeros((*scores.shape, len(self.modes)))
        for row, (gram, pull) in enumerate(self._seen(blocks)):
            covariance[row] = np.linalg.inv(certainty * gram + prior)
            scores[row] = certainty * covariance[row] @ pull
        return Posterior(scores, covariance)

    def shapes(self, scores: Float[np.ndarray, "N j"]) -> Float[np.ndarray, "N T 3"]:
        """Make all anatomies, mm, from the scores of the first j modes."""
        modes = self.modes[: scores.shape[1]]
        deviation = np.einsum("nq,qta->nta", scores, modes) / self._scale[:, None]
        return np.asarray(self.mean + deviation)

    def expect(self, blocks: BlockSet) -> Float[np.ndarray, "N T 3"]:
        """Find the conditional mean of all anatomies, given those that are there, mm."""
        return self.shapes(self.posterior(blocks, self.evidence).mean)

    def impute(self, blocks: BlockSet) -> BlockSet:
        """Put the conditional mean in the place of missing anatomies; the others stay."""
        missing = np.isnan(blocks.points)
        return replace(blocks, points=np.where(missing, self.expect(blocks), blocks.points))

    def project(self, blocks: BlockSet, modes: int | None = None) -> Float[np.ndarray, "N T 3"]:
        """Find the nearest shapes that the first modes can make, by the anatomies that are there.

        The limit of the conditional mean for no noise; where the present anatomies leave scores
        open, the most likely.
        """
        used = len(self.modes) if modes is None else modes
        spread = np.sqrt(self.variances[:used] - self.noise)
        scores = np.zeros((len(blocks.subjects), used))
        for row, (gram, pull) in enumerate(self._seen(blocks)):
            scaled = spread[:, None] * gram[:used, :used] * spread
            solution = np.linalg.pinv(scaled, rcond=1e-9, hermitian=True) @ (spread * pull[:used])
            scores[row] = spread * solution
        return self.shapes(scores)

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all arrays, for a file; ``particles`` tells where each anatomy ends."""
        return {
            "anatomies": np.array(self.anatomies, np.str_),
            "particles": np.array(self.particles),
            "weights": self.weights,
            "mean": self.mean,
            "modes": self.modes,
            "variances": self.variances,
            "noise": np.array(self.noise),
            "evidence": np.array(self.evidence),
            "log_likelihoods": self.log_likelihoods,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "JointModel":
        """Rebuild a model from what :meth:`arrays` gave.

        Raises:
            KeyError: If one is missing.
        """
        return cls(
            tuple(str(name) for name in arrays["anatomies"]),
            tuple(int(count) for count in arrays["particles"]),
            arrays["weights"],
            arrays["mean"],
            arrays["modes"],
            arrays["variances"],
            float(arrays["noise"]),
            float(arrays["evidence"]),
            arrays["log_likelihoods"],
        )

    @property
    def _scale(self) -> Float[np.ndarray, " T"]:
        return np.repeat(self.weights, self.particles)

    def _seen(self, blocks: BlockSet) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each subject ``U^T U`` and ``U^T d`` over the anatomies that are there."""
        if (blocks.anatomies, blocks.particles) != (self.anatomies, self.particles):
            raise ValueError(
                f"blocks of {blocks.anatomies} with {blocks.particles} particles, expected "
                f"{self.anatomies} with {self.particles}"
            )
        flat = self.modes.reshape(len(self.modes), -1)
        ends = 3 * np.cumsum(self.particles)
        parts = np.split(flat, ends[:-1], axis=1)
        grams = np.stack([part @ part.T for part in parts])
        offset = np.nan_to_num((blocks.points - self.mean) * self._scale[:, None])
        pulls = offset.reshape(len(offset), flat.shape[1]) @ flat.T
        return [
            (grams[there].sum(0), pull) for there, pull in zip(blocks.present, pulls, strict=True)
        ]


def fit_joint_model(training: BlockSet, modes: int) -> JointModel:
    """Fit the joint shape model by probabilistic PCA with missing anatomies.

    EM runs on the subjects' coordinates along the principal axes of each anatomy, fewer than N for
    each: the same likelihood, and no array has more than N x K N values, until at the end the modes
    are written out.

    Args:
        training: Training subjects, all anatomies in comparable frames, mm.
        modes: Most modes to keep. There are no more than subjects - 2; where an anatomy is
            missing, no more than a third of the subjects that have it. With as many modes as these,
            the others' scores would be left to chance: loadings that fit all who have the anatomy
            could give those who lack it any shape.

    Raises:
        ValueError: If an anatomy is there in fewer than three subjects.
    """
    _check_counts(training)
    parts = [_reduce(training.of(anatomy)) for anatomy in training.anatomies]
    weights = np.array([1 / np.sqrt(part.variance) for part in parts])
    scaled = [part.coordinates * weight for part, weight in zip(parts, weights, strict=True)]
    most = min(modes, _most_modes(training))
    latent = fit_ppca(scaled, [part.axes.shape[1] for part in parts], most)
    return _written_out(training, parts, weights, latent)


class _Part(NamedTuple):
    """One anatomy along its principal axes: ``points = center + coordinates @ axes``."""

    center: Float[np.ndarray, " P"]
    coordinates: Float[np.ndarray, "N r"]
    axes: Float[np.ndarray, "r P"]
    variance: float


def _check_counts(training: BlockSet) -> None:
    for anatomy, count in zip(training.anatomies, training.present.sum(0), strict=True):
        if count < LEAST_SUBJECTS:
            raise ValueError(
                f"{anatomy}: {count} subjects have it, a joint model needs at least "
                f"{LEAST_SUBJECTS}"
            )


def _most_modes(training: BlockSet) -> int:
    subjects = len(training.subjects)
    counts = [int(count) for count in training.present.sum(0) if count < subjects]
    return min([subjects - 2, *(max(1, count // SUBJECTS_PER_MODE) for count in counts)])


def _reduce(points: Float[np.ndarray, "N M 3"]) -> _Part:
    there = np.isfinite(points[:, 0, 0])
    flat = points[there].reshape(int(there.sum()), -1)
    center = flat.mean(0)
    centered = flat - center
    values, vectors = np.linalg.eigh(centered @ centered.T)
    real = values > 1e-12 * max(float(values[-1]), 1e-300)
    real[-1] = True
    roots = np.sqrt(values[real].clip(min=1e-300))
    coordinates = np.full((len(points), int(real.sum())), np.nan)
    coordinates[there] = vectors[:, real] * roots
    axes = (vectors[:, real] / roots).T @ centered
    variance = max(float(values.clip(min=0).sum()) / len(flat), 1e-300)
    return _Part(center, coordinates, axes, variance)


def _written_out(
    training: BlockSet,
    parts: Sequence[_Part],
    weights: Float[np.ndarray, " K"],
    latent: LatentModel,
) -> JointModel:
    """Turn loadings along the anatomies' axes into orthonormal modes and a mean in mm."""
    means = [
        part.center + mean / weight @ part.axes
        for part, mean, weight in zip(parts, latent.means, weights, strict=True)
    ]
    loadings = np.concatenate(latent.loadings)
    values, vectors = np.linalg.eigh(loadings.T @ loadings)
    values, vectors = values[::-1], vectors[:, ::-1]
    real = values > 1e-9 * max(float(values[0]), 1e-300)
    along = vectors[:, real] / np.sqrt(values[real])
    directions = [
        (load @ along).T @ part.axes for load, part in zip(latent.loadings, parts, strict=True)
    ]
    modes = np.concatenate(directions, 1)
    largest = np.abs(modes).argmax(1)
    modes *= np.sign(modes[np.arange(len(modes)), largest])[:, None]
    return JointModel(
        training.anatomies,
        training.particles,
        weights,
        np.concatenate(means).reshape(-1, 3),
        modes.reshape(len(modes), -1, 3),
        values[real] + latent.noise,
        latent.noise,
        1.0,
        latent.log_likelihoods,
    )
