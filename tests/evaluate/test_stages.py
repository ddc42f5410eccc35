"""The stages on a results folder whose errors are known."""

import numpy as np
import pandas as pd
import pytest

from massm.evaluate.attrition import count_organs
from massm.evaluate.truth import read_subjects
from massm.io.errors import DataError
from massm.io.tables import read_table
from tests.evaluate.synthetic import ABSENT, EXCLUDED, MISSED, SIZES, ellipsoid, sphere, truth


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
        & (summary["head"] == "local")
        & (summary["anatomy"] == anatomy)
        & (summary["measure"] == "surface_mean")
    ].set_index("counting")
    assert (row["n"]["found"], row["missed"]["found"]) == (3, 1)
    assert (row["n"]["with_missed"], row["missed"]["with_missed"]) == (4, 1)


def test_a_missed_organ_costs_what_the_mean_shape_at_the_images_center_is_off(tables):
    missed = read_table(tables / "missed.csv")
    subject, anatomy = MISSED
    assert set(missed["model"]) == {"massm", "mean_shape"}
    assert set(zip(missed["subject"], missed["anatomy"], strict=True)) == {MISSED}
    # the image of 44 x 32 x 26 voxels of 3 mm begins at -66, -48, -39
    middle = np.array([-66.0, -48, -39]) + 3 * (np.array([44, 32, 26]) - 1) / 2
    organ = ellipsoid(subject, anatomy)
    center = values(missed, model="massm", measure="center_error")
    assert center == pytest.approx([np.linalg.norm(middle - organ.center)], abs=0.5)
    offset = middle - organ.center + sphere(48) * (np.array(SIZES[anatomy]) - organ.radii)
    particles = values(missed, model="massm", measure="particle_euclidean")
    assert particles == pytest.approx([np.linalg.norm(offset, axis=1).mean()], rel=1e-4)
    assert values(missed, model="massm", measure="surface_mean") > 8
    assert len(values(missed, model="massm", measure="dice")) == 1


def test_the_organs_of_the_split_are_all_accounted_for(tables):
    organs = read_table(tables / "organs.csv")
    assert set(organs["split"]) == {"test"}
    parts = organs[["excluded", "missed", "without_surface", "measured"]].sum(axis=1)
    np.testing.assert_array_equal(parts, organs["in_data"])
    row = organs[(organs["anatomy"] == "kidney_left") & (organs["model"] == "massm")].iloc[0]
    named = ["in_data", "absent", "excluded", "missed", "measured"]
    assert row[named].to_list() == [5, 1, 1, 1, 3]
    assert row["reason"] == "1 x cut by the field of view"
    total = organs[(organs["scope"] == "all") & (organs["model"] == "truth")].iloc[0]
    assert total[["in_data", "missed", "measured"]].to_list() == [11, 0, 10]


def test_distances_to_the_mask_itself_stand_beside_those_to_the_groomed_surface(tables):
    local = read_table(tables / "truth" / "local.csv")
    groomed, mask = (values(local, measure=f"surface_mean{end}") for end in ("", "_mask"))
    assert (groomed < 1e-6).all()  # the synthetic groomed surface is the true one
    assert (mask > 0.2).all()  # voxels of 3 mm
    assert (mask < 1).all()
    world = read_table(tables / "truth" / "world.csv")
    assert not world["measure"].str.endswith("_mask").any()


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
    here = here[here["counting"] == "found"]
    better = here[here["scope"] == "all"].set_index("model_b")["better"]
    assert better.to_dict() == {"mean_shape": "a", "pca_oracle": "b", "truth": "b"}
    np.testing.assert_allclose(here[here["model_b"] == "mean_shape"]["difference_percent"], -50)


def test_a_split_without_subjects_is_refused(evaluated, tmp_path):
    where = truth(evaluated)
    where["cohort"] = tmp_path / "other.tsv"
    cohort = read_table(evaluated / "dataset" / "cohort.tsv")
    cohort[cohort["split"] != "test"].to_csv(where["cohort"], sep="\t", index=False)
    with pytest.raises(DataError, match="split 'test'"):
        read_subjects(**where, splits=("test",))


def test_organs_of_subjects_that_are_in_no_split_are_counted_apart(evaluated, tables):
    cohort = read_table(evaluated / "dataset" / "cohort.tsv")
    lost = cohort[cohort["subject"] == "s7"].assign(subject="s99", split="", status="excluded")
    lost["reason"] = "subject excluded: image truncated"
    groomed = read_table(truth(evaluated)["groomed"][0])
    measured = read_table(tables / "massm" / "local.csv")
    organs = count_organs(pd.concat([cohort, lost]), groomed, measured)
    beside = organs[(organs["split"] == "") & (organs["scope"] == "all")].iloc[0]
    assert (beside["in_data"], beside["excluded"]) == (2, 2)
    assert beside["reason"] == "2 x image truncated"
    assert set(organs["split"]) == {"", "test"}
