"""Batches depend on seed and epoch, not on who loads them, and nothing is kept."""

import pickle

import pytest
import torch

from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from massm.training.data import CohortData, EpochSampler
from tests.toy_cohort import Cohort, train_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


def data(folder, **changes):
    manifest = read_manifest(folder / "manifest.json")
    template = load_template(folder / "template.safetensors")
    return CohortData(train_config(**changes), folder, manifest, template, 4)


def test_worker_processes_load_the_same_batches(folder):
    alone = list(data(folder).train_dataloader())
    helped = list(data(folder, workers=1).train_dataloader())
    assert len(alone) == len(helped) == 3
    for first, second in zip(alone, helped, strict=True):
        assert first.images.subjects == second.images.subjects
        assert torch.equal(first.images.image.values, second.images.image.values)
        assert torch.equal(first.images.warp.lattice.values, second.images.warp.lattice.values)
        torch.testing.assert_close(first.truth.local, second.truth.local, equal_nan=True)


def test_every_epoch_has_its_own_order():
    orders = [list(EpochSampler(20, seed=1, epoch=epoch)) for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == list(range(20))


def test_a_dataset_keeps_nothing_of_what_it_has_read(folder):
    manifest = read_manifest(folder / "manifest.json")
    dataset = SubjectDataset(folder, manifest, manifest.subjects)
    before = len(pickle.dumps(dataset))
    for index in range(len(dataset)):
        dataset[index]
    assert len(pickle.dumps(dataset)) == before


def test_validation_is_not_augmented(folder):
    batch = next(iter(data(folder).val_dataloader()))
    assert batch.images.warp is None
    stored = data(folder).dataset("validation")[0]
    torch.testing.assert_close(batch.truth.local[0], stored.truth.local, equal_nan=True)
