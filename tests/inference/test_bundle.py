"""The model folder: what is in it, what is refused, and that it predicts as the pipeline does."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch

from massm.config.bundle import BundleConfig
from massm.config.loading import load_config, merge, read_yaml
from massm.config.predict import PredictConfig
from massm.config.reconstruct import ReconstructConfig
from massm.geometry.boxes import box_of
from massm.geometry.volume import Volume
from massm.inference.bundle import Contents, halved, load_bundle, write_bundle
from massm.inference.describe import describe_scan
from massm.inference.fit import fit_shape, surface_of, write_fit
from massm.inference.folder import CARD, FITS, SHAPES
from massm.inference.outputs import OutputOptions, write_scan
from massm.inference.scan import predict_scan
from massm.inference.sources import open_scan
from massm.inference.statistics import standard_scores
from massm.io import documents, images, meshes, predictions, tables, tensors
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.particles import load_arrays, save_arrays, save_set
from massm.models.files import DESCRIPTION, WEIGHTS
from massm.pdm.fixed import freeze
from massm.stages import bundle as bundle_stage
from massm.stages import predict, pretrained, reconstruct, reconstruct_warp, tensors_manifest
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
ROOT = Path(__file__).parents[2]
SETTINGS = load_config(
    merge(read_yaml(ROOT / "config.yaml"), {"anatomies": list(ANATOMIES), "results": "results"})
)
RECONSTRUCT = ReconstructConfig(regularization_mm=0.1)
NETWORK = model_config(refine={"steps": 1}, world={"pretrain_steps": 20}, box_updates=1)
COUNTS = [
    {"anatomy": name, "train": 6, "validation": 2, "test": 0, "absent": absent, "excluded": 0}
    for name, absent in zip(ANATOMIES, (0, 2), strict=True)
]
ROW = {
    "split": "validation",
    "model": "massm",
    "head": "local",
    "scope": "anatomy",
    "anatomy": "bright",
    "measure": "surface_mean",
    "counting": "found",
    "unit": "mm",
    "n": 2,
    "subjects": 2,
    "missed": 0,
    "mean": 1.25,
    "median": 1.125,
    "sd": 0.1,
    "ci_low": 0.75,
    "ci_high": 1.75,
    "interval": "t",
    "note": "",
}
SUMMARY = [
    ROW,
    ROW | {"head": "detection", "measure": "missed", "counting": "known", "n": 4, "mean": 0.25},
    ROW | {"model": "mean_shape", "mean": 9.0},
    ROW | {"head": "cvae", "mean": 8.0},
    ROW | {"measure": "dice", "mean": 0.9, "ci_low": np.nan, "ci_high": np.nan},
]


FILES = {WEIGHTS, SHAPES, FITS, CARD, DESCRIPTION}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on scans with a name, from the images to surfaces, and its model folder."""
    folder = tmp_path_factory.mktemp("run")
    cohort = Cohort(prefix=PREFIX)
    _write_cohort(cohort, folder)
    _make_tensors(cohort, folder)
    saved = NETWORK.model_copy(update={"box_updates": 0})
    fitting.fit(train_config(epochs=1), saved, folder, folder / "train")
    make_bundle(folder, folder / "models/massm")
    return SimpleNamespace(cohort=cohort, folder=folder)


def bundle_config(**changes):
    data = {"name": "Toy", "citation": "Toy et al.", "license": None, "url": None, "remark": None}
    values = {"template": "medoid", "precision": "single", "fit": True, "metrics": True}
    return BundleConfig.model_validate(values | {"data": data} | changes)


def make_bundle(folder, output, intervals=None, trust=None, **changes):
    """Write the model folder of a run."""
    bundle_stage.run(
        bundle_config(**changes),
        reconstruct=RECONSTRUCT,
        groom=SETTINGS.groom,
        engine=SETTINGS.correspond,
        model=NETWORK,
        name="massm",
        confidence=0.9,
        anatomies=list(ANATOMIES),
        train=folder / "train",
        results=folder,
        output=output,
        summary=folder / "summary.csv",
        intervals=intervals,
        trust=trust,
    )
    return output


def _write_cohort(cohort, folder):
    cohort.write_tables(folder / "dataset")
    tables.write_table(pd.DataFrame(COUNTS), folder / "dataset/counts.tsv")
    tables.write_table(pd.DataFrame(SUMMARY), folder / "summary.csv")
    for name in ANATOMIES:
        _write_anatomy(name, cohort.particles[name], folder)


