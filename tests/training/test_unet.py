"""A U-Net is trained like any model: from labels, and on where it was killed."""

import csv
import logging

import pytest
import torch
from safetensors.torch import load_file

from massm.io import tensors
from massm.io.errors import DataError
from massm.models.saved import load_model
from massm.training import fit as fitting
from tests.toy_cohort import ANATOMIES, Cohort, train_config, unet_config

MODEL = unet_config()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=3, validation=1).write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """Two epochs without interruption, the best of them kept."""
    output = tmp_path_factory.mktemp("whole")
    fitting.fit(train_config(select="best"), MODEL, folder, output)
    return output


class InterruptionError(Exception):
    """What a killed job looks like from inside."""


def interrupted(folder, output, monkeypatch):
    """Train until the first epoch is done."""
    started = fitting.KeepLast.on_train_epoch_end

    def dying(self, trainer, module):
        started(self, trainer, module)
        raise InterruptionError

    with monkeypatch.context() as patched:
        patched.setattr(fitting.KeepLast, "on_train_epoch_end", dying)
        with pytest.raises(InterruptionError):
            fitting.fit(train_config(select="best"), MODEL, folder, output)


def rows(output):
    with (output / "curves.csv").open() as file:
        return list(csv.DictReader(file))


def test_its_history_tells_its_terms_and_the_distance_of_outlines(whole):
    first = rows(whole)[0]
    terms = ["epoch", "learning_rate", "loss", "dice", "cross_entropy", "validation_outline_mm"]
    assert list(first) == terms
    assert float(first["loss"]) == pytest.approx(
        float(first["dice"]) + float(first["cross_entropy"]), rel=1e-4
    )


def test_an_anatomy_is_present_from_one_half_on(whole):
    _, description = load_model(whole)
    assert description.thresholds == dict.fromkeys(ANATOMIES, 0.5)


def test_a_run_killed_in_training_goes_on_as_if_nothing_had_been(
    folder, whole, tmp_path, monkeypatch, caplog
):
    interrupted(folder, tmp_path, monkeypatch)
    with caplog.at_level(logging.INFO):
        fitting.fit(train_config(select="best"), MODEL, folder, tmp_path)
    assert "after epoch 1" in caplog.text
    first, second = (load_file(path / "model.safetensors") for path in (whole, tmp_path))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert rows(whole) == rows(tmp_path)


def test_a_run_with_other_labels_is_not_continued(folder, tmp_path, monkeypatch, caplog):
    interrupted(folder, tmp_path, monkeypatch)
    path = folder / "labels/t0.safetensors"
    held = tensors.load(path)
    try:
        tensors.save(held | {"known": 0 * held["known"]}, path)
        fitting.fit(train_config(select="best"), MODEL, folder, tmp_path)
    finally:
        tensors.save(held, path)
    assert "of another configuration or other tensors" in caplog.text


def test_a_network_of_one_anatomy_takes_the_others_for_background(folder, tmp_path):
    fitting.fit(train_config(epochs=1), unet_config(networks="each"), folder, tmp_path, ["dark"])
    model, description = load_model(tmp_path)
    assert description.anatomies == ("dark",)
    assert model.anatomies == 1


def test_missing_labels_are_named(folder, tmp_path):
    for name in ("manifest.json", "template.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    for path in folder.glob("t*.safetensors"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises((DataError, OSError), match=r"labels/t0\.safetensors"):
        fitting.fit(train_config(), MODEL, tmp_path, tmp_path / "train")
