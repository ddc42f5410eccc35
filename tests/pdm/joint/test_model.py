"""The joint shape model: PCA where nothing is missing, sense where something is."""

from dataclasses import replace

import numpy as np
import pytest

from massm.pdm.joint.model import JointModel, fit_joint_model
from massm.pdm.shape_model import fit_shape_model
from tests.pdm.joint.population import NOISE


def weighted(model, points):
    return points * np.repeat(model.weights, model.particles)[:, None]


def test_complete_subjects_give_ordinary_pca(complete):
    found = fit_joint_model(complete, 5)
    expected = fit_shape_model(weighted(found, complete.points), 5)
    subjects = len(complete.subjects)
    np.testing.assert_allclose(weighted(found, found.mean), expected.mean, atol=1e-9)
    np.testing.assert_allclose(
        found.variances, expected.variances * (subjects - 1) / subjects, rtol=1e-9
    )
    turned = np.einsum("kta,jta->kj", found.modes, expected.modes)
    np.testing.assert_allclose(np.abs(turned), np.eye(5), atol=1e-6)
    total = np.square(weighted(found, complete.points - complete.points.mean(0))).sum() / subjects
    np.testing.assert_allclose(found.compactness, np.cumsum(found.variances) / total, rtol=1e-9)
    rest = total - found.variances.sum()
    np.testing.assert_allclose(found.noise, rest / (found.mean.size - 5), rtol=1e-9)


def test_complete_subjects_are_projected_as_by_pca(complete):
    found = fit_joint_model(complete, 4)
    expected = fit_shape_model(weighted(found, complete.points))
    for modes in (1, 3, 4):
        np.testing.assert_allclose(
            weighted(found, found.project(complete, modes)),
            expected.project(weighted(found, complete.points), modes),
            atol=1e-8,
        )


def test_one_anatomy_gives_its_own_model(complete):
    alone = replace(complete, anatomies=("liver",), particles=(20,), points=complete.of("liver"))
    found, expected = fit_joint_model(alone, 3), fit_shape_model(alone.points, 3)
    shares = expected.variances / fit_shape_model(alone.points).variances.sum()
    np.testing.assert_allclose(found.variances, shares, rtol=1e-9)
    np.testing.assert_allclose(found.project(alone), expected.project(alone.points, 3), atol=1e-8)


def test_the_directions_are_found_in_spite_of_gaps(gaps, population):
    found = fit_joint_model(gaps, 3)
    truth = weighted(found, population.directions).reshape(3, -1)
    truth = np.linalg.qr(truth.T)[0].T
    cosines = np.linalg.svd(truth @ found.modes.reshape(3, -1).T)[1]
    assert cosines.min() > 0.999


def test_imputed_anatomies_are_near_the_truth_and_the_others_stay(gaps, complete):
    found = fit_joint_model(gaps, 3)
    imputed = found.impute(gaps)
    missing = np.isnan(gaps.points)
    error = np.abs(imputed.points - complete.points)[missing]
    of_mean = np.abs(np.broadcast_to(found.mean, missing.shape) - complete.points)[missing]
    assert error.mean() < 2 * NOISE
    assert error.mean() < 0.1 * of_mean.mean()
    np.testing.assert_array_equal(imputed.points[~missing], gaps.points[~missing])


def test_a_missing_anatomy_leaves_scores_less_sure(complete):
    found = fit_joint_model(complete, 3)
    full, part = found.posterior(complete), found.posterior(complete.hide("kidney"))
    assert (np.linalg.det(part.covariance) > np.linalg.det(full.covariance)).all()
    np.testing.assert_allclose(found.shapes(full.mean), found.expect(complete))


def test_without_evidence_the_mean_shape_is_expected(complete):
    found = replace(fit_joint_model(complete, 3), evidence=1e-12)
    expected = found.expect(complete.hide("liver"))
    np.testing.assert_allclose(expected, np.broadcast_to(found.mean, expected.shape), atol=1e-5)


def test_the_likelihood_rises(gaps):
    assert np.diff(fit_joint_model(gaps, 3).log_likelihoods).min() > -1e-6


def test_the_order_of_the_subjects_does_not_matter(gaps, rng):
    found = fit_joint_model(gaps, 3)
    other = fit_joint_model(gaps.take(rng.permutation(len(gaps.subjects))), 3)
    for name, array in found.arrays().items():
        if name not in ("anatomies", "log_likelihoods"):
            np.testing.assert_allclose(other.arrays()[name], array, rtol=1e-6, atol=1e-8)


def test_an_anatomy_weighs_the_same_with_twice_the_particles_and_in_another_unit(complete):
    liver = complete.of("liver")
    doubled = replace(
        complete,
        particles=(40, 12, 30),
        points=np.concatenate([10 * liver, 10 * liver, complete.points[:, 20:]], 1),
    )
    found, other = fit_joint_model(complete, 4), fit_joint_model(doubled, 4)
    np.testing.assert_allclose(other.variances, found.variances, rtol=1e-9)
    np.testing.assert_allclose(other.compactness, found.compactness, rtol=1e-9)


def test_a_mode_of_one_anatomy_tells_nothing_of_the_others():
    mode = np.zeros((1, 2, 3))
    mode[0, 0, 0] = 1
    model = JointModel(
        *(("liver", "spleen"), (1, 1), np.ones(2), np.zeros((2, 3)), mode, np.array([5.0])),
        noise=1.0,
        evidence=1.0,
        log_likelihoods=np.zeros(1),
    )
    np.testing.assert_allclose(model.anatomy_compactness, [[5 / 7], [0]])
    np.testing.assert_allclose(model.compactness, [0.5])


def test_the_model_survives_its_arrays(gaps):
    found = fit_joint_model(gaps, 3)
    again = JointModel.from_arrays(found.arrays())
    np.testing.assert_array_equal(again.expect(gaps), found.expect(gaps))


def test_an_anatomy_of_two_subjects_is_refused(complete):
    points = complete.points.copy()
    points[2:, complete.slices["spleen"]] = np.nan
    with pytest.raises(ValueError, match="spleen: 2 subjects have it, .* at least 3"):
        fit_joint_model(replace(complete, points=points), 2)


def test_there_are_no_more_modes_than_subjects_tell(complete):
    assert len(fit_joint_model(complete.take(range(6)), 20).variances) == 4


def test_an_anatomy_that_few_have_limits_the_modes(complete, rng):
    """Shapes without anything in common: more modes would give the missing ones any size."""
    noise = rng.normal(size=complete.points.shape)
    noise[27:, complete.slices["spleen"]] = np.nan
    found = fit_joint_model(replace(complete, points=noise), 20)
    assert len(found.variances) == 9
    spleen = found.modes[:, complete.slices["spleen"]]
    assert (found.variances * np.square(spleen).sum((1, 2))).sum() < 1.5


def test_blocks_of_other_anatomies_are_refused(complete):
    found = fit_joint_model(complete, 3)
    with pytest.raises(ValueError, match="expected .*'liver', 'spleen', 'kidney'"):
        found.posterior(replace(complete, anatomies=("liver", "spleen", "heart")))
