"""The four stages on a results folder whose errors are known."""

import numpy as np
import pytest

from massm.evaluate.truth import read_subjects
from massm.io.errors import DataError
from massm.io.tables import read_table
from tests.evaluate.synthetic import ABSENT, EXCLUDED, MISSED, truth


@pytest.fixture(scope="module")
def tables(evaluated):
    return evaluated / "evaluate"


def values(table, **key):
    for name, value in key.items():
        table = table[table[name] == value]
    return table["value"].to_numpy()


def test_a_shift_of_2_mm_is_measured_as_such(tables):
    local = read_table(tables / "massm" / "local.csv")
    np.testing.assert_allclose(values(local, measure="particle_rmse_x"), 2)
    np.testing.assert_allclose(values(local, measure="particle_rmse"), 2 / 3)
    np.testing.assert_allclose(values(local, measure="particle_euclidean"), 2)
    distance = values(local, measure="surface_hausdorff")
    assert (distance < 2.01).all()
    assert (distance > 1.9).all()
    np.testing.assert_allclose(
        values(local, measure="surface_mean"), values(local, measure="surface_mean_particles")
    )
    dice = values(local, measure="dice")
    assert (dice > 0.75).all()
    assert (dice < 0.97).all()


def test_world_errors_are_those_of_the_turned_prediction(tables):
    world = read_table(tables / "massm" / "world.csv")
    assert set(world["head"]) == {"cvae", "procrustes"}
    np.testing.assert_allclose(values(world, measure="particle_euclidean"), 2)
    turned = 2 * (np.cos(np.deg2rad(10)) + np.sin(np.deg2rad(10))) / 3
    np.testing.assert_allclose(values(world, measure="particle_rmse"), turned)
    local = read_table(tables / "massm" / "local.csv")
    np.testing.assert_allclose(
        values(world, head="cvae", measure="surface_mean", subject="s6"),
        values(local, measure="surface_mean", subject="s6"),
        rtol=1e-6,
    )


def test_a_missed_organ_counts_and_has_no_surface_rows(tables):
    detection = read_table(tables / "massm" / "detection.csv")
    subject, anatomy = MISSED
    assert values(detection, subject=subject, anatomy=anatomy, measure="missed") == 1
    assert values(detection, measure="missed").sum() == 1
    local = read_table(tables / "massm" / "local.csv")
    assert len(values(local, subject=subject, anatomy=anatomy)) == 0
    summary = read_table(tables / "summary.csv")
    row = summary[
        (summary["model"] == "massm")
        & (summary["anatomy"] == anatomy)
        & (summary["measure"] == "surface_mean")
    ].iloc[0]
    assert (row["n"], row["missed"]) == (3, 1)


def test_only_an_absent_organ_can_be_a_false_positive(tables):
    detection = read_table(tables / "massm" / "detection.csv")
    assert len(values(detection, measure="false_positive")) == 1
    assert values(detection, subject=ABSENT[0], anatomy=ABSENT[1], measure="false_positive") == 1
    assert len(values(detection, subject=EXCLUDED[0], anatomy=EXCLUDED[1])) == 0


def test_center_error_is_the_shift(tables):
    detection = read_table(tables / "mean_shape" / "detection.csv")
    np.testing.assert_allclose(values(detection, measure="center_error"), 4)
    assert values(detection, measure="center_within_3mm").sum() == 0


def test_massm_beats_the_mean_and_loses_to_the_oracle(tables):
    tests = read_table(tables / "tests.csv")
    here = tests[(tests["measure"] == "particle_euclidean") & (tests["head_a"] == "local")]
    better = here[here["anatomy"] == "all"].set_index("model_b")["better"]
    assert better.to_dict() == {"mean_shape": "a", "pca_oracle": "b"}
    np.testing.assert_allclose(here[here["model_b"] == "mean_shape"]["difference_percent"], -50)


def test_a_split_without_subjects_is_refused(evaluated, tmp_path):
    where = truth(evaluated)
    where["cohort"] = tmp_path / "other.tsv"
    cohort = read_table(evaluated / "dataset" / "cohort.tsv")
    cohort[cohort["split"] != "test"].to_csv(where["cohort"], sep="\t", index=False)
    with pytest.raises(DataError, match="split 'test'"):
        read_subjects(**where, splits=("test",))
