"""The model folder: what is in it, what is refused, and that it predicts as the pipeline does."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from massm.config.predict import NetworkPredictionConfig
from massm.config.reconstruct import ReconstructConfig
from massm.geometry.boxes import box_of
from massm.inference.bundle import SHAPES, load_bundle, write_bundle
from massm.inference.scan import predict_scan
from massm.io import documents, images, meshes, predictions, tensors
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.particles import load_arrays, save_set
from massm.models.saved import DESCRIPTION, WEIGHTS
from massm.stages import bundle as bundle_stage
from massm.stages import predict, reconstruct, reconstruct_warp, tensors_manifest
from massm.stages import tensors as tensors_stage
from massm.training import fit as fitting
from tests.toy_cohort import (
    ANATOMIES,
    PARTICLES,
    TENSORS,
    Cohort,
    hull,
    model_config,
    sphere_points,
    train_config,
)

PREFIX = "patient-"
RECONSTRUCT = ReconstructConfig(regularization_mm=0.1)
BOX_UPDATES = 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on scans with a name, from the images to surfaces, and its model folder."""
    folder = tmp_path_factory.mktemp("run")
    cohort = Cohort(prefix=PREFIX)
    _write_cohort(cohort, folder)
    _make_tensors(cohort, folder)
    network = model_config(refine={"steps": 1}, world={"pretrain_steps": 20})
    fitting.fit(train_config(epochs=1), network, folder, folder / "train")
    bundle_stage.run(
        RECONSTRUCT,
        box_updates=BOX_UPDATES,
        anatomies=list(ANATOMIES),
        train=folder / "train",
        correspond=[folder / f"{name}.npz" for name in ANATOMIES],
        templates=[folder / f"{name}.vtp" for name in ANATOMIES],
        output=folder / "models/massm",
    )
    return SimpleNamespace(cohort=cohort, folder=folder)


def _write_cohort(cohort, folder):
    cohort.write_tables(folder)
    for name in ANATOMIES:
        found = cohort.particles[name]
        save_set(found, folder / f"{name}.npz")
        center, radii = box_of(found.local[0])
        meshes.write(hull(sphere_points(150) * radii + center), folder / f"{name}.vtp")
        documents.write_json({"subject": found.subjects[0]}, folder / f"{name}.json")


def _make_tensors(cohort, folder):
    sets = [folder / f"{name}.npz" for name in ANATOMIES]
    tensors_stage.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subjects=list(cohort.subjects),
        cohort=folder / "cohort.tsv",
        subject_table=folder / "subjects.tsv",
        correspond=sets,
        output=folder / "subjects",
        done=folder / "batches/0000.tsv",
    )
    tensors_manifest.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subject_table=folder / "subjects.tsv",
        correspond=sets,
        templates=[folder / f"{name}.vtp" for name in ANATOMIES],
        subjects=sorted((folder / "subjects").iterdir()),
        manifest=folder / "manifest.json",
        template=folder / "template.safetensors",
    )


def predicted_by_stages(run, output):
    """What the pipeline makes of the validation subjects: arrays and surfaces."""
    config = NetworkPredictionConfig(
        splits=("validation",),
        batch_size=2,
        box_updates=BOX_UPDATES,
        accelerator="cpu",
        threads=1,
    )
    predict.run(config, tensors=run.folder, train=run.folder / "train", output=output / "predict")
    for name in ANATOMIES:
        reconstruct_warp.run(
            RECONSTRUCT,
            anatomy=name,
            template=run.folder / f"{name}.vtp",
            record=run.folder / f"{name}.json",
            particles_file=run.folder / f"{name}.npz",
            warp=output / "warp" / f"{name}.npz",
        )
    reconstruct.run(
        model="massm",
        predictions=sorted((output / "predict").iterdir()),
        warps=[output / "warp" / f"{name}.npz" for name in ANATOMIES],
        results=output,
        index=output / "index.tsv",
    )
    return sorted((output / "predict").iterdir())


def test_a_scan_becomes_what_the_pipeline_makes_of_it(run, tmp_path):
    files = predicted_by_stages(run, tmp_path)
    moved = shutil.copytree(run.folder / "models/massm", tmp_path / "carried away")
    bundle = load_bundle(moved)
    surfaces = 0
    for path in files:
        scan = images.read_scan(run.folder / "ct" / f"{path.stem}.nii.gz")
        prediction, found = predict_scan(scan.volume, bundle)
        predictions.write(prediction, tmp_path / "scan.npz")
        arrays, expected = load_arrays(tmp_path / "scan.npz"), load_arrays(path)
        assert set(arrays) == set(expected)
        for name in set(expected) - {"anatomies"}:
            np.testing.assert_allclose(arrays[name], expected[name], atol=1e-3)
        folder = tmp_path / "reconstruct/massm" / path.stem
        assert set(found) == {file.stem for file in folder.iterdir() if "-" not in file.stem}
        for anatomy, mesh in found.items():
            reference = meshes.read(folder / f"{anatomy}.vtp")
            np.testing.assert_allclose(mesh.vertices, reference.vertices, atol=1e-3)
            np.testing.assert_array_equal(mesh.faces, reference.faces)
            surfaces += 1
    assert surfaces > 0


