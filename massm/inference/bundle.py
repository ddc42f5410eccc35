"""A model folder: all that turns a scan into shapes, to be carried away from the run that made it.

``model.safetensors`` holds the weights, ``shapes.safetensors`` template, shape model and training
statistics of each anatomy, ``fit.safetensors`` (by option) what new shapes are fitted to,
``card.md`` says it all in words, and ``model.json`` holds all else: the description of a trained
model, and beside it, under ``bundle``, the facts, what it was made with, and the SHA-256 of the
other files. No name and no image of a training subject is in it; templates and references are the
shapes of single subjects, or mean shapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from massm.config.models.family import NetworkConfig
from massm.inference.anatomy_shapes import (
    ADVICE,
    AnatomyShapes,
    load_shapes,
    shapes_and_statistics,
)
from massm.inference.card import card_of
from massm.inference.facts import Facts
from massm.inference.fit_model import FitModel, fit_arrays, load_fit_model
from massm.inference.statistics import TrainingStatistics
from massm.io import documents, tensors
from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.text import read_text
from massm.io.weights import save_weights
from massm.machine.versions import commit, package_versions
from massm.models.blocks.direct_conv3d import convolve_directly
from massm.models.interface import Model
from massm.models.saved import (
    DESCRIPTION,
    VERSION,
    WEIGHTS,
    Description,
    document_of,
    load_model,
)

SHAPES, FITS, CARD = "shapes.safetensors", "fit.safetensors", "card.md"
SCHEMA = 2


@dataclass(frozen=True)
class Contents:
    """What is written to a model folder, beside the trained model itself.

    Attributes:
        shapes: Of each anatomy that the model predicts.
        statistics: Of the training subjects, of each.
        fits: What new shapes of each are fitted to; None: the folder cannot fit.
        facts: How it predicts, and what it was made of.
    """

    shapes: Mapping[str, AnatomyShapes]
    statistics: Mapping[str, TrainingStatistics]
    fits: Mapping[str, FitModel] | None
    facts: Facts


@dataclass(frozen=True)
class Bundle:
    """A model that was loaded from its folder.

    Attributes:
        folder: Where it lies.
        model: The network, on the CPU.
        description: Its anatomies, preprocessing and thresholds.
        shapes: Template, shape model and warp of each anatomy.
        statistics: Where training subjects lie, of each anatomy.
        facts: How it predicts, and what it was made of.
        card: The model card, Markdown.
        versions: Versions of the packages that the folder was made with.
        commit: Commit of the code that made it; None if that is not known.
        files: SHA-256 of each file but the description.
    """

    folder: Path
    model: Model
    description: Description
    shapes: dict[str, AnatomyShapes]
    statistics: dict[str, TrainingStatistics]
    facts: Facts
    card: str
    versions: dict[str, str]
    commit: str | None
    files: dict[str, str]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Rows of the evaluation of the run that made the model; empty without one."""
        return self.facts.metrics

    def fit_model(self, anatomy: str) -> FitModel:
        """Read what new shapes of an anatomy are fitted to.

        Raises:
            DataError: If the folder does not know the anatomy, or was made without such.
        """
        if anatomy not in self.description.anatomies:
            raise DataError(
                f"{self.folder} knows no {anatomy}, it has {', '.join(self.description.anatomies)}"
            )
        if FITS not in self.files:
            raise DataError(
                f"{self.folder} holds nothing to fit shapes to; make it anew with bundle.fit: true"
            )
        return load_fit_model(self.folder / FITS, anatomy, self.description.particles)


