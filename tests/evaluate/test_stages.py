"""The stages on a results folder whose errors are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from massm.evaluate.attrition import count_anatomies
from massm.evaluate.truth import read_subjects
from massm.geometry.alignment import apply_transform
from massm.io import predictions
from massm.io.cohort import read_cohort, read_groomed, write_cohort
from massm.io.errors import DataError
from massm.io.tables import read_table, write_table
from massm.stages import (
    evaluate_detection,
    evaluate_local,
    evaluate_missed,
    evaluate_summary,
    evaluate_world,
)
from tests.evaluate.synthetic import (
    ABSENT,
    ANATOMIES,
    BOUNDS,
    CONFIG,
    EXCLUDED,
    MISSED,
    OUTPUTS,
    SIZES,
    WORLD_SIZES,
    ellipsoid,
    truth,
)
from tests.toy_cohort import sphere_points


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
        rtol=5e-3,  # other points of the same surface: they are spread along the frame's axes
    )


def test_predictions_are_measured_against_the_span_of_the_training_shapes(tables):
    """A shift along x is a translation, which the aligned shapes do not have among their modes."""
    world = {m: read_table(tables / m / "world.csv") for m in ("massm", "truth")}
    truth_of, ours = (
        values(world[m], head="procrustes", anatomy="spleen", measure="span_distance")
        for m in ("truth", "massm")
    )
    assert (truth_of > 0).all()
    assert (ours > truth_of).all()
    assert (ours <= truth_of + 2 + 1e-9).all()  # 2 mm of shift at most


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
    offset = middle - organ.center + sphere_points(48) * (np.array(SIZES[anatomy]) - organ.radii)
    own = missed[(missed["model"] == "massm") & (missed["head"] == "local")]
    particles = values(own, measure="particle_euclidean")
    assert particles == pytest.approx([np.linalg.norm(offset, axis=1).mean()], rel=1e-4)
    assert values(own, measure="surface_mean") > 8
    assert len(values(missed, model="massm", measure="dice")) == 1


def test_a_missed_organ_costs_the_mean_shapes_error_in_the_populations_frame_too(tables):
    missed = read_table(tables / "missed.csv")
    subject, anatomy = MISSED
    organ = ellipsoid(subject, anatomy)
    mean = sphere_points(48) * WORLD_SIZES[anatomy]
    turned = apply_transform(organ.transform, organ.local(sphere_points(48)))
    for head in ("cvae", "procrustes"):
        found = values(missed, model="massm", head=head, measure="particle_euclidean")
        expected = np.linalg.norm(mean - turned, axis=1).mean()
        assert found == pytest.approx([expected], rel=1e-4)
    summary = read_table(tables / "summary.csv")
    row = summary[
        (summary["model"] == "massm")
        & (summary["head"] == "cvae")
        & (summary["anatomy"] == anatomy)
        & (summary["measure"] == "particle_rmse")
    ].set_index("counting")
    assert (row["n"]["found"], row["n"]["with_missed"]) == (3, 4)


def test_claims_are_tried_on_the_measures_of_the_run(tables):
    claims = read_table(tables / "claims.csv")
    told = claims[(claims["scope"] == "all") & (claims["counting"] == "found")]
    held = told[told["claim"] == "a"].set_index("measure")
    assert held["verdict"].to_dict() == {"particle_rmse": "held", "surface_mean": "held"}
    assert set(held["model_b"]) == {"mean_shape"}
    best = told[told["claim"] == "b"]
    assert set(zip(best["model_b"], best["head_b"], best["verdict"], strict=True)) == {
        ("massm", "cvae", "undecided"),  # six subjects: p = 2 / 2^6, twice that after Holm
        ("massm", "procrustes", "undecided"),
    }
    left = claims[claims["claim"] == "c"]
    assert left["verdict"].to_list() == ["left out"]
    assert left["note"].to_list() == ["deepssm_local is not in the run"]


def test_the_organs_of_the_split_are_all_accounted_for(tables):
    counts = read_table(tables / "anatomies.csv")
    assert set(counts["split"]) == {"test"}
    parts = counts[["excluded", "missed", "without_surface", "measured"]].sum(axis=1)
    np.testing.assert_array_equal(parts, counts["in_data"])
    row = counts[(counts["anatomy"] == "kidney_left") & (counts["model"] == "massm")].iloc[0]
    named = ["in_data", "absent", "excluded", "missed", "measured"]
    assert row[named].to_list() == [5, 1, 1, 1, 3]
    assert row["reason"] == "1 x cut by the field of view"
    total = counts[(counts["scope"] == "all") & (counts["model"] == "truth")].iloc[0]
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
    cohort = read_cohort(evaluated / "dataset" / "cohort.tsv")
    write_cohort([row for row in cohort if row.split != "test"], where["cohort"])
    with pytest.raises(DataError, match="split 'test'"):
        read_subjects(**where, splits=("test",))


def test_organs_of_subjects_that_are_in_no_split_are_counted_apart(evaluated, tables):
    cohort = read_cohort(evaluated / "dataset" / "cohort.tsv")
    unread = {"split": "", "status": "excluded", "reason": "subject excluded: image truncated"}
    lost = [replace(row, subject="s99", **unread) for row in cohort if row.subject == "s7"]
    groomed = read_groomed(truth(evaluated)["groomed"])
    measured = read_table(tables / "massm" / "local.csv")
    counts = count_anatomies([*cohort, *lost], groomed, measured)
    beside = counts[(counts["split"] == "") & (counts["scope"] == "all")].iloc[0]
    assert (beside["in_data"], beside["excluded"]) == (2, 2)
    assert beside["reason"] == "2 x image truncated"
    assert set(counts["split"]) == {"", "test"}


PARTS = {
    "world alone": {"boxes": None, "local": None},
    "particles without boxes": {"boxes": None},
    "boxes alone": {"local": None, "world": {}},
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_a_model_is_measured_by_the_parts_that_it_gives(evaluated, tables, tmp_path, parts):
    """Of massm without some parts: the rows of the others are the same, and no row is made up."""
    for path in (evaluated / "predict" / "massm").iterdir():
        predictions.write(
            replace(predictions.read(path), **parts), tmp_path / "predict" / path.name
        )
    for path in (evaluated / "reconstruct" / "massm").glob("*/*.vtp"):
        if parts.get("local", True) is not None or "-world_" in path.name:
            copy = tmp_path / "surfaces" / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    kept = measure(evaluated, tmp_path)

    has_boxes, has_local = ("boxes" not in parts), ("local" not in parts)
    places = ["center_error", "box_iou", "center_within_3mm"]
    before = {name: read_table(tables / "massm" / f"{name}.csv") for name in kept}
    if not has_boxes:
        rows = before["detection"]
        before["detection"] = rows[~rows["measure"].isin(places)]
    if not has_local:
        before["local"] = before["local"][:0]
    if "world" in parts:
        before["world"] = before["world"][:0]
    for name, table in before.items():
        pd.testing.assert_frame_equal(
            kept[name].astype(str), table.astype(str).reset_index(drop=True)
        )


def measure(evaluated, folder):
    common = truth(evaluated) | {"model": "massm", "predictions": folder / "predict"}
    surfaces = {
        "surfaces": folder / "surfaces",
        "references": evaluated / "reconstruct" / "reference",
    }
    evaluate_local.run(CONFIG, **common, **surfaces, table=folder / "local.csv")
    evaluate_world.run(CONFIG, **common, **surfaces, table=folder / "world.csv")
    evaluate_detection.run(CONFIG, **common, table=folder / "detection.csv")
    return {name: read_table(folder / f"{name}.csv") for name in ("local", "world", "detection")}


@pytest.mark.parametrize(
    ("parts", "heads"),
    [
        ({"boxes": None, "local": None}, {"cvae", "procrustes"}),
        ({"boxes": None}, {"local", "cvae", "procrustes"}),
        ({"local": None, "world": {}}, {"detection"}),
    ],
)
def test_a_missed_organ_costs_a_model_something_in_the_parts_that_it_gives(
    evaluated, tmp_path, parts, heads
):
    for path in (evaluated / "predict" / "massm").iterdir():
        predictions.write(
            replace(predictions.read(path), **parts), tmp_path / "predict" / path.name
        )
    evaluate_missed.run(
        CONFIG,
        **truth(evaluated),
        models=["massm"],
        anatomies=list(ANATOMIES),
        predictions=[tmp_path / "predict"],
        template=evaluated / "tensors" / "template.safetensors",
        warps=[evaluated / "reconstruct" / "warp" / f"{name}.npz" for name in ANATOMIES],
        references=evaluated / "reconstruct" / "reference",
        table=tmp_path / "missed.csv",
    )
    missed = read_table(tmp_path / "missed.csv")
    assert set(missed["head"]) == heads


def test_a_missing_surface_of_a_model_with_local_particles_is_an_error(evaluated, tmp_path):
    common = truth(evaluated) | {"model": "massm", "predictions": evaluated / "predict" / "massm"}
    with pytest.raises(DataError, match=r"\.vtp: no such file"):
        evaluate_local.run(
            CONFIG,
            **common,
            surfaces=tmp_path,
            references=evaluated / "reconstruct" / "reference",
            table=tmp_path / "local.csv",
        )


def test_tables_of_a_model_that_gives_world_particles_alone_are_summed_up(
    evaluated, tables, tmp_path
):
    """Beside the others: it has counts and world errors, and no error in the image."""
    for name, keep in {"world": [], "detection": ["center_error", "box_iou"]}.items():
        table = read_table(tables / "massm" / f"{name}.csv").assign(model="lone")
        write_table(table[~table["measure"].isin(keep)], tmp_path / f"{name}.csv")
    write_table(read_table(tables / "massm" / "local.csv")[:0], tmp_path / "local.csv")
    evaluate_summary.run(
        CONFIG.model_copy(update={"bootstrap_samples": 20}),
        measured=sorted([*(tables / "massm").glob("*.csv"), *tmp_path.glob("*.csv")]),
        missed=tables / "missed.csv",
        cohort=truth(evaluated)["cohort"],
        groomed=truth(evaluated)["groomed"],
        **{name: tmp_path / "all" / f"{name}.csv" for name in OUTPUTS},
        bounds=list(BOUNDS),
    )
    summary = read_table(tmp_path / "all" / "summary.csv")
    own = summary[summary["model"] == "lone"]
    assert set(own["head"]) == {"cvae", "procrustes", "detection"}
    assert set(own["measure"]).isdisjoint({"center_error", "box_iou"})
    tests = read_table(tmp_path / "all" / "tests.csv")
    assert set(tests[tests["model_b"] == "lone"]["frame"]) == {"world"}
    counts = read_table(tmp_path / "all" / "anatomies.csv")
    row = counts[(counts["model"] == "lone") & (counts["anatomy"] == "spleen")].iloc[0]
    assert (row["missed"], row["measured"], row["without_surface"]) == (0, 6, 0)
