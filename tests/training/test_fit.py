"""Training: outputs, resumption, and the ways it stops."""

import csv
import json
import logging
from dataclasses import replace

import lightning
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from massm.config.predict import PredictConfig
from massm.io import predictions
from massm.io.errors import DataError
from massm.machine import precision
from massm.machine.versions import commit
from massm.models.interface import TrainingParticles
from massm.models.massm.model import Massm
from massm.models.saved import load_model
from massm.stages import predict as predict_stage
from massm.tensors.dataset import SubjectDataset
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from massm.training import fit as fitting
from massm.training.data import CohortData
from massm.training.module import NonFiniteLossError, TrainingModule
from massm.training.thresholds import presence_threshold
from tests.toy_cohort import ANATOMIES, PARTICLES, Cohort, model_config, train_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """Two epochs without interruption."""
    output = tmp_path_factory.mktemp("train")
    fitting.fit(train_config(), small_model(), folder, output)
    return output


def small_model():
    return model_config(refine={"steps": 1}, world={"pretrain_steps": 20})


def test_the_number_format_is_that_of_the_machine_where_none_is_named(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: True)
    seen = set()

    def loss(self, batch, step):
        seen.add(torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu"))
        return original(self, batch, step)

    original = Massm.loss
    monkeypatch.setattr(Massm, "loss", loss)
    fitting.fit(train_config(epochs=1, precision="auto"), small_model(), folder, tmp_path)
    assert seen == {torch.bfloat16}
    _, description = load_model(tmp_path)
    assert description.trained["precision"] == "bf16-mixed"


class InterruptionError(Exception):
    """What a killed job looks like from inside."""


def interrupt_after(monkeypatch, epochs):
    """Make training die when the given number of epochs is done."""
    started = lightning.pytorch.callbacks.ModelCheckpoint.on_train_epoch_end

    def dying(self, trainer, module):
        started(self, trainer, module)
        if trainer.current_epoch + 1 == epochs:
            raise InterruptionError

    monkeypatch.setattr(lightning.pytorch.callbacks.ModelCheckpoint, "on_train_epoch_end", dying)


def rows(output, name="history.csv"):
    with (output / name).open() as file:
        return list(csv.DictReader(file))


def test_outputs_rebuild_the_model(folder, trained):
    model, description = load_model(trained)
    assert description.anatomies == ANATOMIES
    assert description.particles == PARTICLES
    assert set(description.thresholds) == set(ANATOMIES)
    assert description.trained["commit"] == (commit() or "unknown")
    weights = load_file(trained / "model.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name])
    template = load_file(folder / "template.safetensors")
    assert torch.equal(weights["local.template"], template["template_local"])


def test_a_loaded_model_has_no_shapes_to_be_prepared_with(trained):
    model, _ = load_model(trained)
    shapes = torch.randn(2, 2, PARTICLES, 3)
    present = torch.ones(2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="template of the tensors stage"):
        model.prepare(
            lambda: TrainingParticles(shapes, shapes, present, shapes[:, 0, 0]), torch.Generator()
        )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"", r"model\.safetensors is damaged or cut .*train again"),
        ("model.safetensors", 0.5, r"model\.safetensors is damaged or cut .*train again"),
        ("model.json", b"null", r"model\.json holds NoneType, expected an object"),
        ("model.json", b"{}", r"model\.json: version none, expected 5; train again"),
        ("model.json", b'{"version": 4}', r"model\.json: version 4, expected 5; train again"),
        ("model.json", b'{"version": 5}', r"model\.json is not a description .*'model'"),
        ("model.json", 0.5, r"model\.json: not valid JSON"),
    ],
)
def test_a_damaged_model_is_named(trained, tmp_path, name, content, message):
    for file in ("model.safetensors", "model.json"):
        (tmp_path / file).write_bytes((trained / file).read_bytes())
    whole = (tmp_path / name).read_bytes()
    share = content if isinstance(content, float) else None
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))] if share else content)
    with pytest.raises(DataError, match=message):
        load_model(tmp_path)


def test_history_has_a_row_per_epoch_with_all_terms(trained):
    found = rows(trained)
    assert rows(trained, "curves.csv") == found
    assert [int(row["epoch"]) for row in found] == [1, 2]
    for row in found:
        for name in ("loss", "heatmap", "radius", "offset", "local", "refine", "world"):
            assert float(row[name]) >= 0
        assert float(row["validation_particle_mm"]) > 0
        assert float(row["validation_center_mm"]) > 0
    assert float(found[1]["learning_rate"]) == pytest.approx(0.9 * float(found[0]["learning_rate"]))


def test_the_checkpoint_is_no_unsafe_pickle(trained):
    assert "state_dict" in torch.load(trained / "last.ckpt", weights_only=True)


