"""DeepSSM: what its rows look at, what they learn, and what of a subject they are told."""

import csv
from dataclasses import replace

import lightning
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from massm.config.models.deepssm import EncoderConfig
from massm.config.predict import PredictConfig
from massm.geometry.boxes import box_of
from massm.geometry.frames import apply_frames, frames_between
from massm.io import predictions, tensors
from massm.io.errors import DataError
from massm.io.particles import save_set
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.deepssm.crop import Crop
from massm.models.deepssm.decoder import PcaDecoder
from massm.models.deepssm.encoder import Encoder
from massm.models.deepssm.model import build
from massm.models.deepssm.sight import AroundAnatomy
from massm.models.interface import Step
from massm.models.places import found_places, true_places
from massm.models.saved import load_model
from massm.stages import predict as predict_stage
from massm.tensors.images import Images
from massm.tensors.manifest import read_manifest
from massm.tensors.sample import Template
from massm.tensors.template import load_template
from massm.training import fit as fitting
from massm.training.data import CohortData
from tests.toy_cohort import ANATOMIES, PARTICLES, Cohort, deepssm_config, train_config

CROP = {"image": "crop", "particles": "world"}
ROWS = {
    "local": deepssm_config(networks="each"),
    "world full": deepssm_config(networks="each", particles="world"),
    "world": deepssm_config(networks="each", **CROP),
    "world detected": deepssm_config(networks="each", **CROP, crop="detected", boxes_of="massm"),
}
TRAINED = ("local", "world full", "world")
BESIDE = torch.empty(1, 0)


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def folder(cohort, tmp_path_factory):
    return cohort.write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def data(folder):
    template = load_template(folder / "template.safetensors")
    manifest = read_manifest(folder / "manifest.json")
    return CohortData(train_config(batch_size=3), folder, manifest, template, 1)


@pytest.fixture(scope="module")
def particles(data):
    return data.particles()


@pytest.fixture(scope="module")
def batch(data):
    return next(data.batches("train"))


def prepared(data, particles, entry):
    torch.manual_seed(0)
    model = build(entry, data.template, data.manifest.preprocessing)
    model.prepare(lambda: particles, torch.Generator())
    return model


def step(epoch=0):
    return Step(epoch, torch.Generator().manual_seed(0))


# ---- what is learned ----


@pytest.mark.parametrize("row", TRAINED)
def test_one_batch_is_overfitted(data, particles, batch, row):
    model = prepared(data, particles, ROWS[row]).train()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    first = float(model.loss(batch, step()).total().detach())
    for _ in range(120):
        optimizer.zero_grad()
        loss = model.loss(batch, step()).total()
        loss.backward()
        optimizer.step()
    assert first > 0.5  # of the variance, as the mean shape has it
    assert float(loss.detach()) < 0.02


@pytest.mark.parametrize("row", TRAINED)
def test_the_decoder_is_the_pca_until_finetuning(data, particles, batch, row):
    entry = ROWS[row].model_copy(update={"finetune_from": 2})
    model = prepared(data, particles, entry)
    for epoch, trained in ((0, False), (1, False), (2, True), (3, True)):
        model.zero_grad()
        model.loss(batch, step(epoch)).total().backward()
        found = [part.grad is not None for part in (model.decoder.mean, model.decoder.modes)]
        assert found == [trained, trained]


def rows_of(output):
    with (output / "history.csv").open() as file:
        return list(csv.DictReader(file))


class InterruptionError(Exception):
    """What a killed job looks like from inside."""


@pytest.mark.parametrize("row", TRAINED)
def test_a_run_killed_before_finetuning_goes_on_through_it(folder, tmp_path, monkeypatch, row):
    config = train_config(epochs=3, select="best")
    entry = ROWS[row].model_copy(update={"finetune_from": 1})
    fitting.fit(config, entry, folder, tmp_path / "whole", ["bright"])
    started = lightning.pytorch.callbacks.ModelCheckpoint.on_train_epoch_end

    def dying(self, trainer, module):
        started(self, trainer, module)
        raise InterruptionError

    for _ in range(2):  # killed before it, and in it
        with monkeypatch.context() as patched:
            patched.setattr(
                lightning.pytorch.callbacks.ModelCheckpoint, "on_train_epoch_end", dying
            )
            with pytest.raises(InterruptionError):
                fitting.fit(config, entry, folder, tmp_path / "killed", ["bright"])
    fitting.fit(config, entry, folder, tmp_path / "killed", ["bright"])
    whole, killed = (
        load_file(tmp_path / name / "model.safetensors") for name in ("whole", "killed")
    )
    assert all(torch.equal(value, killed[name]) for name, value in whole.items())
    assert rows_of(tmp_path / "whole") == rows_of(tmp_path / "killed")
    assert len(rows_of(tmp_path / "whole")) == 3


