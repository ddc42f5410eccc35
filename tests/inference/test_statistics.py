"""Where a shape lies among the training subjects."""

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.inference.statistics import (
    PROBABILITIES,
    TrainingStatistics,
    cautions_of,
    left_out_distances,
    mahalanobis_of,
    percentile_of,
    standard_scores,
    training_statistics,
)
from massm.pdm.shape_model import fit_shape_model

TETRAHEDRON = Mesh(
    np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float) * 10,
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)


def population(count, seed=0, deviations=(6, 3, 1.5, 0.7, 0.3, 0.2, 0.1, 0.1)):
    """Shapes of 12 particles that vary along a few fixed directions, mm."""
    directions, _ = np.linalg.qr(np.random.default_rng(99).normal(size=(36, len(deviations))))
    scores = np.random.default_rng(seed).normal(size=(count, len(deviations))) * deviations
    return (scores @ directions.T).reshape(count, 12, 3) + np.arange(36).reshape(12, 3)


def sized(count):
    return [Mesh(TETRAHEDRON.vertices * side, TETRAHEDRON.faces) for side in range(1, count + 1)]


def statistics_of(world):
    return training_statistics(fit_shape_model(world), world, sized(len(world)))


def test_a_percentile_is_the_share_of_the_population_below():
    quantiles = np.quantile(np.arange(11.0), PROBABILITIES)
    assert percentile_of(3.0, quantiles) == pytest.approx(30)
    assert percentile_of(3.05, quantiles) == pytest.approx(30.5)
    assert percentile_of(-0.1, quantiles) == 0
    assert percentile_of(10.1, quantiles) == 100
    assert np.isnan(percentile_of(float("nan"), quantiles))


def test_a_value_that_many_have_is_in_their_middle():
    quantiles = np.quantile([1.0, 2, 2, 2, 3], PROBABILITIES)
    assert percentile_of(2.0, quantiles) == pytest.approx(50)
    assert percentile_of(5.0, np.full(101, 5.0)) == pytest.approx(50)


def test_tables_hold_the_sizes_of_the_training_surfaces():
    found = statistics_of(population(5))
    assert found.subjects == 5
    assert found.volume_ml[[0, 50, 100]] == pytest.approx(np.array([1, 27, 125]) / 6)
    assert found.area_mm2[50] == pytest.approx(TETRAHEDRON.area * 9)


def test_scores_of_the_training_shapes_have_unit_variance():
    world = population(40)
    scores = standard_scores(fit_shape_model(world), world, 3)
    np.testing.assert_allclose(scores.std(axis=0, ddof=1), 1)
    assert statistics_of(world).scores[:, 50] == pytest.approx(np.median(scores, 0), abs=1e-6)


def test_distances_of_shapes_in_their_own_full_model_are_all_alike_and_left_out_ones_are_not():
    world = population(9, deviations=(3,) * 12)
    scores = standard_scores(fit_shape_model(world), world)
    assert np.linalg.norm(scores, axis=1) == pytest.approx(np.full(9, 8 / 3))
    assert np.ptp(left_out_distances(world, 3)) > 0.5


def test_percentiles_of_new_shapes_of_the_population_are_spread_evenly():
    world = population(50)
    model, found = fit_shape_model(world), statistics_of(world)
    ranks = [
        found.percentiles(volume_ml=1.0, area_mm2=1.0, scores=standard_scores(model, shape))
        for shape in population(300, seed=1)
    ]
    distances = np.array([rank.mahalanobis for rank in ranks])
    first = np.array([rank.scores[0] for rank in ranks])
    for values in (distances, first):
        assert np.quantile(values, [0.25, 0.5, 0.75]) == pytest.approx([25, 50, 75], abs=12)


def test_a_shape_unlike_any_is_above_all():
    world = population(20)
    model, found = fit_shape_model(world), statistics_of(world)
    shape = model.mean + 9 * np.sqrt(model.variances[0]) * model.modes[0]
    rank = found.percentiles(volume_ml=1e6, area_mm2=0.0, scores=standard_scores(model, shape))
    assert (rank.mahalanobis, rank.scores[0], rank.volume, rank.area) == (100, 100, 100, 0)
    assert mahalanobis_of(standard_scores(model, shape)) == pytest.approx(9)


@pytest.mark.parametrize("count", [3, 4, 120])
def test_few_subjects_and_many_have_statistics(count):
    found = statistics_of(population(count))
    assert found.mahalanobis.shape == (101,)
    assert 1 <= found.modes <= max(1, (count - 1) // 2)
    for table in found.arrays().values():
        assert np.isfinite(table).all()
        assert (np.diff(table) >= 0).all()


def test_shapes_that_do_not_vary_have_statistics():
    world = np.repeat(population(1), 4, axis=0)
    found = statistics_of(world)
    assert found.modes <= 1
    assert np.isfinite(found.mahalanobis).all()


def test_the_order_of_the_subjects_shows_in_nothing():
    world = population(7)
    one = statistics_of(world)
    other = statistics_of(world[::-1])
    for name, table in one.arrays().items():
        np.testing.assert_allclose(other.arrays()[name], table, atol=1e-9)


def test_two_subjects_are_no_population():
    with pytest.raises(ValueError, match="at least 3 subjects, got 2"):
        statistics_of(population(2))


def test_too_few_scores_are_refused():
    found = statistics_of(population(20))
    with pytest.raises(ValueError, match=f"0 scores, expected those of {found.modes}"):
        found.percentiles(volume_ml=1.0, area_mm2=1.0, scores=np.zeros(0))


def test_tables_come_back_from_their_arrays():
    found = statistics_of(population(6))
    again = TrainingStatistics.of_arrays(found.arrays(), 6)
    assert again.subjects == 6
    np.testing.assert_array_equal(again.scores, found.scores)


def test_a_small_population_is_a_cause_for_caution_and_says_why():
    assert cautions_of(fit_shape_model(population(20, deviations=(6, 3))), 20) == ()
    (few,) = cautions_of(fit_shape_model(population(19, deviations=(6, 3))), 19)
    assert "of 19 training subjects: 1 of 20 new subjects" in few
    (wide,) = cautions_of(fit_shape_model(population(24, deviations=[1.0] * 30)), 24)
    assert "modes hold 95 % of the shape model's variance, which needs" in wide
    assert "there are 24, and distances are measured in 11 modes" in wide


def test_distances_along_many_modes_of_few_subjects_are_too_large():
    count, modes, squares = 24, 10, []  # N = 2 J + 4
    for seed in range(400):
        world = population(count + 1, seed, deviations=[1.0] * modes)
        model = fit_shape_model(world[:-1])
        squares.append(mahalanobis_of(standard_scores(model, world[-1])) ** 2)
    expected = modes * (count**2 - 1) / (count * (count - modes - 2))
    assert np.mean(squares) == pytest.approx(expected, rel=0.1)
    assert expected / modes == pytest.approx(2, abs=0.01)
