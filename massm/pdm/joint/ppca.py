"""Probabilistic principal components by EM where whole blocks of an observation may be missing.

Tipping and Bishop, "Probabilistic principal component analysis", J. R. Statist. Soc. B 61(3), 1999:
an observation is ``x = m + W z + e`` with z standard normal of q values and e isotropic noise of
variance s. What is missing is left out of the likelihood (not filled in), so each step raises the
likelihood of what is there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

LEAST_NOISE = 1e-10
"""Noise variance that is never undercut, as a fraction of the mean variance of a coordinate."""

MOST_STEPS = 2000
TOLERANCE = 1e-5
"""Gain of log-likelihood per observation in one step at which EM ends."""


@dataclass(frozen=True)
class LatentModel:
    """Parameters of probabilistic PCA, block by block.

    Attributes:
        means: m of each block.
        loadings: W of each block.
        noise: s.
        log_likelihoods: Of all observations before each step, and at the end.
    """

    means: tuple[Float[np.ndarray, " _"], ...]
    loadings: tuple[Float[np.ndarray, "_ q"], ...]
    noise: float
    log_likelihoods: Float[np.ndarray, " steps"]


class Latent(NamedTuple):
    """Posterior of z: mean and covariance, and log density of the observation."""

    mean: Float[np.ndarray, "N q"]
    covariance: Float[np.ndarray, "N q q"]
    log_density: Float[np.ndarray, " N"]


def infer(
    model: LatentModel,
    blocks: Sequence[Float[np.ndarray, "N _"]],
    dimensions: Sequence[int],
) -> Latent:
    """Find the posterior of z from the blocks that are there (Tipping and Bishop, Eq. 7).

    Args:
        model: Parameters.
        blocks: Observations; rows of NaN where a block is missing.
        dimensions: Of each block. May exceed its columns: the observations and loadings are zero
            in all other directions, which hold noise alone.
    """
    count, modes = len(blocks[0]), model.loadings[0].shape[1]
    mean, log_density = np.zeros((count, modes)), np.zeros(count)
    covariance = np.zeros((count, modes, modes))
    for rows, there in _patterns(blocks):
        information = model.noise * np.eye(modes)
        pull, square, dimension = np.zeros((len(rows), modes)), np.zeros(len(rows)), 0
        for k in there:
            offset = blocks[k][rows] - model.means[k]
            information += model.loadings[k].T @ model.loadings[k]
            pull += offset @ model.loadings[k]
            square += np.square(offset).sum(1)
            dimension += dimensions[k]
        inverse = np.linalg.inv(information)
        mean[rows] = pull @ inverse
        covariance[rows] = model.noise * inverse
        distance = (square - (pull * mean[rows]).sum(1)) / model.noise
        volume = (dimension - modes) * np.log(model.noise) + np.linalg.slogdet(information)[1]
        log_density[rows] = -(dimension * np.log(2 * np.pi) + volume + distance) / 2
    return Latent(mean, covariance, log_density)


def fit_ppca(
    blocks: Sequence[Float[np.ndarray, "N _"]], dimensions: Sequence[int], modes: int
) -> LatentModel:
    """Find the parameters of greatest likelihood.

    The start is the closed form (Tipping and Bishop, Eq. 7-8 of their section 3.2) with means in
    place of missing blocks: the answer itself where nothing is missing.

    Args:
        blocks: Observations; rows of NaN where a block is missing.
        dimensions: See :func:`infer`.
        modes: q.

    Raises:
        ValueError: If there are not two observations more than modes.
    """
    if not 1 <= modes <= len(blocks[0]) - 2:
        raise ValueError(
            f"{modes} modes of {len(blocks[0])} observations: at least 1 and two fewer than "
            "observations can be found"
        )
    model, floor = _start(blocks, dimensions, modes)
    history: list[float] = []
    while True:
        latent = infer(model, blocks, dimensions)
        history.append(float(latent.log_density.sum()))
        gain = np.inf if len(history) < 2 else history[-1] - history[-2]
        if gain < TOLERANCE * len(blocks[0]) or len(history) > MOST_STEPS:
            break
        model = _improve(model, latent, blocks, dimensions, floor)
    return LatentModel(model.means, model.loadings, model.noise, np.array(history))


def _start(
    blocks: Sequence[Float[np.ndarray, "N _"]], dimensions: Sequence[int], modes: int
) -> tuple[LatentModel, float]:
    means = tuple(np.nanmean(block, 0) for block in blocks)
    filled = np.concatenate(
        [np.nan_to_num(block - mean) for block, mean in zip(blocks, means, strict=True)], 1
    )
    values, vectors = np.linalg.eigh(filled @ filled.T / len(filled))
    values, vectors = values[::-1].clip(min=0), vectors[:, ::-1]
    floor = LEAST_NOISE * max(float(values.sum()), 1e-300) / sum(dimensions)
    noise = max(float(values[modes:].sum()) / (sum(dimensions) - modes), floor)
    lengths = np.sqrt((values[:modes] - noise).clip(min=0))
    scale = lengths / np.sqrt((values[:modes] * len(filled)).clip(min=1e-300))
    loadings = filled.T @ (vectors[:, :modes] * scale)
    ends = np.cumsum([block.shape[1] for block in blocks])[:-1]
    none = np.zeros(0)
    return LatentModel(means, tuple(np.split(loadings, ends)), noise, none), floor


def _improve(
    model: LatentModel,
    latent: Latent,
    blocks: Sequence[Float[np.ndarray, "N _"]],
    dimensions: Sequence[int],
    floor: float,
) -> LatentModel:
    """Take one step of expectation and maximization.

    Mean and loadings of a block come from one regression on (z, 1) over those that have it; then z
    is made standard normal again (Liu, Rubin and Wu, "Parameter expansion to accelerate EM: the
    PX-EM algorithm", Biometrika 85(4), 1998), which spares most of EM's many small steps.
    """
    modes = latent.mean.shape[1]
    second = latent.covariance + latent.mean[:, :, None] * latent.mean[:, None, :]
    means, loadings, rest, total = [], [], 0.0, 0
    for block, dimension in zip(blocks, dimensions, strict=True):
        there = np.isfinite(block[:, 0])
        z, zz, x = latent.mean[there], second[there].sum(0), block[there]
        moments = np.block([[zz, z.sum(0)[:, None]], [z.sum(0)[None], np.full((1, 1), len(z))]])
        products = np.concatenate([z.T @ x, x.sum(0)[None]])
        solution = np.linalg.solve(moments, products)
        loadings.append(solution[:modes].T)
        means.append(solution[modes])
        rest += float(np.square(x).sum() - (solution * products).sum())
        total += dimension * len(z)
    center = latent.mean.mean(0)
    root = np.linalg.cholesky(second.mean(0) - np.outer(center, center))
    return LatentModel(
        tuple(mean + load @ center for mean, load in zip(means, loadings, strict=True)),
        tuple(load @ root for load in loadings),
        max(rest / total, floor),
        model.log_likelihoods,
    )


def _patterns(
    blocks: Sequence[Float[np.ndarray, "N _"]],
) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Group observations that have the same blocks: their rows, and the blocks."""
    present: Bool[np.ndarray, "N K"] = np.stack([np.isfinite(b[:, 0]) for b in blocks], 1)
    found, pattern = np.unique(present, axis=0, return_inverse=True)
    for number, there in enumerate(found):
        yield np.flatnonzero(pattern.ravel() == number), np.flatnonzero(there).tolist()
