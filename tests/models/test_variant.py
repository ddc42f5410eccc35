"""A variant predicts with the weights of another entry: MASSM before its particles are refined."""

import pytest
import torch

from massm.config.models.variant import VariantConfig
from massm.config.predict import PredictConfig
from massm.io import predictions
from massm.io.errors import DataError
from massm.models.massm.network import box_of
from massm.models.saved import load_model
from massm.stages import predict as predict_stage
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.training.fit import fit
from tests.toy_cohort import Cohort, model_config, train_config

PREDICT = PredictConfig(splits=("validation",), batch_size=1, accelerator="cpu", threads=1)
BASE = model_config(refine={"steps": 2}, world={"pretrain_steps": 20})


def variant(**changes):
    values = {"family": "variant", "label": "Other", "of": "massm", "changes": changes}
    return VariantConfig.model_validate(values).meant({"massm": BASE})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tensors, and a network that was trained on them as the base says."""
    path = tmp_path_factory.mktemp("run")
    Cohort().write(path / "tensors")
    fit(train_config(epochs=1), BASE, path / "tensors", path / "train")
    return path


@pytest.fixture(scope="module")
def images(folder):
    model, description = load_model(folder / "train")
    manifest = read_manifest(folder / "tensors/manifest.json")
    dataset = SubjectDataset(folder / "tensors", manifest, manifest.of_split("validation")[:1])
    used = description.preprocessing
    (found,) = dataset.images(used, multiple=model.stride, batch_size=1)
    return found


def predicted(folder, images, entry):
    return load_model(folder / "train", entry)[0].predict(images)


@torch.no_grad()
def found_in(model, images, box):
    """What the local head finds in boxes, before anything is refined."""
    levels = model.pyramid(images.image)
    return model.local(model.roi(levels, images, *box), *box)


def test_unrefined_particles_are_those_of_the_local_head_in_the_detectors_box(folder, images):
    base, plain = load_model(folder / "train", BASE)[0], variant(refine_updates=0)
    refined, unrefined = base.predict(images), predicted(folder, images, plain)
    boxes = refined.boxes
    expected = found_in(base, images, (boxes.center, boxes.radius))
    assert torch.equal(unrefined.local, expected)
    assert torch.equal(unrefined.boxes.center, boxes.center)
    assert (refined.local - expected).norm(dim=-1).min() > 0


def test_world_particles_come_from_the_same_local_ones(folder, images):
    base = load_model(folder / "train", BASE)[0].eval()
    unrefined = predicted(folder, images, variant(refine_updates=0))
    for name, head in base.worlds.items():
        assert torch.equal(unrefined.world[name], head(unrefined.local))


def test_boxes_are_drawn_anew_around_unrefined_particles_too(folder, images):
    base = load_model(folder / "train", BASE)[0]
    boxes = base.predict(images).boxes
    local = found_in(base, images, (boxes.center, boxes.radius))
    local = found_in(base, images, box_of(local))
    twice = predicted(folder, images, variant(refine_updates=0, box_updates=1))
    assert torch.equal(twice.local, local)
    assert torch.equal(twice.boxes.center, box_of(local)[0])


def test_as_often_as_in_training_is_what_null_says(folder, images):
    null, trained = (
        predicted(folder, images, entry) for entry in (BASE, variant(refine_updates=2))
    )
    once = predicted(folder, images, variant(refine_updates=1))
    assert torch.equal(null.local, trained.local)
    assert not torch.equal(once.local, null.local)


def test_validation_and_training_see_every_step_whatever_prediction_does(folder, images):
    base, plain = (
        load_model(folder / "train", entry)[0] for entry in (BASE, variant(refine_updates=0))
    )
    assert torch.equal(base.forward_each(images).local, plain.forward_each(images).local)


def test_the_stage_predicts_with_the_other_entrys_folder(folder, images, tmp_path):
    tensors, train = folder / "tensors", [folder / "train"]
    plain = variant(refine_updates=0)
    predict_stage.run(PREDICT, model=plain, tensors=tensors, train=train, output=tmp_path)
    (subject,) = images.subjects
    found, expected = (
        predictions.read(tmp_path / f"{subject}.npz"),
        predicted(folder, images, plain),
    )
    there = found.present
    assert there.any()
    assert (found.local[there] == expected.local[0].double().numpy()[there]).all()


def test_weights_of_other_settings_are_refused(folder):
    other = BASE.model_copy(update={"refine": BASE.refine.model_copy(update={"steps": 3})})
    with pytest.raises(DataError, match="other values of refine; train again"):
        load_model(folder / "train", other.model_copy(update={"refine_updates": 0}))
