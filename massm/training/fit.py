"""Train a model from tensors on disk: Trainer from the config, resume, thresholds, outputs."""

import hashlib
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from massm.config.models.family import NetworkConfig
from massm.config.train import TrainConfig
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.weights import load_weights
from massm.machine.cores import usable_cores
from massm.machine.devices import refuse_missing_gpus
from massm.machine.precision import Precision, chosen_precision
from massm.machine.versions import commit
from massm.models.families import build_model
from massm.models.interface import Model
from massm.models.predict import score_of
from massm.models.saved import Description, save_model
from massm.tensors.dataset import generator_for, label_file
from massm.tensors.manifest import Manifest, read_manifest
from massm.tensors.mirroring import mirrored_file
from massm.tensors.sample import Template
from massm.tensors.template import load_template
from massm.training.columns import Columns
from massm.training.data import CohortData
from massm.training.history import History
from massm.training.module import TrainingModule
from massm.training.resume import CHECKPOINT, checkpoint_of, start_run
from massm.training.thresholds import presence_threshold

log = logging.getLogger(__name__)

# Values that may change between interruption and resumption without making it another run.
_FREE = TrainConfig.execution_only | {"epochs", "validate_every", "select", "threshold_fraction"}


class KeepLast(ModelCheckpoint):
    """Keep the checkpoint of the last epoch; say which file it is where that cannot be written."""

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the checkpoint."""
        try:
            super().on_train_epoch_end(trainer, pl_module)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OSError(
                error.errno,
                f"could not write {self.dirpath}/{CHECKPOINT}: {reason}; free space and run again, "
                "training goes on from the epoch before",
            ) from error


def fit(
    config: TrainConfig,
    entry: NetworkConfig,
    tensors: Path,
    output: Path,
    anatomies: Sequence[str] | None = None,
) -> None:
    """Train, or go on training, and write the model.

    ``output`` gets ``last.ckpt`` and a row of ``history.csv`` after every epoch, and at the end
    ``model.safetensors``, ``model.json`` and ``curves.csv``, the whole history. A ``last.ckpt`` of
    the same configuration and tensors is continued; one of another run, or a damaged one, is
    replaced, with a line in the log.

    Args:
        config: Schedule, augmentation, machine.
        entry: The network and its objective.
        tensors: Folder of the tensors stage.
        output: Folder of this model's results.
        anatomies: Those that the network is for; None: all of the tensors.

    Raises:
        ValueError: If a GPU is asked for and there is none.
        DataError: If the best weights are asked for and no validation subject has an anatomy or no
            validation gave a finite error, or if they are lost while training.
        NonFiniteLossError: If a loss is not finite.
    """
    refuse_missing_gpus(config.accelerator, config.devices)
    precision = chosen_precision(config.precision, config.accelerator)
    config = config.model_copy(update={"precision": precision})
    torch.set_num_threads(1)  # building and pretraining work on small arrays: more would wait
    manifest = read_manifest(tensors / "manifest.json")
    template = load_template(tensors / "template.safetensors")
    rows = manifest.rows_of(anatomies)
    torch.manual_seed(generator_for(config.seed, 0, "weights").initial_seed())
    model = build_model(entry, template.take(rows), manifest.preprocessing)
    labels = tensors / "labels" if entry.facts.trains_on == "labels" else None
    seen = seen_by(model, manifest)
    data = CohortData(config, tensors, seen, template, model.stride, rows, labels)
    module = TrainingModule(model, config)
    if config.select == "best" and not _can_validate(data):
        raise DataError(
            "train.select is best, but there is no validation subject with one of "
            f"{', '.join(data.manifest.anatomies)}; set it to last"
        )
    log.info(
        "%s: %.2f million parameters, %s", entry.family, _count(module) / 1e6, config.precision
    )

    run = fingerprint(config, entry, data.manifest, data.template, tensors)
    best = output / "best.safetensors" if config.select == "best" else None
    checkpoint = checkpoint_of(output, run, module, config.epochs, best)
    if checkpoint is None:
        model.prepare(data.particles, generator_for(config.seed, 0, "prepare"))
    columns = Columns.of(model)
    history = History(output / "history.csv", columns, config.epochs, config.validate_every, best)
    trainer = _trainer(config, precision, output, history)
    torch.set_num_threads(config.threads or usable_cores())
    start_run(output, run)
    trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    if not trainer.is_global_zero:
        return
    if best is not None:
        if not best.exists():
            raise DataError(
                "train.select is best, but no validation gave a finite error; look at "
                f"{history.path}, or set it to last"
            )
        model.load_state_dict(load_weights(best))
    device = "cuda" if config.accelerator == "gpu" else "cpu"
    model.to(device)
    model.conclude(batch.to(device) for batch in data.batches("validation"))
    thresholds = _thresholds(entry, model, data, config.threshold_fraction)
    description = Description(
        model=entry,
        anatomies=data.manifest.anatomies,
        particles=manifest.particles,
        modes=template.modes_local.shape[1],
        preprocessing=manifest.preprocessing,
        thresholds=thresholds,
        trained={
            "epochs": config.epochs,
            "subjects": len(manifest.of_split("train")),
            "parameters": sum(p.numel() for p in model.parameters()),
            "select": config.select,
            "precision": config.precision,
            "commit": commit() or "unknown",
        },
    )
    history.write(output / "curves.csv")
    save_model(model, description, output)


def seen_by(model: Model, manifest: Manifest) -> Manifest:
    """Return the manifest without a finer image if the network does not look at it."""
    if model.sees_fine:
        return manifest
    return replace(manifest, preprocessing=manifest.preprocessing.without_fine())


def fingerprint(
    config: TrainConfig,
    entry: NetworkConfig,
    manifest: Manifest,
    template: Template,
    tensors: Path,
) -> str:
    """Return a hash of all that decides a run's course, to tell a resumable checkpoint.

    Args:
        config: Schedule and augmentation.
        entry: The network and its objective.
        manifest: Of the anatomies that the network is for.
        template: Of the same.
        tensors: Folder of the tensors stage, for what else the network learns from: labels, and
            training subjects in a mirror.
    """
    train, validation = (manifest.of_split(split) for split in ("train", "validation"))
    parts: list[Any] = [
        config.model_dump(mode="json", exclude=set(_FREE)),
        entry.learned(),
        manifest.anatomies,
        manifest.preprocessing.model_dump(mode="json"),
        [(one.subject, one.split, one.sha256) for one in (*train, *validation)],  # not test
        {name: _digest(value) for name, value in vars(template).items()},
    ]
    if entry.facts.trains_on == "labels":
        files = [label_file(tensors / "labels", one.subject) for one in (*train, *validation)]
        parts.append([digest(file) for file in files])
    if config.augment.mirror_probability > 0:
        parts.append([digest(mirrored_file(tensors, one.subject)) for one in train])
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(values: Tensor) -> str:
    return hashlib.sha256(values.contiguous().numpy().tobytes()).hexdigest()


def _can_validate(data: CohortData) -> bool:
    """Tell whether a validation subject has one of the anatomies, so that errors can be taken."""
    dataset = data.dataset("validation")
    return any(bool(dataset.truth(row).presence.eq(1).any()) for row in range(len(dataset)))


def _thresholds(
    entry: NetworkConfig, model: Model, data: CohortData, fraction: float
) -> dict[str, float]:
    """Choose from which score on anatomies count as present.

    Scores of boxes are compared on the validation split. A score that is the probability of a voxel
    has its threshold by itself, and a model without either finds everything.
    """
    gives = entry.facts.gives
    if "boxes" in gives:
        return choose_thresholds(model, data, fraction)
    return dict.fromkeys(data.manifest.anatomies, 0.5 if "labels" in gives else 0.0)


def choose_thresholds(model: Model, data: CohortData, fraction: float) -> dict[str, float]:
    """Choose the presence threshold of every anatomy on the validation split.

    Where validation has no example of one that is there, or of one that is not, but training has,
    those are used; this depends on no other anatomy.
    """
    validation = _scores(model, data, "validation")
    lacking = any(not present or not absent for present, absent in validation)
    training = _scores(model, data, "train") if lacking else validation
    thresholds = {}
    for k, anatomy in enumerate(data.manifest.anatomies):
        present, absent = validation[k]
        thresholds[anatomy] = presence_threshold(
            present or training[k][0], absent or training[k][1], fraction=fraction
        )
    log.info("presence thresholds: %s", {k: round(v, 3) for k, v in thresholds.items()})
    return thresholds


def _scores(model: Model, data: CohortData, split: str) -> list[tuple[list[float], list[float]]]:
    """Return per anatomy the scores of subjects that have it and of those that lack it."""
    scores: list[tuple[list[float], list[float]]] = [([], []) for _ in data.manifest.anatomies]
    device = next(model.parameters()).device
    for batch in data.batches(split):
        images = batch.images.to(device)
        found = model.forward_each(images)
        score = score_of(found, len(images.subjects), len(data.manifest.anatomies))
        for row, presence in zip(score, batch.truth.presence, strict=True):
            for k, (value, known) in enumerate(zip(row.tolist(), presence.tolist(), strict=True)):
                if known >= 0:
                    scores[k][0 if known == 1 else 1].append(value)
    return scores


def _trainer(
    config: TrainConfig, precision: Precision, output: Path, history: History
) -> lightning.Trainer:
    # Lightning's own lines (accelerators not found, tips) would bury one line per epoch.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*(srun|Checkpoint directory|treespec).*")
    keep_last = KeepLast(
        dirpath=output,
        filename=Path(CHECKPOINT).stem,
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return lightning.Trainer(
        default_root_dir=output,
        max_epochs=config.epochs,
        accelerator=config.accelerator,
        devices=config.devices,
        # Which weights have a gradient depends on the epoch's loss weights and the world head.
        strategy="ddp_find_unused_parameters_true" if config.devices > 1 else "auto",
        # One job on one node: what a cluster's variables say is the workflow's business.
        plugins=[LightningEnvironment()],
        precision=precision,
        gradient_clip_val=config.gradient_clip or None,
        callbacks=[history, keep_last],
        check_val_every_n_epoch=config.validate_every,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _count(module: TrainingModule) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
