"""Volumes are compared with the training subjects alone."""

import numpy as np
import pytest

from massm.dataset.outliers import outlier_scores


def test_scores_are_standard_deviations_of_log_volume():
    training = np.exp(np.random.default_rng(0).normal(5, 0.3, 2001))
    scores = outlier_scores([np.exp(5), np.exp(5 + 3 * 0.3)], training.tolist())
    np.testing.assert_allclose(scores, [0, 3], atol=0.15)


def test_one_outlier_does_not_hide_itself():
    volumes = [*np.linspace(90, 110, 20), 9000.0]
    scores = outlier_scores(volumes, volumes)
    assert scores[-1] > 20
    assert np.abs(scores[:-1]).max() < 2


def test_few_training_volumes_say_nothing():
    assert outlier_scores([1.0, 1000.0], [1.0] * 7).tolist() == [0, 0]


def test_near_copies_have_no_outliers():
    assert abs(outlier_scores([104.0], [100.0] * 20)[0]) == pytest.approx(0.784, abs=0.01)