def test_a_subject_without_the_anatomy_is_no_obstacle(data, particles):
    """The dark one is absent in every fourth subject."""
    for row in TRAINED:
        model = prepared(data, particles, ROWS[row]).train()
        (lacking,) = [one for one in data.batches("train") if bool(one.truth.presence.eq(0).any())]
        truth = lacking.truth
        absent = replace(
            lacking,
            truth=replace(
                truth,
                presence=torch.zeros_like(truth.presence),
                local=torch.full_like(truth.local, torch.nan),
                world=torch.full_like(truth.world, torch.nan),
            ),
        )
        loss = model.loss(absent, step()).total()
        loss.backward()
        assert float(loss.detach()) == 0.0
        assert torch.isfinite(model.loss(lacking, step()).total())


# ---- encoder ----


def encoder_config(**changes):
    values = {
        "widths": (12, 24, 48, 96, 192),
        "kernel": 5,
        "padded": False,
        "norm": "batch",
        "pool": 0,
        "hidden": (384, 96),
        "dropout": 0.0,
    }
    return EncoderConfig.model_validate(values | changes)


@pytest.mark.parametrize(("size", "edge"), [(60, 1), (64, 1), (80, 3), (96, 5)])
def test_the_original_leaves_so_many_cells(size, edge):
    with torch.device("meta"):
        encoder = Encoder(encoder_config(), size=size)
    assert encoder.dense[0].in_features == edge**3 * 192


@pytest.mark.parametrize("change", [{}, {"kernel": 3}, {"padded": True}])
def test_the_least_size_leaves_one_cell(change):
    config = encoder_config(widths=(2, 2, 2, 2, 2), hidden=(4,), norm="instance", **change)
    encoder = Encoder(config, size=config.least).eval()
    image = torch.randn(1, 1, *[config.least] * 3)
    assert encoder(image, BESIDE).shape == (1, 4)
    if not config.padded:
        with pytest.raises(ValueError, match="no cell is left"):
            Encoder(config, size=config.least - 1)


@pytest.mark.parametrize("size", [13, 16, 33])
@pytest.mark.parametrize("pool", [0, 2])
def test_dense_layers_fit_padded_convolutions(size, pool):
    config = encoder_config(widths=(2, 2, 2, 2, 2), hidden=(4,), padded=True, pool=pool)
    encoder = Encoder(config, size=size).eval()
    assert encoder(torch.randn(2, 1, size, size, size), torch.empty(2, 0)).shape == (2, 4)


def test_images_of_any_size_need_pooling():
    with pytest.raises(ValueError, match="whole ones need pooling"):
        Encoder(encoder_config(padded=True), size=None)
    with torch.device("meta"):
        encoder = Encoder(encoder_config(padded=True, pool=4), size=None, beside=3)
    assert sum(p.numel() for p in encoder.parameters()) < 10e6


# ---- decoder ----


def shapes_of(scores, modes):
    """Shapes of a mean and modes that are known."""
    mean = torch.arange(12.0).reshape(4, 3)
    return mean + torch.einsum("nj,jmc->nmc", scores, modes)


@pytest.fixture
def known():
    """Ten shapes along two directions, one three times as wide as the other."""
    generator = torch.Generator().manual_seed(0)
    modes = torch.linalg.qr(torch.randn(12, 2, generator=generator)).Q.T.reshape(2, 4, 3)
    scores = torch.randn(10, 2, generator=generator) * torch.tensor([9.0, 3.0])
    return shapes_of(scores, modes)[:, None]


@pytest.mark.parametrize(("modes", "count"), [(0.7, 1), (0.999, 2), (1, 1), (2, 2), (5, 2)])
def test_modes_are_counted_or_hold_a_share(known, modes, count):
    decoder = PcaDecoder(torch.zeros(1, 4, 3), torch.zeros(1, 6, 4, 3))
    decoder.fit(known, torch.ones(10, 1, dtype=torch.bool), modes)
    assert int(decoder.std.gt(0).sum()) == count
    torch.testing.assert_close(decoder.unit, known.var(dim=0, unbiased=True).mean()[None])
    np.testing.assert_allclose(
        decoder.mean.detach()[0], known.mean(dim=(0, 1)).flatten(), atol=1e-4
    )


