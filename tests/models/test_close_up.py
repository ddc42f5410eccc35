"""Close-ups: crops that follow boxes, voxels that learn to tell the anatomies apart."""

from dataclasses import replace

import pytest
import torch

from massm.config.models.massm import CloseUpConfig
from massm.models.massm.close_up import CloseUp
from massm.models.massm.objective import segment_loss
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort

SIZES = CloseUpConfig(widths=(8, 16), spacing_mm=3.0, margin=1.2, context_mm=4.0, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=4, validation=0).write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def template(folder):
    return load_template(folder / "template.safetensors")


@pytest.fixture(scope="module")
def batch(folder):
    manifest = read_manifest(folder / "manifest.json")
    dataset = SubjectDataset(folder, manifest, manifest.subjects, labels=folder / "labels")
    return dataset.collate([dataset[i] for i in range(2)], 4)


@pytest.fixture
def close_up(template):
    torch.manual_seed(0)
    return CloseUp(SIZES, template)


def test_a_crop_holds_the_mean_box_with_its_context(close_up, template):
    for k, radius in enumerate(template.radius):
        covered = torch.tensor(close_up.size(k)[::-1]) * SIZES.spacing_mm
        assert (covered >= 2 * (1.2 * radius + 4)).all()
        assert all(count % 2 == 0 for count in close_up.size(k))


def test_a_view_lies_around_the_place_that_is_looked_at(close_up, batch):
    center = batch.truth.center.nan_to_num(0.0)
    for k, view in enumerate(close_up(batch.images, center)):
        middle = view.odds.points().flatten(1, 3).mean(dim=1)
        torch.testing.assert_close(middle, center[:, k], atol=1e-3, rtol=0)
        assert view.logits.shape[2:] == view.features.values.shape[2:] == close_up.size(k)
        assert view.odds.values.abs().max() <= 4


def test_its_voxels_learn_whose_they_are(close_up, batch):
    center = batch.truth.center.nan_to_num(0.0)
    optimizer = torch.optim.Adam(close_up.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = segment_loss(close_up(batch.images, center), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 4
    view = close_up(batch.images, center)[0]
    points = view.odds.points().flatten(1, 3)
    for row, labels in enumerate(batch.truth.labels):
        true = labels.at(points[row]) == 1
        found = view.odds.values[row].flatten() > 0
        assert 2 * (true & found).sum() / (true.sum() + found.sum()) > 0.9


def test_without_labels_it_says_so(close_up, batch):
    bare = replace(batch, truth=replace(batch.truth, labels=()))
    views = close_up(bare.images, batch.truth.center.nan_to_num(0.0))
    with pytest.raises(ValueError, match="trained on labels"):
        segment_loss(views, bare)