def _write_anatomy(name, found, folder):
    save_set(found, folder / f"correspond/{name}.npz")
    for subject, local in zip(found.subjects, found.local, strict=True):
        center, radii = box_of(local)
        surface = hull(sphere_points(150) * radii + center)
        meshes.write(surface, folder / f"groom/surfaces/{subject}/{name}.vtp")
    medoid = found.subjects[0]
    meshes.write(
        meshes.read(folder / f"groom/surfaces/{medoid}/{name}.vtp"), folder / f"template/{name}.vtp"
    )
    documents.write_json({"subject": medoid}, folder / f"template/{name}.json")
    pose = {"reference": medoid, "reference_anatomy": name, "reflected": False}
    documents.write_json(pose, folder / f"groom/alignment/{name}.json")
    train = found.of_split("train").world
    normals = train / np.linalg.norm(train, axis=-1, keepdims=True)
    coarse = hull(sphere_points(60) * 12)
    frozen = freeze(train, normals, coarse.vertices, coarse.faces, train[0], 1.0)
    save_arrays(frozen.arrays(), folder / f"correspond/{name}/model.npz")


def _make_tensors(cohort, folder):
    sets = [folder / f"correspond/{name}.npz" for name in ANATOMIES]
    tensors_stage.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subjects=list(cohort.subjects),
        cohort=folder / "dataset/cohort.tsv",
        subject_table=folder / "dataset/subjects.tsv",
        correspond=sets,
        output=folder / "subjects",
        done=folder / "batches/0000.tsv",
    )
    tensors_manifest.run(
        TENSORS,
        anatomies=list(ANATOMIES),
        subject_table=folder / "dataset/subjects.tsv",
        correspond=sets,
        templates=[folder / f"template/{name}.vtp" for name in ANATOMIES],
        subjects=sorted((folder / "subjects").iterdir()),
        manifest=folder / "manifest.json",
        template=folder / "template.safetensors",
    )