def test_scores_of_one_standard_deviation_give_back_the_variance(known):
    decoder = PcaDecoder(torch.zeros(1, 4, 3), torch.zeros(1, 6, 4, 3))
    decoder.fit(known, torch.ones(10, 1, dtype=torch.bool), 2)
    scores = torch.eye(6)[:, None]
    moved = decoder(scores, free=False) - decoder(torch.zeros(1, 1, 6), free=False)
    squares = moved.square().sum(dim=(1, 2, 3))
    assert float(squares[:2].sum()) == pytest.approx(float(12 * decoder.unit), rel=1e-4)
    assert not squares[2:].any()  # where there are no modes


def test_a_template_starts_the_decoder_with_its_modes(data):
    deviations = data.template.modes_world
    decoder = PcaDecoder(data.template.mean_world, deviations)
    scores = torch.eye(deviations.shape[1])[:, None].expand(-1, len(ANATOMIES), -1)
    moved = decoder(scores, free=True) - data.template.mean_world
    torch.testing.assert_close(moved.transpose(0, 1), deviations, atol=1e-4, rtol=1e-4)


# ---- crops ----


def turned(points, degrees, shift, mirrored=False):
    """Carry points into an image by a rigid map, or by a reflection."""
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    matrix = torch.eye(3)
    matrix[0, 0] = matrix[1, 1] = angle.cos()
    matrix[1, 0], matrix[0, 1] = angle.sin(), -angle.sin()
    if mirrored:
        matrix[:, 0] *= -1
    return points @ matrix.T + torch.tensor(shift)


@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_carry_world_particles_into_the_image(mirrored):
    world = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    local = torch.stack(
        [turned(world[0], 20, [500.0, -300.0, 9.0], mirrored), torch.full((30, 3), torch.nan)]
    )
    frames = frames_between(world, local)
    torch.testing.assert_close(apply_frames(frames[:1], world[:1]), local[:1], atol=1e-3, rtol=0)
    assert torch.isnan(frames[1]).all()
    assert float(torch.linalg.det(frames[0, :, :3])) == pytest.approx(-1 if mirrored else 1)


def crop_of(data, particles, **changes):
    lattice = ROWS["world"].lattice.model_copy(update=changes)
    crop = Crop(lattice, data.template)
    crop.fit(particles.world, particles.local, particles.present)
    return crop


def test_the_crop_holds_every_training_shape_and_its_margin(data, particles):
    crop = crop_of(data, particles)
    for k in range(len(ANATOMIES)):
        shapes = particles.world[particles.present[:, k], k]
        torch.testing.assert_close(crop.low[k] + 6.0, shapes.amin(dim=(0, 1)))
        torch.testing.assert_close(crop.high[k] - 6.0, shapes.amax(dim=(0, 1)))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_box_places_the_crop_as_training_subjects_lie(data, particles, mirrored):
    """Of rigid copies the average pose is that of each, whatever their places."""
    world = particles.world[:1].expand(3, -1, -1, -1).nan_to_num()
    places = torch.tensor([[0.0, 9.0, 4.0], [100.0, -70.0, 3.0], [-5.0, 1.0, 0.0]])
    local = torch.stack([turned(world[0], 15, p.tolist(), mirrored) for p in places])
    crop = Crop(ROWS["world"].lattice, data.template)
    crop.fit(world, local, torch.ones(3, len(ANATOMIES), dtype=torch.bool))
    center = (local.amin(dim=2) + local.amax(dim=2)) / 2
    expected = frames_between(world, local)
    torch.testing.assert_close(crop.at(center), expected, atol=1e-3, rtol=1e-4)


def test_an_aligned_crop_shows_the_same_wherever_the_subject_lies(data, particles, batch):
    """A quarter turn of the world frame turns the crop's axes, not what lies at a point."""
    crop = crop_of(data, particles, size=9)
    world, local = batch.truth.world.nan_to_num(), batch.truth.local.nan_to_num()
    there = torch.ones(world.shape[:2], dtype=torch.bool)
    crops = crop.read(batch.images, frames_between(world, local), there)
    assert crops.shape == (6, 1, 9, 9, 9)
    middle = crops[:, 0, 4, 4, 4].reshape(3, 2)
    assert (middle[:, 0] > 1).all()  # inside of the bright one
    moved = crop.read(batch.images, frames_between(turned(world, 90, [0.0, 0, 0]), local), there)
    crop.low.copy_(turned(crop.low, 90, [0.0, 0, 0]))
    crop.high.copy_(turned(crop.high, 90, [0.0, 0, 0]))
    again = crop.read(batch.images, frames_between(turned(world, 90, [0.0, 0, 0]), local), there)
    assert not torch.allclose(moved, crops, atol=0.1)
    torch.testing.assert_close(again, crops.transpose(-1, -2), atol=1e-2, rtol=0)


