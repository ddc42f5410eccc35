"""What every family with a network keeps to; a new one adds its settings to ``ENTRIES``."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import get_type_hints

import numpy as np
import pytest
import torch

from massm.config.models import SECTIONS
from massm.config.models.family import FamilyConfig, NetworkConfig
from massm.config.tensors import ExportConfig
from massm.geometry.boxes import box_of
from massm.io import tensors
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.models.families import FAMILIES, build_model
from massm.models.files import DESCRIPTION, WEIGHTS
from massm.models.interface import Model, Prediction, Step, TrainingParticles
from massm.models.places import found_places, shown, true_places
from massm.models.predict import predict_subjects
from massm.models.saved import Description, load_model, matches, save_model
from massm.tensors.dataset import SubjectDataset
from massm.tensors.images import Images
from massm.tensors.manifest import read_manifest
from massm.tensors.preprocessing import images_of, scan_of
from massm.tensors.sample import Truth
from massm.tensors.template import load_template
from tests.tensors.test_preprocessing import assert_same_images
from tests.toy_cohort import (
    ANATOMIES,
    PARTICLES,
    Cohort,
    deepssm_config,
    model_config,
    unet_config,
)

CROP = {"image": "crop", "particles": "world"}
ENTRIES = {
    "massm": model_config(
        refine={"steps": 1}, local={"dropout": 0.0}, world={"pretrain_steps": 10}
    ),
    "massm_close_up": model_config(
        refine={"steps": 1},
        close_up={"widths": [4, 8]},
        local={"dropout": 0.0},
        world={"pretrain_steps": 10, "shrinkage": True},
    ),
    "unet": unet_config(),
    "deepssm_local": deepssm_config(),
    "deepssm_world_full": deepssm_config(particles="world"),
    "deepssm_world": deepssm_config(**CROP),
    "deepssm_world_detected": deepssm_config(**CROP, crop="detected", boxes_of="massm"),
}
SUBJECTS = 3
SHIFT_MM = torch.tensor([40.0, -30.0, 120.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=4, validation=1).write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def manifest(folder):
    return read_manifest(folder / "manifest.json")


@pytest.fixture(scope="module", params=ENTRIES)
def make(request, folder, manifest):
    """Build the model of one family from a seed."""
    template = load_template(folder / "template.safetensors")

    def build(seed=0):
        torch.manual_seed(seed)
        return build_model(ENTRIES[request.param], template, manifest.preprocessing)

    build.entry = ENTRIES[request.param]
    return build


@pytest.fixture(scope="module")
def model(make):
    return make()


@pytest.fixture(scope="module")
def dataset(folder, manifest):
    return SubjectDataset(folder, manifest, manifest.subjects[:SUBJECTS], labels=folder / "labels")


@pytest.fixture(scope="module")
def placed(make):
    """Tell images where anatomies are, if the family is to be told."""
    sets = Cohort(train=4, validation=1).particles
    tell = {"aligned crop": true_places, "box crop": found_by_a_model}.get(make.entry.facts.reads)

    def place(images):
        if tell is None:
            return images
        (told,) = shown([images], lambda subject: tell(subject, ANATOMIES, sets))
        return told

    return place


def found_by_a_model(subject, anatomies, sets):
    """Boxes of a model that is a little wrong."""
    rows = [sets[name].row(subject) for name in anatomies]
    local = np.stack([sets[name].local[row] for name, row in zip(anatomies, rows, strict=True)])
    there = np.ones(len(anatomies), dtype=bool)
    boxes = PredictedBoxes(*box_of(local + 2.0))
    found = SubjectPrediction(anatomies, there, there * 0.9, boxes, None, {})
    return found_places(found, anatomies, "massm")


@pytest.fixture(scope="module")
def batch(dataset, model, placed):
    batch = dataset.collate([dataset[row] for row in range(SUBJECTS)], model.stride)
    return replace(batch, images=placed(batch.images))


@pytest.fixture(scope="module")
def found(model, batch):
    return model.predict(batch.images)


@pytest.fixture
def description(make, manifest):
    return Description(
        model=make.entry,
        anatomies=manifest.anatomies,
        particles=manifest.particles,
        modes=4,
        preprocessing=manifest.preprocessing,
        thresholds=dict.fromkeys(ANATOMIES, 0.0),
        trained={"epochs": 0},
    )


def parts_of(prediction):
    """Name the tensors of a prediction, those of all world heads among them."""
    plain = dict(vars(prediction.boxes)) if prediction.boxes is not None else {}
    plain |= {"local": prediction.local} if prediction.local is not None else {}
    plain |= {f"labels {i}": grid.values for i, grid in enumerate(prediction.labels or ())}
    return plain | {f"world_{name}": world for name, world in prediction.world.items()}


def step(seed=0, epoch=0):
    return Step(epoch, torch.Generator().manual_seed(seed))


def one_step(model, batch, seed=0, device="cpu"):
    """Prepare a model as training does, on the CPU, and take one step on a device."""
    truth, generator = batch.truth, torch.Generator().manual_seed(seed)
    middle = torch.zeros(len(truth.presence), 3)
    shapes = TrainingParticles(truth.local, truth.world, truth.presence.eq(1), middle)
    model.prepare(lambda: shapes, generator)
    model.to(device).train()
    losses = model.loss(batch.to(device), step(seed))
    used = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(used, 1e-3)
    losses.total().backward()
    optimizer.step()
    return losses.terms


def test_every_entry_has_settings_to_be_tried_with():
    tried = {entry.family for entry in ENTRIES.values()}
    assert tried == {name for name, family in FAMILIES.items() if family.build}


def test_every_family_has_its_section_and_either_a_network_or_none():
    families = {name: kind for name, kind in SECTIONS.items() if issubclass(kind, FamilyConfig)}
    assert {name: family.config for name, family in FAMILIES.items()} == families
    assert SECTIONS.keys() - families.keys() == {"variant"}  # of a family that another entry has
    for family in FAMILIES.values():
        assert (family.build is None) != (family.predict is None)
        assert issubclass(family.config, NetworkConfig) == (family.build is not None)


def test_it_says_its_terms_and_errors(model, batch):
    assert isinstance(model, Model)
    losses = model.loss(batch, step())
    assert set(losses.terms) == set(losses.weights) == set(model.terms)
    errors = model.validate(batch)
    assert tuple(errors) == model.errors
    assert {error.shape for error in errors.values()} == {(SUBJECTS, len(ANATOMIES))}
    assert model.selects in model.errors
    assert isinstance(model.stride, int)
    assert model.stride > 0


def test_a_prediction_has_the_parts_that_its_section_names(make, found):
    given = {"boxes": found.boxes, "local": found.local, "labels": found.labels}
    given["world"] = found.world or None
    assert {name for name, part in given.items() if part is not None} == make.entry.facts.gives


def test_a_prediction_has_its_shapes_and_is_finite(found):
    anatomies = len(ANATOMIES)
    if found.boxes is not None:
        assert found.boxes.score.shape == (SUBJECTS, anatomies)
        assert found.boxes.center.shape == found.boxes.radius.shape == (SUBJECTS, anatomies, 3)
        assert ((found.boxes.score >= 0) & (found.boxes.score <= 1)).all()
        assert (found.boxes.radius > 0).all()
    particles = [*found.world.values(), *([] if found.local is None else [found.local])]
    assert {part.shape for part in particles} <= {(SUBJECTS, anatomies, PARTICLES, 3)}
    assert all(torch.isfinite(part).all() for part in parts_of(found).values())


def test_local_particles_move_with_the_scanner_and_world_ones_stay(model, batch, found):
    image, fine = batch.images.image, batch.images.fine
    fine = fine and replace(fine, origin=fine.origin + SHIFT_MM)
    image = replace(image, origin=image.origin + SHIFT_MM)
    moved = parts_of(model.predict(elsewhere(replace(batch.images, image=image, fine=fine))))
    for name, part in parts_of(found).items():
        shift = SHIFT_MM if name in ("center", "local") else 0
        torch.testing.assert_close(moved[name], part + shift, atol=1e-2, rtol=1e-4)


def elsewhere(images):
    """Move what is told of where anatomies are."""
    frames, centers = images.frames, images.box_centers
    if frames is not None:
        frames = torch.cat([frames[..., :3], frames[..., 3:] + SHIFT_MM[:, None]], dim=-1)
    return replace(
        images, frames=frames, box_centers=None if centers is None else centers + SHIFT_MM
    )


def test_a_prediction_is_repeated_carries_no_gradient_and_leaves_the_weights(make, batch):
    model = make().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, again = (parts_of(model.predict(batch.images)) for _ in range(2))
    for name, part in first.items():
        assert torch.equal(part, again[name]), name
        assert not part.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("method", ["forward", "predict"])
def test_a_prediction_is_given_images_and_no_truth(model, method):
    """By type: what mypy refuses to hand it, and what has no place in what it is handed."""
    for kind in (type(model), Model):
        hints = get_type_hints(getattr(kind, method))
        assert hints.pop("images") is Images
        assert hints.pop("return") is Prediction
        assert not hints
    names = {field.name for field in fields(Images)}
    assert names.isdisjoint(field.name for field in fields(Truth))
    assert get_type_hints(predict_subjects)["batches"] == Iterable[Images]


def test_a_prediction_is_that_of_scans_of_which_nothing_is_known(
    model, dataset, placed, found, tmp_path
):
    for entry in dataset.entries:
        arrays = tensors.load(dataset.folder / entry.file)
        images = {name: arrays[name] for name in ("image", "origin", "fine", "fine_origin")}
        tensors.save(images, tmp_path / entry.file)
    unknown = SubjectDataset(tmp_path, dataset.manifest, dataset.entries)
    preprocessing = dataset.manifest.preprocessing
    (images,) = unknown.images(preprocessing, multiple=model.stride, batch_size=SUBJECTS)
    for name, part in parts_of(model.predict(placed(images))).items():
        assert torch.equal(part, parts_of(found)[name]), name


def test_weights_and_a_training_step_depend_on_the_seed_alone(make, batch):
    def run(seed):
        model = make(seed)
        terms = one_step(model, batch, seed)
        return model.state_dict() | {f"loss {name}": term for name, term in terms.items()}

    first, again, other = run(0), run(0), run(1)
    assert [name for name, value in first.items() if not torch.equal(value, again[name])] == []
    assert any(not torch.equal(value, other[name]) for name, value in first.items())


def test_every_weight_that_is_trained_gets_a_finite_gradient(make, batch):
    model = make()
    terms = one_step(model, batch)
    assert all(term.ndim == 0 and torch.isfinite(term) for term in terms.values())
    trained = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert [name for name, gradient in trained.items() if gradient is None] == []
    assert [name for name, gradient in trained.items() if not torch.isfinite(gradient).all()] == []


def test_the_loss_falls_along_its_gradient(make, batch):
    model = make().train()
    used = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = model.loss(batch, step()).total()
    gradients = torch.autograd.grad(before, used, allow_unused=True)
    length = sum(float(g.square().sum()) for g in gradients if g is not None) ** 0.5
    with torch.no_grad():
        for parameter, gradient in zip(used, gradients, strict=True):
            if gradient is not None:
                parameter.add_(gradient, alpha=-1e-3 / length)
    after = model.loss(batch, step()).total()
    assert float((after - before).detach()) == pytest.approx(-1e-3 * length, rel=0.3)


def test_a_saved_model_predicts_the_same(make, batch, description, tmp_path):
    model = make()
    one_step(model, batch)
    save_model(model, description, tmp_path)
    loaded, again = load_model(tmp_path)
    assert again == description
    for name, part in parts_of(loaded.predict(batch.images)).items():
        assert torch.equal(part, parts_of(model.predict(batch.images))[name]), name


def test_a_loaded_model_is_given_a_scan_as_its_tensors_are(make, description, dataset, tmp_path):
    save_model(make(), description, tmp_path)
    model, loaded = load_model(tmp_path)
    used, volumes = loaded.preprocessing, Cohort(train=4, validation=1).volumes
    scans = [scan_of(entry.subject, volumes[entry.subject], used) for entry in dataset.entries]
    (stored,) = dataset.images(used, multiple=model.stride, batch_size=SUBJECTS)
    assert_same_images(images_of(scans, used, model.stride), stored)


def test_a_subjects_prediction_has_every_part(make, model, dataset, placed, description):
    batches = dataset.images(description.preprocessing, multiple=model.stride, batch_size=2)
    told = map(placed, batches)
    files = dict(predict_subjects(model, description, told, device="cpu"))
    assert list(files) == [entry.subject for entry in dataset.entries]
    gives = make.entry.facts.gives
    for said in files.values():
        parts = {"local": said.local, "world": next(iter(said.world.values()), None)}
        for name in gives & parts.keys():
            assert parts[name].shape == (len(ANATOMIES), PARTICLES, 3)
        if "labels" in gives:
            assert set(said.probability) == set(said.found)
        else:
            assert said.found == ANATOMIES


def test_weights_of_another_network_are_refused(make, description, tmp_path):
    more = (*ANATOMIES, "third")
    save_model(make(), replace(description, anatomies=more, particles=PARTICLES + 1), tmp_path)
    with pytest.raises(DataError, match=WEIGHTS):
        load_model(tmp_path)


def test_a_description_of_another_version_is_refused(make, description, tmp_path):
    save_model(make(), description, tmp_path)
    document = read_json(tmp_path / DESCRIPTION)
    write_json(document | {"version": -1}, tmp_path / DESCRIPTION)
    with pytest.raises(DataError, match="version -1"):
        load_model(tmp_path)


@pytest.mark.parametrize("change", [{"anatomies": ("bright",)}, {"particles": 7}])
def test_tensors_of_another_cohort_are_refused(description, manifest, change):
    with pytest.raises(DataError, match=next(iter(change))):
        matches(description, replace(manifest, **change))


@pytest.mark.parametrize("name", sorted(ExportConfig.model_fields))
def test_tensors_of_another_preprocessing_are_refused(description, manifest, name):
    other = manifest.preprocessing.model_copy(update={name: 1.0})
    with pytest.raises(DataError, match=f"tensors have {name} 1.0, the model was trained with"):
        matches(description, replace(manifest, preprocessing=other))


def test_tensors_of_other_intensities_are_taken(description, manifest):
    """A model normalizes as in its training."""
    other = replace(manifest.preprocessing.intensity, mean=40.0)
    changed = manifest.preprocessing.model_copy(update={"intensity": other})
    matches(description, replace(manifest, preprocessing=changed))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_trains_and_predicts_like_the_cpu(make, batch):
    compare_devices(make, batch, "cuda")


def compare_devices(make, batch, device):
    """Take one step and predict on a device and on the CPU, both in full single precision."""
    with torch.backends.cudnn.flags(allow_tf32=False):
        on_cpu = make()
        terms = one_step(on_cpu, batch)
        on_device = make()
        for name, term in one_step(on_device, batch, device=device).items():
            torch.testing.assert_close(term.cpu(), terms[name], atol=1e-3, rtol=1e-3)
        expected = parts_of(on_cpu.predict(batch.images))
        for name, part in parts_of(on_device.predict(batch.images.to(device))).items():
            assert part.device.type == device
            tolerance = 1e-3 if name == "score" else 0.05  # mm
            torch.testing.assert_close(part.cpu(), expected[name], atol=tolerance, rtol=0)