def test_the_folder_holds_the_model_its_shapes_and_what_made_it(run):
    folder = run.folder / "models/massm"
    bundle = load_bundle(folder)
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, SHAPES, DESCRIPTION}
    assert bundle.description.anatomies == ANATOMIES
    assert bundle.box_updates == BOX_UPDATES
    assert bundle.versions["torch"]
    for name in ANATOMIES:
        shapes, training = bundle.shapes[name], run.cohort.particles[name].of_split("train")
        np.testing.assert_array_equal(shapes.particles, training.local[0])
        assert shapes.regularization_mm == RECONSTRUCT.regularization_mm
        np.testing.assert_allclose(shapes.model.mean, training.world.mean(0))
        nearest = shapes.model.project(training.world, None)
        np.testing.assert_allclose(nearest, training.world, atol=1e-3)  # three radii: three modes


def test_no_training_subject_is_named(run):
    for path in (run.folder / "models/massm").iterdir():
        assert PREFIX.encode() not in path.read_bytes(), path.name


@pytest.fixture
def folder(run, tmp_path):
    """A copy of the model folder, to be spoilt."""
    return shutil.copytree(run.folder / "models/massm", tmp_path / "model")


@pytest.mark.parametrize("name", [WEIGHTS, SHAPES])
def test_a_changed_file_is_refused_with_both_hashes(folder, name):
    expected = digest(folder / name)
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    found = digest(folder / name)
    with pytest.raises(
        DataError, match=f"{name} is not .* SHA-256 is {found}, expected {expected}"
    ):
        load_bundle(folder)


@pytest.mark.parametrize("name", [WEIGHTS, SHAPES, DESCRIPTION])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"lacks {name}; take the whole folder"):
        load_bundle(folder)


def rewrite(folder, **facts):
    """Change what the description says of the bundle."""
    document = json.loads((folder / DESCRIPTION).read_text())
    document["bundle"] |= facts
    documents.write_json(document, folder / DESCRIPTION)


def test_a_newer_folder_is_refused_and_says_to_update(folder):
    rewrite(folder, schema=2)
    with pytest.raises(DataError, match="schema 2 is newer .* reads up to 1; update massm"):
        load_bundle(folder)


def test_a_newer_description_is_refused_and_says_to_update(folder):
    document = json.loads((folder / DESCRIPTION).read_text())
    documents.write_json(document | {"version": 99}, folder / DESCRIPTION)
    with pytest.raises(DataError, match="version 99 is newer .*; update massm"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "facts",
    [{"schema": None}, {"files": {}}, {"files": None}, {"box_updates": "x"}, {"versions": 3}],
)
def test_a_description_that_lacks_something_is_refused(folder, facts):
    rewrite(folder, **facts)
    with pytest.raises(DataError, match=r"model\.json"):
        load_bundle(folder)


def test_a_trained_model_alone_is_no_model_folder(run):
    with pytest.raises(DataError, match="without its shapes"):
        load_bundle(run.folder / "train")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("particles", lambda array: array[1:], r"particles is \(23, 3\), expected 24 x 3"),
        ("mean", lambda array: array * np.nan, "mean holds what is no finite number"),
        ("faces", lambda array: array + 1, "faces names other than 150 vertices"),
    ],
)
def test_shapes_that_do_not_fit_the_model_are_refused(folder, name, change, message):
    arrays = tensors.load(folder / SHAPES)
    arrays[f"dark/{name}"] = change(arrays[f"dark/{name}"])
    tensors.save(arrays, folder / SHAPES)
    rewrite(folder, files={each: digest(folder / each) for each in (WEIGHTS, SHAPES)})
    with pytest.raises(DataError, match=f"dark/{message}"):
        load_bundle(folder)


def test_a_template_of_another_number_of_particles_is_not_written(run, tmp_path):
    shapes = load_bundle(run.folder / "models/massm").shapes
    shapes["dark"] = replace(shapes["dark"], particles=shapes["dark"].particles[1:])
    with pytest.raises(DataError, match=f"dark: the template has 23 .* with {PARTICLES}"):
        write_bundle(run.folder / "train", shapes, BOX_UPDATES, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_anatomy_without_a_shape_is_named(run, tmp_path):
    shapes = {"bright": load_bundle(run.folder / "models/massm").shapes["bright"]}
    with pytest.raises(DataError, match="predicts dark, for which there is no shape"):
        write_bundle(run.folder / "train", shapes, BOX_UPDATES, tmp_path)


def test_a_prediction_that_makes_no_surface_is_named(run):
    bundle = load_bundle(run.folder / "models/massm")
    few = bundle.shapes["bright"].particles[:12]
    bundle.shapes["bright"] = replace(bundle.shapes["bright"], particles=few)
    always = replace(bundle.description, thresholds=dict.fromkeys(ANATOMIES, 0.0))
    volume = run.cohort.volumes[run.cohort.subjects[0]]
    with pytest.raises(DataError, match="ct7: bright has no surface: the template has 12"):
        predict_scan(volume, replace(bundle, description=always), name="ct7")
