"""A model folder: all that turns a scan into shapes, to be carried away from the run that made it.

``model.safetensors`` holds the weights, ``shapes.safetensors`` template, shape model and training
statistics of each anatomy, ``fit.safetensors`` (by option) what new shapes are fitted to,
``intervals.npz`` and ``trust.npz`` (if the run made some) how far off particles may be and what is
usual of predictions, ``card.md`` says it all in words, and ``model.json`` holds all else: the
description of a trained model, and beside it, under ``bundle``, the facts, what it was made with,
and the SHA-256 of the other files. No name and no image of a training subject is in it; templates
and references are the shapes of single subjects, or mean shapes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from massm.config.models.family import NetworkConfig
from massm.inference.anatomy_shapes import AnatomyShapes, load_shapes, shapes_and_statistics
from massm.inference.card import card_of
from massm.inference.facts import Facts
from massm.inference.folder import (
    CARD,
    FITS,
    INTERVALS,
    SCHEMA,
    SHAPES,
    TRUST,
    read_folder,
    refuse_changed,
    refuse_other_intervals,
    refuse_other_trust,
)
from massm.inference.statistics import TrainingStatistics
from massm.io import documents, tensors
from massm.io.atomic import replacing
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.intervals import Intervals, write_intervals
from massm.io.trust import TrustTables, write_trust
from massm.io.weights import save_weights
from massm.machine.versions import commit, package_versions
from massm.models.blocks.direct_conv3d import convolve_directly
from massm.models.files import DESCRIPTION, WEIGHTS
from massm.models.interface import Model
from massm.models.saved import Description, document_of, load_model

if TYPE_CHECKING:
    from massm.fitting.fit_model import FitModel

_PLACES = ("mean", "template")  # last parts of the names of arrays of places
_LARGE = 1 << 16  # numbers of an array that is worth to be stored in half precision


@dataclass(frozen=True)
class Contents:
    """What is written to a model folder, beside the trained model itself.

    Attributes:
        shapes: Of each anatomy that the model predicts.
        statistics: Of the training subjects, of each.
        fits: What new shapes of each are fitted to; None: the folder cannot fit.
        facts: How it predicts, and what it was made of.
        intervals: How far off particles may be; None: the folder says nothing of that.
        trust: What is usual of predictions; None: the folder says nothing of that.
    """

    shapes: Mapping[str, AnatomyShapes]
    statistics: Mapping[str, TrainingStatistics]
    fits: "Mapping[str, FitModel] | None"
    facts: Facts
    intervals: Intervals | None = None
    trust: TrustTables | None = None


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
        intervals: How far off particles may be; None: the folder says nothing of that.
        trust: What is usual of predictions; None: the folder says nothing of that.
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
    intervals: Intervals | None
    trust: TrustTables | None

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Rows of the evaluation of the run that made the model; empty without one."""
        return self.facts.metrics

    def fit_model(self, anatomy: str) -> "FitModel":
        """Read what new shapes of an anatomy are fitted to.

        Raises:
            DataError: If the folder does not know the anatomy, was made without such, or what it
                holds is damaged or does not belong to the model.
        """
        if anatomy not in self.description.anatomies:
            raise DataError(
                f"{self.folder} knows no {anatomy}, it has {', '.join(self.description.anatomies)}"
            )
        if FITS not in self.files:
            raise DataError(
                f"{self.folder} holds nothing to fit shapes to; make it anew with bundle.fit: true"
            )
        from massm.inference.fit_file import load_fit_model  # a prediction needs no grooming

        refuse_changed(self.folder, {FITS: self.files[FITS]})  # since the folder was loaded
        anatomies = self.description.anatomies
        return load_fit_model(self.folder / FITS, anatomy, self.description.particles, anatomies)


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
    document = document_of(description)
    if contents.intervals is not None:
        refuse_other_intervals(contents.intervals, document, folder / INTERVALS)
    if contents.trust is not None:
        refuse_other_trust(contents.trust, document, folder / TRUST)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DESCRIPTION, FITS, INTERVALS, TRUST):
        (folder / name).unlink(missing_ok=True)
    state = dict(weights if weights is not None else model.state_dict())
    if contents.facts.precision == "half":
        state |= halved(state, {name for name, _ in model.named_parameters()})
    save_weights(state, folder / WEIGHTS)
    shapes = {name: contents.shapes[name] for name in description.anatomies}
    tensors.save(shapes_and_statistics(shapes, contents.statistics), folder / SHAPES)
    if contents.fits is not None:
        single = contents.facts.template == "mean"
        from massm.inference.fit_file import fit_arrays

        tensors.save(fit_arrays(contents.fits, single=single), folder / FITS)
    if contents.intervals is not None:
        write_intervals(contents.intervals, folder / INTERVALS)
    if contents.trust is not None:
        write_trust(contents.trust, folder / TRUST)
    files = [
        name for name in (WEIGHTS, SHAPES, FITS, INTERVALS, TRUST) if (folder / name).is_file()
    ]
    versions, made_at = package_versions(), commit()
    marks = {name: digest(folder / name) for name in files}
    card = card_of(
        *(description, contents.facts),
        intervals=contents.intervals,
        versions=versions,
        commit=made_at,
        files=marks,
    )
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
    documents.write_json(document | {"bundle": own}, folder / DESCRIPTION)


def load_bundle(folder: Path) -> Bundle:
    """Read a model folder; nothing else is needed to predict.

    The model's convolutions are done directly, which moves particles by rounding alone, some 1e-5
    mm, and takes a third of the time.

    Raises:
        DataError: If it is no model folder, a file is missing or does not fit its hash, a newer
            version has made it, or its parts do not belong together.
    """
    said = read_folder(folder)
    model, description = load_model(folder)
    convolve_directly(model)
    shapes, statistics = load_shapes(
        folder / SHAPES, description.particles, said.regularization_mm, said.training_shapes
    )
    return Bundle(
        folder=folder,
        model=model,
        description=description,
        shapes=shapes,
        statistics=statistics,
        facts=said.facts,
        card=said.card,
        versions=said.versions,
        commit=said.commit,
        files=said.files,
        intervals=said.intervals,
        trust=said.trust,
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


def _write_text(text: str, path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def halved(state: Mapping[str, Tensor], learned: Collection[str]) -> dict[str, Tensor]:
    """Round what is learned, and what else is large, to half precision.

    Places in mm stay as they are, whoever holds them: half precision would move them by up to a
    sixteenth of a millimeter.

    Args:
        state: Arrays by name.
        learned: Names of the weights among them.
    """
    return {
        name: values.half()
        for name, values in state.items()
        if (name in learned or _is_large(values)) and name.rpartition(".")[2] not in _PLACES
    }


def _is_large(values: Tensor | None) -> bool:
    return values is not None and values.is_floating_point() and values.numel() >= _LARGE