def predicted_by_stages(run, output):
    """What the pipeline makes of the validation subjects: arrays and surfaces."""
    config = PredictConfig(splits=("validation",), batch_size=2, accelerator="cpu", threads=1)
    predict.run(
        config,
        model=NETWORK,
        tensors=run.folder,
        train=[run.folder / "train"],
        output=output / "predict",
    )
    for name in ANATOMIES:
        reconstruct_warp.run(
            RECONSTRUCT,
            anatomy=name,
            template=run.folder / f"template/{name}.vtp",
            record=run.folder / f"template/{name}.json",
            particles_file=run.folder / f"correspond/{name}.npz",
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
        scan = images.read_scan(run.folder / "dataset/ct" / f"{path.stem}.nii.gz")
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
    assert {path.name for path in folder.iterdir()} == FILES
    assert bundle.description.anatomies == ANATOMIES
    assert bundle.description.model == NETWORK  # not as it was saved after training
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


@pytest.mark.parametrize("name", [WEIGHTS, SHAPES, FITS, CARD])
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


@pytest.mark.parametrize("name", sorted(FILES))
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
    rewrite(folder, schema=3)
    with pytest.raises(DataError, match="schema 3 is newer .* reads 2; update massm"):
        load_bundle(folder)


def test_a_newer_description_is_refused_and_says_to_update(folder):
    document = json.loads((folder / DESCRIPTION).read_text())
    documents.write_json(document | {"version": 99}, folder / DESCRIPTION)
    with pytest.raises(DataError, match="version 99 is newer .*; update massm"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "facts",
    [
        *({"schema": None}, {"schema": 1}, {"files": {}}, {"files": None}),
        *({"versions": 3}, {"groom": {}}, {"metrics": 1}, {"organs": None}),
        {"files": {"../elsewhere": "0"}},
    ],
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
    rewrite(folder, files={each: digest(folder / each) for each in FILES - {DESCRIPTION}})
    with pytest.raises(DataError, match=f"dark/{message}"):
        load_bundle(folder)


def test_a_template_of_another_number_of_particles_is_not_written(run, tmp_path):
    contents = contents_of(run)
    few = replace(contents.shapes["dark"], particles=contents.shapes["dark"].particles[1:])
    contents = replace(contents, shapes={**contents.shapes, "dark": few})
    with pytest.raises(DataError, match=f"dark: the template has 23 .* with {PARTICLES}"):
        write_bundle(run.folder / "train", contents, NETWORK, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_anatomy_without_a_shape_is_named(run, tmp_path):
    contents = contents_of(run)
    contents = replace(contents, shapes={"bright": contents.shapes["bright"]})
    with pytest.raises(DataError, match="predicts dark, for which there is no shape"):
        write_bundle(run.folder / "train", contents, NETWORK, tmp_path)


def contents_of(run):
    bundle = load_bundle(run.folder / "models/massm")
    return Contents(bundle.shapes, bundle.statistics, None, bundle.facts)


def test_a_prediction_that_makes_no_surface_is_named(run):
    bundle = load_bundle(run.folder / "models/massm")
    few = bundle.shapes["bright"].particles[:12]
    bundle.shapes["bright"] = replace(bundle.shapes["bright"], particles=few)
    always = replace(bundle.description, thresholds=dict.fromkeys(ANATOMIES, 0.0))
    volume = run.cohort.volumes[run.cohort.subjects[0]]
    with pytest.raises(DataError, match="ct7: bright has no surface: the template has 12"):
        predict_scan(volume, replace(bundle, description=always), name="ct7")


def test_the_folder_says_what_it_was_made_of_and_how_good_it_is(run):
    bundle = load_bundle(run.folder / "models/massm")
    assert bundle.facts.subjects == {"train": 6, "validation": 2, "test": 0}
    assert bundle.facts.organs["dark"]["absent"] == 2
    assert {row["measure"] for row in bundle.metrics} == {"surface_mean", "missed", "dice"}
    assert bundle.metrics[-1]["ci_low"] is None
    for name in ANATOMIES:
        training = run.cohort.particles[name].of_split("train")
        assert bundle.statistics[name].subjects == len(training.subjects)
        middle = np.median([hull(local).volume_ml for local in training.local])
        assert bundle.statistics[name].volume_ml[50] == pytest.approx(middle, rel=0.3)


def test_the_card_is_read_by_people(run):
    bundle = load_bundle(run.folder / "models/massm")
    card = bundle.card
    assert f"by the code of commit {bundle.description.trained['commit']}." in card
    assert "Not a medical device" in card
    assert "Trained on 6 scans of Toy; measured on 2 others (validation split)" in card
    assert "| bright | 3 of 4 | 1.25 [0.75, 1.75] | 1.12 | - | 0.90 | - | - |" in card
    assert "Mean with 90 % interval" in card
    assert "Toy et al." in card
    assert "**The template of each anatomy is the surface of one training subject" in card
    assert digest(run.folder / "models/massm" / WEIGHTS) in card


@pytest.fixture(scope="module")
def impersonal(run, tmp_path_factory):
    """A model folder without anybody's shape, its weights in half precision."""
    data = {"name": "Toy", "citation": "Toy et al.", "license": "MIT", "url": None}
    data["remark"] = "Read with care."
    folder = tmp_path_factory.mktemp("impersonal") / "model"
    return make_bundle(run.folder, folder, template="mean", precision="half", data=data)


def test_a_scan_with_voxels_that_are_no_number_is_refused(run):
    volume = run.cohort.volumes[run.cohort.subjects[0]]
    array = volume.array.astype(np.float32)
    array[0, :2, 0] = np.nan
    bundle = load_bundle(run.folder / "models/massm")
    with pytest.raises(DataError, match="ct7: image holds 2 voxels that are no number"):
        predict_scan(volume.with_array(array), bundle, name="ct7")


def test_half_precision_leaves_places_where_they_are():
    large = torch.full((24, 1024, 3), 149.97)
    state = {
        "local.template": large,
        "world.cvae.mean": large,
        "shrinkage.basis": large,
        "decoder.mean": large[0],
        "layer.weight": large[0, 0],
        "layer.scale": large[0, 0],
    }
    rounded = halved(state, {"decoder.mean", "layer.weight"})
    assert set(rounded) == {"shrinkage.basis", "layer.weight"}
    assert {values.dtype for values in rounded.values()} == {torch.float16}


def test_mean_shapes_stand_for_the_medoids_and_surfaces_stay_where_they_are(run, impersonal):
    medoid, mean = load_bundle(run.folder / "models/massm"), load_bundle(impersonal)
    for name in ANATOMIES:
        particles = run.cohort.particles[name].local[1]
        one, other = (of.shapes[name].warp.surface(particles) for of in (medoid, mean))
        assert np.linalg.norm(one.vertices - other.vertices, axis=1).max() < 1.0
        assert 0 < mean.facts.change_mm[name] < 0.5
        apart = np.abs(mean.shapes[name].particles - medoid.shapes[name].particles)
        assert apart.mean() > 10  # at the origin, not in the scanner
    assert "No file holds the shape of a single subject" in mean.card
    assert "Read with care." in mean.card
    assert (impersonal / WEIGHTS).stat().st_size < 0.8 * (
        run.folder / "models/massm" / WEIGHTS
    ).stat().st_size


def test_predictions_without_the_medoid_are_nearly_the_same(run, impersonal):
    volume = run.cohort.volumes[run.cohort.subjects[0]]
    found = []
    for folder in (run.folder / "models/massm", impersonal):
        bundle = load_bundle(folder)
        always = replace(bundle.description, thresholds=dict.fromkeys(ANATOMIES, 0.0))
        found.append(predict_scan(volume, replace(bundle, description=always))[0])
    one, other = (prediction.local_of("bright") for prediction in found)
    assert 0 < np.linalg.norm(one - other, axis=1).mean() < 1.0


def test_a_folder_that_comes_with_the_package_is_checked(run, impersonal):
    pretrained.refuse_unfit(load_bundle(impersonal), run.cohort.subjects)
    pretrained.refuse_medoids(impersonal, run.folder / "train")
    with pytest.raises(DataError, match=r"single subjects: local\.template, worlds"):
        pretrained.refuse_medoids(run.folder / "models/massm", run.folder / "train")
    with pytest.raises(DataError, match="names 1 subjects, such as bright"):
        pretrained.refuse_unfit(load_bundle(impersonal), ["bright"])
    with pytest.raises(DataError, match="shapes of single subjects .* of the data: license"):
        pretrained.refuse_unfit(load_bundle(run.folder / "models/massm"), ["x-1"])


def test_a_segmentation_is_fitted_with_the_folder_alone(run, folder, tmp_path):
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    bundle = load_bundle(folder)
    subject = run.cohort.subjects[1]
    mesh = meshes.read(run.folder / f"groom/surfaces/{subject}/bright.vtp")
    found = fit_shape(mesh, bundle, "bright")
    write_fit(found, bundle, tmp_path / "out")
    document = json.loads((tmp_path / "out/fit.json").read_text())
    assert document["outside"] == found.is_outside
    assert document["cautions"] == list(found.cautions) != []
    assert document["volume_ml"] == pytest.approx(mesh.volume_ml)
    assert len(document["scores_sd"]) == bundle.statistics["bright"].modes
    written = np.loadtxt(tmp_path / "out/particles/bright_local.particles")
    np.testing.assert_allclose(written, found.local, atol=1e-5)
    assert found.residual.mean < 2
    with pytest.raises(DataError, match="knows no liver, it has bright, dark"):
        fit_shape(mesh, bundle, "liver")


def test_a_folder_can_be_made_without_what_fits_need(run, tmp_path):
    bundle = load_bundle(make_bundle(run.folder, tmp_path / "model", fit=False))
    assert {path.name for path in bundle.folder.iterdir()} == FILES - {FITS}
    with pytest.raises(DataError, match=r"nothing to fit shapes to; .* bundle\.fit"):
        bundle.fit_model("bright")


def test_a_mask_becomes_a_surface_with_the_grooming_of_the_model(run, tmp_path):
    bundle = load_bundle(run.folder / "models/massm")
    z, y, x = np.indices((20, 20, 20)) - 9.5
    mask = ((x / 8) ** 2 + (y / 6) ** 2 + (z / 6) ** 2 < 1).astype(np.uint8)
    volume = Volume(mask, np.full(3, 2.0), np.array([5.0, -7, 11]))
    images.write_image(volume, tmp_path / "mask.nii.gz")
    surface = surface_of(tmp_path / "mask.nii.gz", bundle)
    assert surface.volume_ml == pytest.approx(mask.sum() * 8 / 1000, rel=1e-3)
    np.testing.assert_allclose(surface.vertices.mean(0), [24.0, 12, 30], atol=0.3)


def test_a_scan_gets_its_measures_its_place_in_the_population_and_its_files(run, tmp_path):
    bundle = load_bundle(run.folder / "models/massm")
    always = replace(bundle.description, thresholds=dict.fromkeys(ANATOMIES, 0.0))
    bundle = replace(bundle, description=always)
    with open_scan(run.folder / "dataset/ct" / f"{run.cohort.subjects[0]}.nii.gz", "ct7") as source:
        shapes = describe_scan(source.volume, bundle, name=source.name)
        written = write_scan(shapes, source, bundle, tmp_path / "ct7", OutputOptions())
        prediction, surfaces = predict_scan(source.volume, bundle)
    document = json.loads((written.folder / "shape.json").read_text())
    schema = json.loads((ROOT / "docs/shape.schema.json").read_text())
    jsonschema.validate(document, schema)
    assert document["model"]["sha256"] == bundle.files
    head = bundle.description.model.world.head
    for anatomy in ANATOMIES:
        found, said = shapes[anatomy], document["anatomies"][anatomy]
        np.testing.assert_allclose(found.surface.vertices, surfaces[anatomy].vertices)
        world = prediction.world_of(anatomy)[head]
        expected = standard_scores(bundle.shapes[anatomy].model, world)
        modes = bundle.statistics[anatomy].modes
        np.testing.assert_allclose(found.standing.scores, expected[:modes])
        assert said["population"]["world_head"] == head
        assert said["volume_ml"] == pytest.approx(surfaces[anatomy].volume_ml)
        local = np.loadtxt(written.folder / f"particles/{anatomy}_local.particles")
        np.testing.assert_allclose(local, prediction.local_of(anatomy), atol=1e-4)