def test_interrupted_and_resumed_equals_uninterrupted(folder, trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        interrupt_after(patched, 1)
        with pytest.raises(InterruptionError):
            fitting.fit(train_config(), small_model(), folder, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    fitting.fit(train_config(), small_model(), folder, tmp_path)

    whole, resumed = (load_file(path / "model.safetensors") for path in (trained, tmp_path))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    for first, second in zip(rows(trained), rows(tmp_path), strict=True):
        assert first == second


def test_a_checkpoint_of_another_configuration_is_not_continued(folder, tmp_path, caplog):
    (tmp_path / "last.ckpt").write_bytes(b"old")
    (tmp_path / "run.json").write_text(json.dumps({"fingerprint": "another"}))
    with caplog.at_level(logging.WARNING):
        fitting.fit(train_config(epochs=1), small_model(), folder, tmp_path)
    assert "another configuration" in caplog.text
    assert len(rows(tmp_path)) == 1


def test_another_normalization_of_the_same_files_is_another_run(folder):
    manifest = read_manifest(folder / "manifest.json")
    preprocessing = manifest.preprocessing
    intensity = replace(preprocessing.intensity, high=preprocessing.intensity.high + 1)
    other = replace(
        manifest, preprocessing=preprocessing.model_copy(update={"intensity": intensity})
    )
    first, second = (
        fitting.fingerprint(
            *(train_config(), small_model(), each),
            *(load_template(folder / "template.safetensors"), folder),
        )
        for each in (manifest, other)
    )
    assert first != second


def test_another_template_of_the_same_files_is_another_run(folder):
    """Another medoid is not seen in the subjects' files."""
    manifest = read_manifest(folder / "manifest.json")
    template = load_template(folder / "template.safetensors")
    marks = {
        fitting.fingerprint(train_config(), small_model(), manifest, each, folder)
        for each in (
            template,
            replace(template, local=template.local.flip(1)),
            replace(template, normals=-template.normals),
        )
    }
    assert len(marks) == 3
    again = load_template(folder / "template.safetensors")
    assert fitting.fingerprint(train_config(), small_model(), manifest, again, folder) in marks


def test_a_test_subject_more_is_no_other_run(folder):
    """Training reads none of them: a long run is not lost for one."""
    manifest = read_manifest(folder / "manifest.json")
    template = load_template(folder / "template.safetensors")
    marks = {}
    for split in ("train", "test"):
        more = replace(manifest.subjects[0], subject="more", split=split)
        other = replace(manifest, subjects=(*manifest.subjects, more))
        marks[split] = fitting.fingerprint(train_config(), small_model(), other, template, folder)
    own = fitting.fingerprint(train_config(), small_model(), manifest, template, folder)
    assert marks["test"] == own != marks["train"]


def test_the_log_has_one_line_per_epoch_with_what_is_left(folder, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="massm"):
        fitting.fit(train_config(select="best"), small_model(), folder, tmp_path)
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("epoch ")]
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2")
    assert all("particle" in line and "left" in line for line in lines)


def test_the_best_weights_need_a_validation_subject(tmp_path):
    tensors = Cohort(train=2, validation=0).write(tmp_path / "tensors")
    with pytest.raises(DataError, match=r"train\.select is best"):
        fitting.fit(train_config(select="best"), small_model(), tensors, tmp_path / "train")


def test_the_best_weights_need_a_validation_subject_that_has_an_anatomy(
    folder, tmp_path, monkeypatch
):
    normal = SubjectDataset.truth

    def empty(self, index):
        truth = normal(self, index)
        truth.presence[:] = 0
        return truth

    monkeypatch.setattr(SubjectDataset, "truth", empty)
    with pytest.raises(DataError, match="no validation subject with one of bright, dark"):
        fitting.fit(train_config(select="best"), small_model(), folder, tmp_path)


def test_an_error_that_is_not_finite_is_never_the_best(folder, tmp_path, monkeypatch):
    nothing = {"validation_particle_mm": float("nan"), "validation_center_mm": float("nan")}
    monkeypatch.setattr(TrainingModule, "validation_means", lambda self: nothing)
    with pytest.raises(DataError, match="no validation gave a finite error"):
        fitting.fit(train_config(select="best", epochs=1), small_model(), folder, tmp_path)
    assert not (tmp_path / "best.safetensors").exists()


def test_the_threshold_of_an_anatomy_does_not_depend_on_the_others(folder, trained, monkeypatch):
    """The first has both examples in validation, the second lacks one of them, then the other."""
    both, training = ([0.9], [0.2]), [([0.6], [0.5]), ([0.8], [0.1])]
    model, manifest = load_model(trained)[0], read_manifest(folder / "manifest.json")
    template = load_template(folder / "template.safetensors")
    data = CohortData(train_config(), folder, manifest, template, model.stride)
    chosen = []
    for other in (([0.7], []), ([], [0.3]), both):
        scores = {"validation": [both, other], "train": training}
        monkeypatch.setattr(fitting, "_scores", lambda model, data, split, of=scores: of[split])
        chosen.append(fitting.choose_thresholds(model, data, 0.5))
    assert len({each["bright"] for each in chosen}) == 1
    expected = [presence_threshold(*of, fraction=0.5) for of in (([0.7], [0.1]), ([0.8], [0.3]))]
    assert [each["dark"] for each in chosen[:2]] == expected


def test_a_loss_that_is_not_finite_stops_with_the_place(folder, tmp_path, monkeypatch):
    normal = SubjectDataset.__getitem__

    def broken(self, index):
        sample = normal(self, index)
        if self.augmentation is not None and sample.subject == "t2":
            sample.truth.local[:] = float("inf")
        return sample

    monkeypatch.setattr(SubjectDataset, "__getitem__", broken)
    with pytest.raises(NonFiniteLossError, match=r"'\w+' became \w+ in epoch 1, batch \d.*t2"):
        fitting.fit(train_config(), small_model(), folder, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_an_error(folder, tmp_path):
    with pytest.raises(ValueError, match="accelerator is gpu"):
        fitting.fit(train_config(accelerator="gpu"), small_model(), folder, tmp_path)


def test_no_training_subject_is_refused(folder, tmp_path):
    manifest = read_manifest(folder / "manifest.json")
    none = type(manifest)(**{**vars(manifest), "subjects": tuple(manifest.of_split("validation"))})
    template = load_template(folder / "template.safetensors")
    with pytest.raises(DataError, match="no training subject"):
        CohortData(train_config(), folder, none, template, 4)


PREDICT = PredictConfig(splits=("validation",), batch_size=2, accelerator="cpu", threads=1)


def test_predictions_of_the_stage_are_whole(folder, trained, tmp_path):
    entry = small_model().model_copy(update={"box_updates": 1, "label": "Looks twice"})
    predict_stage.run(PREDICT, model=entry, tensors=folder, train=[trained], output=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t6.npz", "t7.npz"]
    found = predictions.read(tmp_path / "t6.npz")
    assert found.anatomies == ANATOMIES
    assert found.boxes.center.shape == found.boxes.radius.shape == (2, 3)
    assert found.local.shape == (2, PARTICLES, 3)
    assert list(found.world) == ["cvae", "procrustes"]
    assert {particles.shape for particles in found.world.values()} == {(2, PARTICLES, 3)}
    assert np.isnan(found.local[~found.present]).all()


def test_a_model_predicts_as_its_entry_says_if_its_weights_fit_that(trained):
    again = small_model().model_copy(update={"box_updates": 2})
    model, description = load_model(trained, again)
    assert model.config.box_updates == description.model.box_updates == 2
    with pytest.raises(DataError, match=r"model\.json: .*other values of detection, refine; train"):
        load_model(trained, model_config(detection={"channels": 4}, world={"pretrain_steps": 20}))


def test_a_network_of_one_anatomy_is_trained_and_predicted_as_if_there_were_no_others(
    folder, tmp_path
):
    for name in ANATOMIES:
        fitting.fit(train_config(epochs=1), small_model(), folder, tmp_path / name, [name])
        assert load_model(tmp_path / name)[1].anatomies == (name,)
    predict_stage.run(
        PREDICT,
        model=small_model(),
        tensors=folder,
        train=[tmp_path / name for name in ANATOMIES],
        output=tmp_path / "predict",
    )
    found = predictions.read(tmp_path / "predict/t6.npz")
    assert found.anatomies == ANATOMIES
    assert found.local.shape == (2, PARTICLES, 3)
    alone = tmp_path / "alone"
    predict_stage.run(
        PREDICT, model=small_model(), tensors=folder, train=[tmp_path / "dark"], output=alone
    )
    np.testing.assert_array_equal(predictions.read(alone / "t6.npz").local[0], found.local[1])


def test_a_trained_family_without_a_folder_of_weights_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="massm is a trained family"):
        predict_stage.run(PREDICT, model=small_model(), tensors=folder, output=tmp_path)


def test_tensors_of_another_grid_are_refused(folder, trained, tmp_path):
    document = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in ("template.safetensors", "t6.safetensors", "t7.safetensors"):
        (tmp_path / name).symlink_to(folder / name)
    document["preprocessing"]["spacing_mm"] = 2.0
    document["preprocessing"]["fine_spacing_mm"] = None
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="spacing_mm 2.0, the model was trained with 4.0"):
        predict_stage.run(
            PREDICT, model=small_model(), tensors=tmp_path, train=[trained], output=tmp_path / "out"
        )