def test_jitter_turns_about_the_middle_and_shifts(data, particles, batch):
    frames = frames_between(batch.truth.world, batch.truth.local)
    still = crop_of(data, particles)
    assert still.jittered(frames, torch.Generator()) is frames
    turning = crop_of(data, particles, jitter_deg=20.0)
    middle = ((turning.low + turning.high) / 2)[:, None].expand(3, -1, 1, 3)
    jittered = turning.jittered(frames, torch.Generator().manual_seed(0))
    there = torch.isfinite(frames).all(dim=-1).all(dim=-1)
    seen = (apply_frames(frames, middle) - apply_frames(jittered, middle))[there]
    torch.testing.assert_close(seen, torch.zeros_like(seen), atol=1e-3, rtol=0)
    assert ((jittered - frames)[there][..., :3].abs() > 0.01).any()
    shifting = crop_of(data, particles, jitter_mm=5.0)
    jittered = shifting.jittered(frames, torch.Generator().manual_seed(0))
    shift = (apply_frames(frames, middle) - apply_frames(jittered, middle))[there]
    assert 2.0 < float(shift.square().mean().sqrt()) < 10.0
    assert torch.equal(jittered[there][..., :3], frames[there][..., :3])


def test_a_model_of_crops_refuses_images_that_do_not_say_where(data, particles, batch):
    model = prepared(data, particles, ROWS["world"])
    assert isinstance(model.sight, AroundAnatomy)
    with pytest.raises(ValueError, match="frames or the centers of boxes, found neither"):
        model.predict(batch.images)


# ---- places ----


def found_boxes(cohort, subject, shift=0.0, missed=()):
    """What a model that finds boxes says of a subject."""
    present = np.array(
        [subject in cohort.particles[name].subjects and name not in missed for name in ANATOMIES]
    )
    local = np.full((len(ANATOMIES), PARTICLES, 3), np.nan)
    for k, name in enumerate(ANATOMIES):
        if present[k]:
            local[k] = cohort.particles[name].local[cohort.particles[name].row(subject)] + shift
    boxes = PredictedBoxes(*box_of(local))
    score = np.where(present, 0.75, 0.25)
    return SubjectPrediction(ANATOMIES, present, score, boxes, None, {})


def test_true_places_are_those_of_the_particles(cohort):
    places = true_places("t3", ANATOMIES, cohort.particles)  # the dark one is absent
    assert places.present.tolist() == [True, False]
    assert places.score.tolist() == [1.0, 0.0]
    assert places.box_centers is None
    assert np.isnan(places.frames[1]).all()
    particles = cohort.particles["bright"]
    row = particles.row("t3")
    moved = particles.world[row] @ places.frames[0, :, :3].T + places.frames[0, :, 3]
    np.testing.assert_allclose(moved, particles.local[row], atol=1e-6)


def test_found_places_are_those_of_the_boxes(cohort):
    found = found_boxes(cohort, "t1", missed=("bright",))
    places = found_places(found, ("dark", "bright"), "massm")
    assert places.present.tolist() == [True, False]
    assert places.score.tolist() == [0.75, 0.25]
    assert places.frames is None
    np.testing.assert_array_equal(places.box_centers[0], found.boxes.center[1])
    assert np.isnan(places.box_centers[1]).all()
    with pytest.raises(DataError, match="deepssm_local has no boxes"):
        found_places(replace(found, boxes=None), ANATOMIES, "deepssm_local")


# ---- from files to files ----


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


def test_images_carry_places_to_single_subjects(batch):
    frames, centers = torch.randn(3, 2, 3, 4), torch.randn(3, 2, 3)
    images: Images = replace(batch.images, frames=frames, box_centers=centers).to("cpu")
    for row, one in enumerate(images.each()):
        assert torch.equal(one.frames, frames[row : row + 1])
        assert torch.equal(one.box_centers, centers[row : row + 1])


def test_a_network_of_whole_images_is_not_handed_the_finer_ones(folder, data, particles, batch):
    assert prepared(data, particles, ROWS["world"]).sees_fine
    whole = prepared(data, particles, ROWS["local"])
    assert not whole.sees_fine
    assert batch.images.fine is not None
    coarse = fitting.seen_by(whole, data.manifest)
    data = CohortData(train_config(), folder, coarse, data.template, 1)
    assert next(iter(data.train_dataloader())).images.fine is None
    subjects = data.dataset("validation")
    (images,) = subjects.images(coarse.preprocessing, multiple=1, batch_size=2)
    assert images.fine is None
    (again,) = data.batches("validation")
    assert torch.equal(images.image.values, again.images.image.values)
