"""The stages around the tensors: export, manifest, and bounds."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from massm.config.models import section_of
from massm.config.predict import PredictConfig
from massm.io import documents, meshes, predictions, tensors
from massm.io.errors import DataError
from massm.io.particles import save_set
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.bounds import oracle_of
from massm.stages import predict, tensors_manifest
from massm.stages import tensors as tensors_stage
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from tests.toy_cohort import ANATOMIES, PARTICLES, TENSORS, Cohort, hull


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def results(cohort, tmp_path_factory):
    """A results folder as the stages before leave it, and the tensors stage run on it."""
    folder = tmp_path_factory.mktemp("results")
    cohort.write_tables(folder)
    for name in ANATOMIES:
        found = cohort.particles[name]
        save_set(found, folder / f"{name}.npz")
        meshes.write(hull(found.local[0]), folder / f"{name}.vtp")
        documents.write_json({"subject": found.subjects[0]}, folder / f"{name}.json")
    sets = [folder / f"{name}.npz" for name in ANATOMIES]
    tensors_stage.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subjects=list(cohort.subjects),
        cohort=folder / "cohort.tsv",
        subject_table=folder / "subjects.tsv",
        correspond=sets,
        output=folder / "tensors",
        done=folder / "batches" / "0000.tsv",
    )
    tensors_manifest.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subject_table=folder / "subjects.tsv",
        correspond=sets,
        templates=[folder / f"{name}.vtp" for name in ANATOMIES],
        subjects=sorted((folder / "tensors").glob("t*.safetensors"), reverse=True),
        manifest=folder / "tensors" / "manifest.json",
        template=folder / "tensors" / "template.safetensors",
    )
    return folder


def test_an_exported_organ_shows_at_its_particles(results):
    arrays = tensors.load(results / "tensors" / "t0.safetensors")
    assert arrays["image"].dtype == np.int16
    assert arrays["presence"].tolist() == [1, 1]
    index = np.rint((arrays["center"] - arrays["origin"]) / TENSORS.spacing_mm).astype(int)
    bright, dark = (arrays["image"][z, y, x] for x, y, z in index)
    assert bright > 200
    assert dark < -200
    fine = np.rint((arrays["center"] - arrays["fine_origin"]) / TENSORS.fine_spacing_mm)
    x, y, z = fine[0].astype(int)
    assert arrays["fine"][z, y, x] > 200


def test_an_absent_organ_has_presence_zero_and_no_particles(results):
    arrays = tensors.load(results / "tensors" / "t3.safetensors")
    assert arrays["presence"].tolist() == [1, 0]
    assert np.isnan(arrays["center"][1]).all()


def test_the_manifest_names_files_by_their_hash(results, cohort):
    manifest = read_manifest(results / "tensors" / "manifest.json")
    assert [entry.subject for entry in manifest.subjects] == sorted(cohort.subjects)
    assert manifest.particles == PARTICLES
    for entry in manifest.subjects:
        data = (results / "tensors" / entry.file).read_bytes()
        assert entry.sha256 == hashlib.sha256(data).hexdigest()
        assert entry.split == cohort.splits[cohort.subjects.index(entry.subject)]


def test_statistics_are_those_of_the_training_split(results, cohort):
    manifest = read_manifest(results / "tensors" / "manifest.json")
    values = np.concatenate(
        [
            tensors.load(results / "tensors" / entry.file)["image"].ravel()
            for entry in manifest.of_split("train")
        ]
    )
    low, high = np.percentile(values, [0.5, 99.5], method="inverted_cdf")
    clipped = values.clip(low, high)
    assert manifest.preprocessing.intensity.low == low
    assert manifest.preprocessing.intensity.high == high
    assert manifest.preprocessing.intensity.mean == pytest.approx(clipped.mean())
    assert manifest.preprocessing.intensity.std == pytest.approx(clipped.std())


def test_a_subject_that_is_not_in_the_table_is_named(results, tmp_path):
    with pytest.raises(DataError, match="stranger is not in"):
        tensors_stage.run(
            TENSORS,
            anatomies=list(ANATOMIES),
            subjects=["stranger"],
            cohort=results / "cohort.tsv",
            subject_table=results / "subjects.tsv",
            correspond=[results / f"{name}.npz" for name in ANATOMIES],
            output=tmp_path,
            done=tmp_path / "0000.tsv",
        )


def found_by_a_model(boxes):
    """Of the two anatomies the first is found; there are no particles."""
    score, present = np.array([0.9, 0.1]), np.array([True, False])
    return SubjectPrediction(ANATOMIES, present, score, boxes, None, {})


def predict_with(results, output, family, *, split="validation", boxes=(), **values):
    """Run the stage predict for a family without training."""
    predict.run(
        PredictConfig(splits=(split,), batch_size=1, accelerator="cpu", threads=1),
        model=section_of({"family": family, "label": None, **values}),
        tensors=results / "tensors",
        boxes=list(boxes),
        correspond=[results / f"{name}.npz" for name in ANATOMIES],
        output=output,
    )


def test_mean_shape_stands_at_the_predicted_center(results, tmp_path):
    center = np.array([[1.0, 2, 3], [np.nan] * 3])
    boxes = [tmp_path / "massm" / f"{name}.npz" for name in ("t6", "t7")]
    for path in boxes:
        predictions.write(found_by_a_model(PredictedBoxes(center, 0 * center + 5)), path)
    template = results / "tensors" / "template.safetensors"
    predict_with(results, tmp_path / "mean", "mean_shape", boxes=boxes, boxes_of="massm")
    found = predictions.read(tmp_path / "mean" / "t6.npz")
    box, shapes = found.box(ANATOMIES[0]), load_template(template)
    mean = shapes.mean_local.numpy()[0]
    assert np.allclose(box.center, [1, 2, 3], atol=1e-4)
    assert np.allclose(box.radius, np.ptp(mean, axis=0) / 2, atol=1e-4)
    assert np.allclose(found.local_of(ANATOMIES[0]), mean + [1, 2, 3], atol=1e-4)
    assert np.array_equal(found.world_of(ANATOMIES[0])["mean"], shapes.mean_world.numpy()[0])
    assert np.isnan(found.local[1]).all()
    assert np.isnan(found.world["mean"][1]).all()
    assert found.present.tolist() == [True, False]
    assert found.score.tolist() == [0.9, 0.1]


def test_mean_shape_has_no_place_where_a_model_gives_no_boxes(results, tmp_path):
    boxes = tmp_path / "t6.npz"
    predictions.write(found_by_a_model(None), boxes)
    with pytest.raises(DataError, match="massm has no boxes of t6"):
        predict_with(results, tmp_path / "mean", "mean_shape", boxes=[boxes], boxes_of="massm")


def test_a_subject_whose_boxes_were_not_predicted_is_named(results, tmp_path):
    with pytest.raises(DataError, match="t6: the model whose boxes are read has no prediction"):
        predict_with(results, tmp_path / "mean", "mean_shape", boxes_of="massm")


def test_the_oracle_stays_in_the_span_of_the_modes(results, cohort, tmp_path):
    predict_with(results, tmp_path, "pca_oracle", modes=3)
    found = predictions.read(tmp_path / "t6.npz")
    row = cohort.particles["bright"].row("t6")
    # Three radii are three modes: the projection is the shape itself, at its place.
    assert np.allclose(found.local[0], cohort.particles["bright"].local[row], atol=1e-6)
    assert found.present.tolist() == [True, True]
    absent = predictions.read(tmp_path / "t7.npz")
    assert absent.present.tolist() == [True, False]
    assert np.isnan(absent.local[1]).all()


def test_a_models_name_in_place_of_modes_has_to_be_resolved_first(results, tmp_path):
    with pytest.raises(ValueError, match="modes: massm is a model; resolve"):
        predict_with(results, tmp_path, "pca_oracle", modes="massm")


def test_all_modes_leave_less_error_than_some(cohort):
    particles = cohort.particles["bright"]
    row = particles.row("t6")
    noisy = replace(particles, world=particles.world + 0.5 * np.sin(particles.local * 7))
    errors = [
        np.linalg.norm(oracle_of("t6", noisy, modes)[1] - noisy.world[row])
        for modes in (1, 3, None)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > errors[2] > 0


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_truth_is_the_true_particles_of_any_split(results, cohort, tmp_path, split):
    predict_with(results, tmp_path, "truth", split=split)
    entries = read_manifest(results / "tensors" / "manifest.json").of_split(split)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(e.subject for e in entries)
    found = predictions.read(tmp_path / f"{entries[0].subject}.npz")
    particles = cohort.particles["bright"]
    row = particles.row(entries[0].subject)
    assert np.array_equal(found.local[0], particles.local[row])
    assert np.array_equal(found.world["truth"][0], particles.world[row])
