"""From files to files: what of a subject the rows are told, and what they say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from massm.config.predict import PredictConfig
from massm.geometry.boxes import box_of
from massm.geometry.frames import apply_frames, frames_between
from massm.io import predictions, tensors
from massm.io.errors import DataError
from massm.io.particles import save_set
from massm.models.deepssm.model import build
from massm.models.saved import load_model
from massm.stages import predict as predict_stage
from massm.tensors.sample import Template
from massm.training import fit as fitting
from tests.geometry.turning import turned
from tests.models.deepssm.rows import ROWS, TRAINED, found_boxes
from tests.toy_cohort import ANATOMIES, PARTICLES, Cohort, train_config


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """Folders of networks of each anatomy, by row."""
    output = tmp_path_factory.mktemp("train")
    for row in TRAINED:
        for name in ANATOMIES:
            fitting.fit(train_config(epochs=1), ROWS[row], folder, output / row / name, [name])
    return {row: [output / row / name for name in ANATOMIES] for row in TRAINED}


def predicted(cohort, folder, networks, row, output, missed=()):
    """Run the stage for the validation subjects; read what it wrote."""
    boxes, correspond = output / "boxes", output / "correspond"
    for subject in ("t6", "t7"):
        found = found_boxes(cohort, subject, 1.0, missed)
        predictions.write(found.blanked(), boxes / f"{subject}.npz")
    for name in ANATOMIES:
        save_set(cohort.particles[name], correspond / f"{name}.npz")
    predict_stage.run(
        PredictConfig(splits=("validation",), batch_size=2, accelerator="cpu", threads=1),
        model=ROWS[row],
        tensors=folder,
        output=output / "predict",
        train=networks[row.removesuffix(" detected")],
        boxes=sorted(boxes.glob("*.npz")),
        correspond=sorted(correspond.glob("*.npz")),
    )
    return {path.stem: predictions.read(path) for path in (output / "predict").glob("*.npz")}


def without_truth(folder, output):
    """The same tensors, with the truth of the validation subjects spoilt."""
    output.mkdir()
    for path in folder.iterdir():
        if path.stem in ("t6", "t7"):
            arrays = tensors.load(path)
            for name in ("center", "radius", "local", "world"):
                arrays[name] = np.full_like(arrays[name], 1234.5)
            arrays["presence"] = 1 - arrays["presence"]
            tensors.save(arrays, output / path.name)
        else:
            (output / path.name).symlink_to(path)
    return output


def other_truth(cohort):
    """The same cohort whose validation subjects are said to lie elsewhere, and turned."""
    other = Cohort()
    for name, found in cohort.particles.items():
        local = found.local.copy()
        for subject in ("t6", "t7"):
            if subject in found.subjects:
                row = found.row(subject)
                points = torch.from_numpy(local[row]).float()
                local[row] = turned(points - points.mean(dim=0), 40, [0.0, 0, 0]).numpy()
                local[row] += found.local[row].mean(axis=0) + 4.0
        other.particles[name] = replace(found, local=local)
    return other


@pytest.mark.parametrize("row", ROWS)
def test_the_truth_of_a_subject_reaches_no_prediction_but_of_the_row_that_says_so(
    cohort, folder, trained, tmp_path, row
):
    first = predicted(cohort, folder, trained, row, tmp_path / "a")
    blind = without_truth(folder, tmp_path / "blind")
    elsewhere = other_truth(cohort)
    boxed = elsewhere if row == "world" else cohort
    second = predicted(boxed, blind, trained, row, tmp_path / "b")
    same = []
    for subject, said in first.items():
        again = second[subject]
        pairs = [(said.local, again.local)]
        pairs += [(said.world[head], again.world[head]) for head in said.world]
        same += [np.array_equal(a, b, equal_nan=True) for a, b in pairs if a is not None]
        np.testing.assert_array_equal(said.present, again.present)
    assert len(same) > 0
    assert all(same) != ROWS[row].facts.knows_truth


def test_true_particles_do_not_reach_a_row_of_detected_boxes(cohort, folder, trained, tmp_path):
    first = predicted(cohort, folder, trained, "world detected", tmp_path / "a")
    output = tmp_path / "b"
    for name in ANATOMIES:
        save_set(other_truth(cohort).particles[name], output / "other" / f"{name}.npz")
    predict_stage.run(
        PredictConfig(splits=("validation",), batch_size=1, accelerator="cpu", threads=1),
        model=ROWS["world detected"],
        tensors=folder,
        output=output,
        train=trained["world"],
        boxes=sorted((tmp_path / "a" / "boxes").glob("*.npz")),
        correspond=sorted((output / "other").glob("*.npz")),
    )
    for subject, said in first.items():
        again = predictions.read(output / f"{subject}.npz")
        np.testing.assert_array_equal(said.local, again.local)


@pytest.mark.parametrize("row", ROWS)
def test_present_is_what_a_row_can_know(cohort, folder, trained, tmp_path, row):
    """A whole image holds everything, a crop what truth or detector have found."""
    found = predicted(cohort, folder, trained, row, tmp_path, missed=("bright",))
    expected = {
        "local": [True, True],
        "world full": [True, True],
        "world": [True, "t7" in cohort.particles["dark"].subjects],
        "world detected": [False, "t7" in cohort.particles["dark"].subjects],
    }[row]
    assert found["t7"].present.tolist() == expected
    particles = found["t7"].local if found["t7"].local is not None else found["t7"].world["pca"]
    assert np.isfinite(particles).all(axis=(1, 2)).tolist() == expected


def test_local_particles_of_a_detected_box_lie_there(cohort, folder, trained, tmp_path):
    found = predicted(cohort, folder, trained, "world detected", tmp_path)["t6"]
    boxes = found_boxes(cohort, "t6", 1.0).boxes
    center, radius = box_of(found.local)
    assert np.abs(center - boxes.center).max() < 3.0
    np.testing.assert_allclose(radius, boxes.radius, atol=5.0)
    for k in range(len(ANATOMIES)):  # the same shape in both frames
        fit = frames_between(*(torch.from_numpy(p[k]) for p in (found.world["pca"], found.local)))
        moved = apply_frames(fit, torch.from_numpy(found.world["pca"][k]))
        np.testing.assert_allclose(moved, found.local[k], atol=1e-2)


def test_aligned_crops_without_particles_are_refused(folder, trained, tmp_path):
    with pytest.raises(DataError, match="crops need the particles of bright to be aligned by"):
        predict_stage.run(
            PredictConfig(splits=("validation",), batch_size=1, accelerator="cpu", threads=1),
            model=ROWS["world"],
            tensors=folder,
            output=tmp_path,
            train=trained["world"],
        )


def test_a_loaded_network_has_its_crop_and_decoder(trained):
    model, description = load_model(trained["world"][0], ROWS["world detected"])
    assert description.anatomies == ("bright",)
    assert (model.sight.crop.high > model.sight.crop.low + 20).all()
    assert model.decoder.std.any()
    blank = build(ROWS["world"], Template.blank(1, PARTICLES, 4), description.preprocessing)
    assert not blank.decoder.std.any()
