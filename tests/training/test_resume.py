"""What an interrupted run left on disk is continued if it is whole, and never trusted unread."""

import json
import logging
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from massm.models.families import build_model
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from massm.training import fit as fitting
from massm.training.module import TrainingModule
from massm.training.resume import UnusableError, best_error, checkpoint_of
from tests.toy_cohort import Cohort, model_config, train_config

MODEL = model_config(world={"pretrain_steps": 5}, local={"hidden": [8]}, roi={"channels": 2})
CONFIG = train_config(select="best")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort(train=2, validation=1).write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """Two epochs without interruption."""
    output = tmp_path_factory.mktemp("whole")
    fitting.fit(CONFIG, MODEL, folder, output)
    return output


@pytest.fixture(scope="module")
def after_one(folder, tmp_path_factory):
    """What a run that died after its first epoch left."""
    output = tmp_path_factory.mktemp("one")
    started = fitting.KeepLast.on_train_epoch_end

    def dying(self, trainer, module):
        started(self, trainer, module)
        raise InterruptionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fitting.KeepLast, "on_train_epoch_end", dying)
        with pytest.raises(InterruptionError):
            fitting.fit(CONFIG, MODEL, folder, output)
    return output


class InterruptionError(Exception):
    """What a killed job looks like from inside."""


