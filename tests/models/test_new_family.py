"""A new family is its package, its section and its lines in the tables: all stages take it."""

from pathlib import Path

import numpy as np
import pytest

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.config.groom import SurfaceConfig
from massm.config.loading import load_config, merge, read_yaml
from massm.config.models import SECTIONS, section_of
from massm.config.predict import PredictConfig
from massm.io import images, meshes, predictions
from massm.io.cohort import AnatomyRecord, GroomRecord, write_cohort, write_groomed
from massm.io.errors import DataError
from massm.io.particles import save_set
from massm.io.tables import read_table
from massm.models import families
from massm.models.families import Family
from massm.models.predict import joined
from massm.reconstruct.from_particles import make_warp, save_warp
from massm.stages import evaluate_local, predict, reconstruct, reconstruct_reference, train
from massm.stages._command import parse
from tests.config.test_loading import ROOT
from tests.models.toy_family import ThresholdConfig, build
from tests.toy_cohort import ANATOMIES, Cohort, hull, train_config

VALUES = {"family": "threshold", "label": "Threshold", "train": {}, "weight": 2.0}
SURFACE = SurfaceConfig(
    spacing_mm=2.0,
    antialias_iterations=5,
    handle_mm=0.0,
    smoothing_voxels=4.0,
    faces=400,
    hole_mm=10.0,
)
MEASURES = SurfaceMeasuresConfig(
    splits=("validation",), surface_samples=1000, surface_dice_mm=(4.0,)
)


@pytest.fixture(scope="module", autouse=True)
def _table():
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(SECTIONS, "threshold", ThresholdConfig)
        patched.setitem(families.FAMILIES, "threshold", Family(ThresholdConfig, build=build))
        yield


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def results(cohort, tmp_path_factory):
    """Tensors of the cohort, and what the stages make of them with the new family."""
    folder = tmp_path_factory.mktemp("results")
    cohort.write(folder / "tensors")
    entry = section_of(VALUES)
    config = train_config(epochs=15, learning_rate=0.5, augment=quiet())
    for name in ANATOMIES:
        output = folder / "train/threshold" / name
        train.run(config, model=entry, tensors=folder / "tensors", output=output, anatomies=[name])
    predict.run(
        PredictConfig(splits=("validation",), batch_size=1, accelerator="cpu", threads=1),
        model=entry,
        tensors=folder / "tensors",
        train=[folder / "train/threshold" / name for name in ANATOMIES],
        output=folder / "predict/threshold",
    )
    reconstruct.run(
        model="threshold",
        predictions=sorted((folder / "predict/threshold").glob("*.npz")),
        warps=[],
        results=folder,
        index=folder / "reconstruct/threshold.tsv",
        surface=SURFACE,
    )
    return folder


def quiet():
    return {**train_config().augment.model_dump(), "probability": 0.0}


def test_a_configuration_may_name_it_beside_the_others():
    values = merge(read_yaml(ROOT / "config.yaml"), {"models": {"threshold": VALUES}})
    entry = load_config(values).entry("threshold")
    assert isinstance(entry, ThresholdConfig)
    assert entry.facts.tables == ("local", "detection")
    assert parse(train.run, arguments(entry))["model"] == entry


def arguments(entry):
    config = train_config().model_dump_json()
    model = entry.model_dump_json()
    return ["--config", config, "--model", model, "--tensors", "a", "--output", "b"]


def test_its_history_tells_its_own_terms_and_errors(results):
    lines = (results / "train/threshold/bright/curves.csv").read_text().splitlines()
    assert lines[0] == "epoch,learning_rate,loss,voxels,validation_center_mm"
    first, last = (float(line.split(",")[2]) for line in (lines[1], lines[-1]))
    assert last < first / 2


def test_its_label_map_lies_beside_its_prediction_and_says_what_is_present(results):
    paths = sorted((results / "predict/threshold").iterdir())
    assert [path.name for path in paths] == ["t6.nii.gz", "t6.npz", "t7.nii.gz", "t7.npz"]
    both, bright = (predictions.read(path) for path in paths[1::2])
    assert (both.found, bright.found) == (ANATOMIES, ("bright",))  # the last lacks the dark one
    assert both.boxes is None
    assert both.local is None
    assert set(np.unique(both.labels.array)) == {0, 1, 2}
    assert bright.mask_of("dark") is None
    assert both.probability.keys() == set(ANATOMIES)
    center = both.mask_of("bright").array.nonzero()
    assert len(center[0]) > 50


