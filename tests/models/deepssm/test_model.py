"""What DeepSSM learns, and what of an image it is given."""

import csv
from dataclasses import replace

import lightning
import pytest
import torch
from safetensors.torch import load_file

from massm.models.deepssm.sight import AroundAnatomy
from massm.training import fit as fitting
from massm.training.data import CohortData
from tests.models.deepssm.rows import ROWS, TRAINED, prepared, step
from tests.toy_cohort import train_config


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


def test_a_model_of_crops_refuses_images_that_do_not_say_where(data, particles, batch):
    model = prepared(data, particles, ROWS["world"])
    assert isinstance(model.sight, AroundAnatomy)
    with pytest.raises(ValueError, match="frames or the centers of boxes, found neither"):
        model.predict(batch.images)


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
