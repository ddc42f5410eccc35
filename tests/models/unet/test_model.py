"""The U-Net learns, says where and how sure, and refuses what it cannot learn from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from massm.config.models.unet import UnetConfig
from massm.models.families import build_model
from massm.models.interface import Prediction, Step
from massm.models.predict import joined, predict_subjects
from massm.models.saved import Description
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from tests.toy_cohort import ANATOMIES, Cohort, unet_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=4, validation=1).write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def data(folder):
    manifest = read_manifest(folder / "manifest.json")
    return SubjectDataset(folder, manifest, manifest.subjects, labels=folder / "labels")


def build(data, seed=0, **changes):
    torch.manual_seed(seed)
    template = load_template(data.folder / "template.safetensors")
    return build_model(unet_config(**changes), template, data.manifest.preprocessing)


def trained(data, batch, steps, rate=5e-3, **changes):
    """A network that has seen one batch many times."""
    model = build(data, filters=(6, 12, 12), patches=2, foreground=0.6, **changes).train()
    optimizer = torch.optim.AdamW(model.parameters(), rate)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model.loss(batch, Step(0, generator)).total()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return model, losses


@pytest.fixture(scope="module")
def batch(data):
    return data.collate([data[0], data[3]], 1)  # the second lacks the dark anatomy


@pytest.fixture(scope="module")
def fitted(data, batch):
    return trained(data, batch, 100, rate=1e-2)


@pytest.fixture(scope="module")
def description(data):
    return Description(
        model=unet_config(),
        anatomies=ANATOMIES,
        particles=data.manifest.particles,
        modes=4,
        preprocessing=data.manifest.preprocessing,
        thresholds=dict.fromkeys(ANATOMIES, 0.5),
        trained={},
    )


def said(model, description, data):
    images = data.images(description.preprocessing, multiple=model.stride, batch_size=2)
    return dict(predict_subjects(model, description, images, device="cpu"))


def test_one_batch_is_overfitted(fitted, batch):
    model, losses = fitted
    assert losses[0] > 1.2
    assert np.mean(losses[-5:]) < 0.4  # the coarser level cannot be as right
    errors = model.validate(batch)["outline_mm"]
    assert (errors[batch.truth.presence.eq(1)] < 1.5).all()


def test_it_finds_what_is_there_and_misses_what_is_not(fitted, description, data):
    model, _ = fitted
    found = said(model, description, data)
    assert found["t0"].found == ANATOMIES
    assert found["t3"].found == ("bright",)
    assert found["t3"].probability.keys() == {"bright"}
    for subject in ("t0", "t3"):
        labels = found[subject].labels
        true = Cohort(train=4, validation=1).mask(subject, "bright")
        ours, theirs = (
            volume.index_to_point(np.argwhere(inside)[:, ::-1].astype(float)).mean(axis=0)
            for volume, inside in ((labels, labels.array == 1), (true, true.array))
        )
        np.testing.assert_allclose(ours, theirs, atol=1.5)


def test_probabilities_and_label_map_agree(fitted, description, data):
    model, _ = fitted
    found = said(model, description, data)["t0"]
    total = 0
    for row, name in enumerate(ANATOMIES):
        part = found.probability_of(name)
        start = np.rint(found.labels.point_to_index(part.origin)).astype(int)[::-1]
        box = tuple(slice(a, a + n) for a, n in zip(start, part.array.shape, strict=True))
        assert np.array_equal(part.array > 127, found.labels.array[box] == row + 1)
        total += int((part.array > 127).sum())
    assert total == int((found.labels.array > 0).sum())


def test_probabilities_of_all_anatomies_leave_a_share_to_none_of_them(fitted, batch):
    model, _ = fitted
    for grid in model.predict(batch.images).labels:
        assert grid.spacing_mm == 3.0
        assert grid.values.shape[1] == len(ANATOMIES)
        assert float(grid.values.min()) >= 0
        assert float(grid.values.sum(dim=1).max()) <= 1 + 1e-5


def test_coarser_levels_are_maps_of_the_same_size(data, batch):
    model = build(data, supervised=1).train()
    image = torch.zeros(1, 1, 16, 16, 16)
    fine, coarse = model._maps(image)
    assert fine.shape == coarse.shape
    assert torch.isfinite(model.loss(batch, Step(0, torch.Generator().manual_seed(0))).total())
    single = build(data, supervised=0).train()
    assert len(single._maps(image)) == 1


def test_overlap_changes_what_is_predicted_and_nothing_that_is_learned():
    one, other = (unet_config(overlap=share) for share in (0.25, 0.5))
    assert one.learned() == other.learned()
    assert one.result_relevant() != other.result_relevant()


def test_its_grid_may_be_coarser_than_the_finest_image(data, batch):
    model = build(data, spacing_mm=4.5)
    (first, _) = model.predict(batch.images).labels
    fine = batch.images.fine
    assert first.spacing_mm == 4.5
    torch.testing.assert_close(first.origin[0], fine.origin[0])
    last = first.origin[0] + (first.size - 1) * 4.5
    end = fine.origin[0] + (fine.size - 1) * 3.0
    assert ((end - last >= -1e-3) & (end - last < 4.5)).all()


def test_reading_the_grid_in_slabs_changes_nothing(data, batch, monkeypatch):
    model = build(data, spacing_mm=4.5)
    (one, _) = batch.images.each()
    whole = model._grid(one)
    monkeypatch.setattr("massm.models.unet.model._SLAB", 1000)
    torch.testing.assert_close(model._grid(one).values, whole.values)
    points = whole.points().reshape(1, -1, 3)
    torch.testing.assert_close(whole.values.flatten(), one.fine.sample(points).flatten())


def test_without_a_finer_image_it_sees_that_of_the_network(data, batch):
    preprocessing = data.manifest.preprocessing.model_copy(update={"fine_spacing_mm": None})
    template = load_template(data.folder / "template.safetensors")
    model = build_model(unet_config(), template, preprocessing)
    (first, _) = model.predict(replace(batch.images, fine=None)).labels
    assert first.spacing_mm == 4.0
    assert first.values.shape[2:] == batch.images.sizes[0].image
    losses = model.loss(
        replace(batch, images=replace(batch.images, fine=None)), Step(0, generator())
    )
    assert torch.isfinite(losses.total())


def generator():
    return torch.Generator().manual_seed(0)


def test_a_batch_without_labels_is_refused(data, batch):
    model = build(data)
    bare = replace(batch, truth=replace(batch.truth, labels=()))
    with pytest.raises(ValueError, match="trained on labels, and the batch has none"):
        model.loss(bare, Step(0, generator()))
    with pytest.raises(ValueError, match="need the labels of every subject"):
        model.errors_of(Prediction(labels=()), batch.truth)


def test_an_anatomy_of_which_nothing_is_known_leaves_no_trace(data, batch):
    """Its voxels have no label: only where all is known is a network told not to find it there."""
    model = build(data).eval()
    labels = batch.truth.labels[0]
    values = torch.where(labels.values == 2, 0, labels.values).byte()
    one = data.collate([data[0]], 1)
    pushed = {}
    for known in (False, True):
        hidden = replace(labels, values=values, known=torch.tensor([True, known]))
        unlabeled = replace(one, truth=replace(one.truth, labels=(hidden,)))
        model.zero_grad()
        model.loss(unlabeled, Step(0, generator())).total().backward()
        bias = next(
            p for n, p in model.named_parameters() if "output_block" in n and n.endswith("bias")
        )
        pushed[known] = float(bias.grad[2])
    assert pushed[True] > 0
    assert abs(pushed[False]) < 0.1 * pushed[True]


def test_untrained_it_finds_hardly_anything(data, batch):
    found = build(data).predict(batch.images).labels
    inside = [(grid.values >= 0.5).float().mean() for grid in found]
    assert max(inside) < 0.01


def test_networks_of_single_anatomies_are_joined(fitted, description, data):
    model, _ = fitted
    found = said(model, description, data)["t0"]
    other = replace(found, anatomies=("left", "right"), probability={})
    both = joined([found, other])
    assert both.anatomies == (*ANATOMIES, "left", "right")
    assert list(both.probability) == list(ANATOMIES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"patch": (16, 16, 18)}, "3 levels need sides that are multiples of 4 voxels, 8 at least"),
        ({"patch": (4, 16, 16)}, "8 at least"),
        ({"supervised": 2}, "of 3 levels at most 1 can be supervised too"),
        ({"filters": (4, 8)}, "at least 3"),
        ({"foreground": 1.5}, "less than or equal to 1"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(change, reason):
    with pytest.raises(ValidationError, match=reason):
        unet_config(**change)


def test_one_network_for_each_anatomy_or_one_of_all():
    each, every = (unet_config(networks=name) for name in ("each", "all"))
    assert each.facts.parts == "each anatomy"
    assert every.facts.parts == "all anatomies"
    assert each.facts.tables == every.facts.tables == ("local", "detection")
    assert not each.carried
    assert isinstance(each, UnetConfig)