def test_a_label_map_with_other_numbers_is_refused(results, tmp_path):
    found = predictions.read(results / "predict/threshold/t6.npz")
    predictions.write(found, tmp_path / "t6.npz")
    images.write_image(found.labels.with_array(found.labels.array + 5), tmp_path / "t6.nii.gz")
    with pytest.raises(DataError, match=r"t6\.nii\.gz holds other values than 0 to 2"):
        predictions.read(tmp_path / "t6.npz")


def test_networks_of_single_anatomies_give_a_voxel_to_the_first_of_them(results):
    found = predictions.read(results / "predict/threshold/t7.npz")
    twice = joined([found, found])
    assert twice.anatomies == ANATOMIES * 2
    np.testing.assert_array_equal(twice.labels.array, found.labels.array)
    assert twice.present.tolist() == [True, False, False, False]  # one that lost all is not there


def test_a_missing_surface_of_what_a_label_map_holds_is_an_error(results, cohort, tmp_path):
    with pytest.raises(DataError, match=r"bright\.vtp: no such file"):
        measure(cohort, results, tmp_path / "no surfaces", tmp_path)


def test_its_masks_become_surfaces_at_the_true_place(results, cohort):
    table = read_table(results / "reconstruct/threshold.tsv")
    assert list(table["head"]) == ["labels"] * 3
    assert (table["pieces"] >= 1).all()
    surface = meshes.read(results / "reconstruct/threshold/t6/bright.vtp")
    particles = cohort.particles["bright"]
    true = particles.local[particles.row("t6")]
    assert np.linalg.norm(surface.vertices.mean(axis=0) - true.mean(axis=0)) < 2.0
    np.testing.assert_allclose(np.ptp(surface.vertices, axis=0), np.ptp(true, axis=0), atol=5.0)


def test_it_is_measured_like_any_model(results, cohort, tmp_path):
    table = measure(cohort, results, results / "reconstruct/threshold", tmp_path)
    assert set(table["model"]) == {"threshold"}
    distance = table[table["measure"] == "surface_mean"]
    assert len(distance) == 3
    assert (distance["value"] < 3.0).all()
    raw = table[table["measure"] == "surface_mean_raw"]
    assert len(raw) == 3
    assert not np.allclose(raw["value"].values, distance["value"].values, atol=1e-3)
    assert not table["measure"].str.startswith("particle").any()  # it has none


def measure(cohort, results, surfaces, folder):
    given = write_truth(cohort, results, folder)
    evaluate_local.run(
        MEASURES,
        model="threshold",
        predictions=results / "predict/threshold",
        surfaces=surfaces,
        references=folder / "reconstruct/reference",
        table=folder / "local.csv",
        **given,
    )
    return read_table(folder / "local.csv")


def write_truth(cohort, results, folder):
    """Write what evaluation reads of the validation subjects, and their reference surfaces."""
    rows, groomed = [], []
    for subject in ("t6", "t7"):
        for name in ANATOMIES:
            status = cohort.status[subject][name]
            mask = folder / "masks" / subject / f"{name}.nii.gz"
            own = (subject, name, "validation")
            rows.append(AnatomyRecord(*own, status, mask=mask, source="mask"))
            if status != "used":
                continue
            volume = cohort.volumes[subject]
            bright = volume.array > 150 if name == "bright" else volume.array < -150
            images.write_image(volume.with_array(bright), mask)
            particles = cohort.particles[name]
            surface = f"groom/{subject}/{name}.vtp"
            meshes.write(hull(particles.local[particles.row(subject)]), folder / surface)
            groomed.append(GroomRecord(*own, "groomed", surface=Path(surface)))
    write_cohort(rows, folder / "cohort.tsv")
    write_groomed(groomed, folder / "groomed.tsv")
    warps = []
    for name in ANATOMIES:
        save_set(cohort.particles[name], folder / f"{name}.npz")
        own = cohort.particles[name].local[0]
        warps.append(folder / "warp" / f"{name}.npz")
        save_warp(make_warp(hull(own), own), warps[-1])
    particles = [folder / f"{name}.npz" for name in ANATOMIES]
    reconstruct_reference.run(
        MEASURES,
        particles_files=particles,
        warps=warps,
        results=folder,
        index=folder / "reference.tsv",
    )
    return {
        "cohort": folder / "cohort.tsv",
        "groomed": [folder / "groomed.tsv"],
        "particles": particles,
        "results": folder,
    }