@pytest.fixture
def left(after_one, tmp_path):
    shutil.copytree(after_one, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture(scope="module")
def network(folder):
    return build(folder, MODEL)


def build(folder, model):
    template = load_template(folder / "template.safetensors")
    preprocessing = read_manifest(folder / "manifest.json").preprocessing
    return TrainingModule(build_model(model, template, preprocessing), CONFIG)


def asked(left, network, epochs=9):
    run = json.loads((left / "run.json").read_text(encoding="utf-8"))["fingerprint"]
    return checkpoint_of(left, run, network, epochs, left / "best.safetensors")


def curves(output):
    lines = (output / "curves.csv").read_text(encoding="utf-8").splitlines()
    return [[v for i, v in enumerate(line.split(",")) if i != 1] for line in lines]


def assert_same_run(whole, output):
    first, second = (load_file(path / "model.safetensors") for path in (whole, output))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert curves(whole) == curves(output)


def cut(path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def test_a_whole_checkpoint_is_continued(folder, whole, left, network, caplog):
    assert asked(left, network) == left / "last.ckpt"
    with caplog.at_level(logging.INFO):
        fitting.fit(CONFIG, MODEL, folder, left)
    assert "after epoch 1" in caplog.text
    assert "epoch 1/2" not in caplog.text
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING and "massm" in r.name]
    assert_same_run(whole, left)


@pytest.mark.parametrize("share", [0.0, 1e-4, 0.01, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_a_cut_checkpoint_is_said_and_removed(left, network, caplog, share):
    cut(left / "last.ckpt", share)
    assert asked(left, network) is None
    assert not (left / "last.ckpt").exists()
    assert "last.ckpt cannot be continued" in caplog.text
    assert "starts anew" in caplog.text


def test_a_checkpoint_of_more_epochs_than_are_asked_for_is_not_continued(left, network, caplog):
    assert asked(left, network, epochs=1) == left / "last.ckpt"
    assert asked(left, network, epochs=0) is None
    assert "it is of epoch 1, and train.epochs is 0 now" in caplog.text


def test_flipped_bits_of_a_checkpoint_raise_nothing(left, network):
    content = (left / "last.ckpt").read_bytes()
    rng = np.random.default_rng(0)
    places = [*rng.integers(0, len(content), 25), *range(len(content) - 600, len(content), 20)]
    refused = 0
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        (left / "last.ckpt").write_bytes(flipped)
        refused += asked(left, network) is None
    assert refused > 0.5 * len(places)


@pytest.mark.parametrize("content", [b"", b'{"finge', b"null", b"[1]", b"\xff\xfe\x00", b"{}"])
def test_a_damaged_run_file_starts_anew(left, network, caplog, content):
    run = json.loads((left / "run.json").read_text(encoding="utf-8"))["fingerprint"]
    (left / "run.json").write_bytes(content)
    assert checkpoint_of(left, run, network, 9, None) is None
    assert "run.json" in caplog.text


def test_a_checkpoint_of_another_network_starts_anew(folder, left, caplog):
    """As after an update of the code: the configuration is the same, the weights are not."""
    other = MODEL.model_copy(update={"roi": MODEL.roi.model_copy(update={"channels": 3})})
    assert asked(left, build(folder, other)) is None
    assert "does not fit this network: model.local.mlp.0.weight is (8," in caplog.text


def test_a_file_that_is_no_checkpoint_starts_anew(left, network, caplog):
    torch.save({"epoch": 0}, left / "last.ckpt")
    assert asked(left, network) is None
    assert "no checkpoint of a training run" in caplog.text


def test_a_checkpoint_out_of_step_with_its_own_history_starts_anew(left, network, caplog):
    content = torch.load(left / "last.ckpt", weights_only=True)
    content["callbacks"]["History"]["rows"] *= 2
    torch.save(content, left / "last.ckpt")
    assert asked(left, network) is None
    assert "is of epoch 1, its history of epochs [1, 1]" in caplog.text


@pytest.mark.parametrize("what", ["cut", "missing", "other"])
def test_best_weights_that_are_lost_start_anew(left, network, caplog, what):
    best = left / "best.safetensors"
    if what == "cut":
        cut(best, 0.7)
    elif what == "missing":
        best.unlink()
    else:  # a worse one than the history tells of
        save_file(load_file(best), best, metadata={"validation_particle_mm": "1e9"})
    assert asked(left, network) is None
    assert "best.safetensors" in caplog.text


def test_best_weights_of_an_epoch_that_died_before_its_checkpoint_count(left, network):
    best = left / "best.safetensors"
    save_file(load_file(best), best, metadata={"validation_particle_mm": "0.5"})
    assert asked(left, network) == left / "last.ckpt"
    assert best_error(best, [{"validation_particle_mm": 3.0}], "validation_particle_mm") == 0.5


def test_best_weights_without_a_finite_error_are_not_trusted(left):
    best, selects = left / "best.safetensors", "validation_particle_mm"
    save_file(load_file(best), best, metadata={selects: "nan"})
    with pytest.raises(UnusableError, match="an error of nan"):
        best_error(best, [{selects: float("nan")}], selects)


@pytest.mark.parametrize("damage", ["checkpoint", "best"])
def test_training_starts_anew_and_ends_as_if_nothing_had_been(folder, whole, left, caplog, damage):
    cut(left / {"checkpoint": "last.ckpt", "best": "best.safetensors"}[damage], 0.6)
    with caplog.at_level(logging.INFO):
        fitting.fit(CONFIG, MODEL, folder, left)
    assert "training starts anew" in caplog.text
    assert "epoch 1/2" in caplog.text
    assert_same_run(whole, left)


@pytest.mark.parametrize("found", ["cut", "empty", "missing", "ahead"])
def test_the_history_file_is_brought_to_the_checkpoint(folder, whole, left, caplog, found):
    history = left / "history.csv"
    if found == "cut":
        cut(history, 0.8)
    elif found == "empty":
        history.write_bytes(b"")
    elif found == "missing":
        history.unlink()
    else:
        history.write_bytes(history.read_bytes() + b"2,9,9\n")
    fitting.fit(CONFIG, MODEL, folder, left)
    assert "history.csv did not hold epochs 1 to 1" in caplog.text
    assert_same_run(whole, left)


def test_a_finished_run_writes_its_outputs_again(folder, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    for name in ("model.safetensors", "history.csv", "curves.csv"):
        (tmp_path / "run" / name).unlink()
    fitting.fit(CONFIG, MODEL, folder, tmp_path / "run")
    assert_same_run(whole, tmp_path / "run")


def test_a_checkpoint_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch):
    def full(self, trainer, module):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fitting.ModelCheckpoint, "on_train_epoch_end", full)
    with pytest.raises(OSError, match=r"could not write .*last\.ckpt: No space left"):
        fitting.fit(CONFIG, MODEL, folder, tmp_path)