def write_bundle(
    train: Path,
    contents: Contents,
    entry: NetworkConfig,
    folder: Path,
    weights: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the folder of a trained model, each file whole or not at all, the description last.

    Args:
        train: Folder ``train/{model}`` with weights and description.
        contents: All else.
        entry: The model's entry of the configuration: it may predict otherwise than it was saved.
        folder: Where to write to; files of an earlier one are replaced or removed.
        weights: Written in the place of the trained ones.

    Raises:
        DataError: If the model is damaged, or a shape does not belong to it.
    """
    model, description = load_model(train, entry)
    _refuse_other_shapes(contents.shapes, description, train)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DESCRIPTION, FITS):
        (folder / name).unlink(missing_ok=True)
    state = dict(weights if weights is not None else model.state_dict())
    if contents.facts.precision == "half":
        state |= {name: state[name].half() for name, _ in model.named_parameters()}
    save_weights(state, folder / WEIGHTS)
    shapes = {name: contents.shapes[name] for name in description.anatomies}
    tensors.save(shapes_and_statistics(shapes, contents.statistics), folder / SHAPES)
    if contents.fits is not None:
        single = contents.facts.template == "mean"
        tensors.save(fit_arrays(contents.fits, single=single), folder / FITS)
    files = [WEIGHTS, SHAPES, *([FITS] if contents.fits is not None else [])]
    versions, made_at = package_versions(), commit()
    marks = {name: digest(folder / name) for name in files}
    card = card_of(description, contents.facts, versions=versions, commit=made_at, files=marks)
    _write_text(card, folder / CARD)
    marks[CARD] = digest(folder / CARD)
    own = {
        "schema": SCHEMA,
        **contents.facts.document(),
        "regularization_mm": {name: shapes[name].regularization_mm for name in shapes},
        "training_shapes": {name: contents.statistics[name].subjects for name in shapes},
        "versions": versions,
        "commit": made_at,
        "files": marks,
    }
    document = document_of(description)
    documents.write_json(document | {"bundle": own}, folder / DESCRIPTION)


def load_bundle(folder: Path) -> Bundle:
    """Read a model folder; nothing else is needed to predict.

    The model's convolutions are done directly, which moves particles by rounding alone, some 1e-5
    mm, and takes a third of the time.

    Raises:
        DataError: If it is no model folder, a file is missing or does not fit its hash, a newer
            version has made it, or its parts do not belong together.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DataError(f"{folder} is no model folder: it lacks {DESCRIPTION}; {ADVICE}")
    document = documents.read_json(path)
    own = document.get("bundle")
    if not isinstance(own, dict):
        raise DataError(
            f"{path} describes a trained model without its shapes; {ADVICE}, or name that folder"
        )
    _refuse_other_version(own.get("schema"), SCHEMA, path, "schema")
    _refuse_other_version(document.get("version"), VERSION, path, "version")
    with named(path, "not the description of a model folder", ADVICE):
        files = {str(name): str(mark) for name, mark in own["files"].items()}
        _refuse_changed(folder, {name: files[name] for name in (WEIGHTS, SHAPES, CARD)} | files)
        smoothing = {str(name): float(value) for name, value in own["regularization_mm"].items()}
        subjects = {str(name): int(count) for name, count in own["training_shapes"].items()}
        facts, versions = Facts.of_document(own), dict(own["versions"])
        made_at = own["commit"]
    model, description = load_model(folder)
    convolve_directly(model)
    for anatomy in description.anatomies:
        if anatomy not in smoothing or anatomy not in subjects:
            raise DataError(f"{path} does not say how {anatomy} is warped; {ADVICE}")
    shapes, statistics = load_shapes(folder / SHAPES, description.particles, smoothing, subjects)
    card = read_text(folder / CARD)
    return Bundle(
        *(folder, model, description, shapes, statistics, facts, card, versions, made_at, files)
    )


def _refuse_other_shapes(
    shapes: Mapping[str, AnatomyShapes], description: Description, train: Path
) -> None:
    for anatomy in description.anatomies:
        if anatomy not in shapes:
            raise DataError(
                f"the model in {train} predicts {anatomy}, for which there is no shape; "
                f"there are {', '.join(sorted(shapes))}"
            )
        found = len(shapes[anatomy].particles)
        if found != description.particles:
            raise DataError(
                f"{anatomy}: the template has {found} particles, the model in {train} was trained "
                f"with {description.particles}; run correspond and train with one configuration"
            )


def _refuse_other_version(found: Any, known: int, path: Path, what: str) -> None:
    if not isinstance(found, int):
        raise DataError(f"{path}: {what} {found}, expected {known}; {ADVICE}")
    if found > known:
        raise DataError(
            f"{path}: {what} {found} is newer than this massm, which reads {known}; update massm"
        )
    if found < known:
        raise DataError(f"{path}: {what} {found} is older than what is read, {known}; {ADVICE}")


def _refuse_changed(folder: Path, hashes: Mapping[str, str]) -> None:
    """Refuse files that are not those whose SHA-256 was written down."""
    for name, expected in hashes.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise DataError(f"{folder} lacks {name}; {ADVICE}")
        found = digest(folder / name)
        if found != expected:
            raise DataError(
                f"{folder / name} is not the file that belongs to {DESCRIPTION}: its SHA-256 is "
                f"{found}, expected {expected}; {ADVICE}"
            )


def _write_text(text: str, path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
