"""Probabilistic PCA against its closed form, and with gaps."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from massm.pdm.joint.ppca import fit_ppca, infer


@pytest.fixture
def blocks(rng):
    """Thirty observations of 4 + 5 values, three directions and noise."""
    values = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 9)) + 0.3 * rng.normal(size=(30, 9)) + 2
    return [values[:, :4].copy(), values[:, 4:].copy()]


@pytest.fixture
def gaps(blocks):
    first, second = (block.copy() for block in blocks)
    first[:8] = np.nan
    second[8:14] = np.nan
    return [first, second]


def test_complete_observations_give_the_closed_form(blocks):
    found = fit_ppca(blocks, [4, 5], 3)
    values = np.concatenate(blocks, 1)
    covariance = np.cov(values.T, bias=True)
    lengths, axes = np.linalg.eigh(covariance)
    noise = lengths[:-3].mean()
    expected = (axes[:, -3:] * (lengths[-3:] - noise)) @ axes[:, -3:].T
    loadings = np.concatenate(found.loadings)
    np.testing.assert_allclose(found.noise, noise, rtol=1e-9)
    np.testing.assert_allclose(loadings @ loadings.T, expected, atol=1e-9)
    np.testing.assert_allclose(np.concatenate(found.means), values.mean(0))


def test_log_density_is_that_of_the_gaussian_of_what_is_there(gaps):
    found = fit_ppca(gaps, [4, 5], 3)
    density = infer(found, gaps, [4, 5]).log_density
    mean, load = np.concatenate(found.means), np.concatenate(found.loadings)
    covariance = load @ load.T + found.noise * np.eye(9)
    values = np.concatenate(gaps, 1)
    for row, there in ((3, slice(4, 9)), (10, slice(0, 4)), (20, slice(0, 9))):
        expected = multivariate_normal.logpdf(
            values[row, there], mean[there], covariance[there, there]
        )
        np.testing.assert_allclose(density[row], expected)


def test_the_likelihood_rises_with_every_step(gaps):
    history = fit_ppca(gaps, [4, 5], 3).log_likelihoods
    assert len(history) > 5
    assert np.diff(history).min() > -1e-9


def test_no_small_change_of_a_parameter_raises_the_likelihood(gaps, rng):
    found = fit_ppca(gaps, [4, 5], 2)
    best = infer(found, gaps, [4, 5]).log_density.sum()
    for _ in range(20):
        other = found.__class__(
            tuple(mean + 0.02 * rng.normal(size=mean.shape) for mean in found.means),
            tuple(load + 0.02 * rng.normal(size=load.shape) for load in found.loadings),
            found.noise * np.exp(0.05 * rng.normal()),
            found.log_likelihoods,
        )
        assert infer(other, gaps, [4, 5]).log_density.sum() < best


def test_directions_without_data_add_noise_alone(blocks):
    """As if both blocks had columns of zeros."""
    padded = [np.concatenate([block, np.zeros((30, 6))], 1) for block in blocks]
    for dimensions, given in (([10, 11], blocks), ([10, 11], padded)):
        found = fit_ppca(given, dimensions, 3)
        np.testing.assert_allclose(found.noise * 18, fit_ppca(blocks, [4, 5], 3).noise * 6)
        assert infer(found, given, dimensions).log_density.sum() == pytest.approx(
            fit_ppca(padded, [10, 11], 3).log_likelihoods[-1]
        )


def test_more_modes_than_observations_allow_are_refused(blocks):
    with pytest.raises(ValueError, match="29 modes of 30 observations"):
        fit_ppca(blocks, [4, 5], 29)
