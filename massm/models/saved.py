"""A trained model on disk: weights in ``model.safetensors``, all else in ``model.json``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from torch import nn

from massm.config.model import ModelConfig
from massm.config.tensors import ExportConfig
from massm.config.train import LossConfig
from massm.io import documents
from massm.io.errors import DataError
from massm.io.weights import load_weights, save_weights
from massm.models import MODELS
from massm.models.interface import Model
from massm.tensors.manifest import Manifest
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Template

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
VERSION = 3


@dataclass(frozen=True)
class Description:
    """Everything that rebuilds a model and feeds it images.

    Attributes:
        model: Its config section.
        loss: Shapes and units of the loss terms it was trained with.
        anatomies: Order of the classes.
        particles: M.
        modes: PCA modes stored in its template.
        preprocessing: From a CT to what it is given.
        thresholds: Per anatomy the score from which it counts as present.
        trained: Facts of the run: epochs, subjects, validation error.
    """

    model: ModelConfig
    loss: LossConfig
    anatomies: tuple[str, ...]
    particles: int
    modes: int
    preprocessing: Preprocessing
    thresholds: dict[str, float]
    trained: dict[str, Any]


def build_model(
    config: ModelConfig, loss: LossConfig, template: Template, spacing_mm: float
) -> Model:
    """Build the untrained network that the config names."""
    return cast(Model, MODELS[config.name](config, loss, template, spacing_mm))


def save_model(model: Model, description: Description, folder: Path) -> None:
    """Write weights and description, each whole or not at all."""
    save_weights(cast(nn.Module, model).state_dict(), folder / WEIGHTS)
    document = {
        **asdict(description),
        "version": VERSION,
        "model": description.model.model_dump(mode="json"),
        "loss": description.loss.model_dump(mode="json"),
        "preprocessing": description.preprocessing.model_dump(mode="json"),
    }
    documents.write_json(document, folder / DESCRIPTION)


def load_model(folder: Path) -> tuple[Model, Description]:
    """Rebuild a trained model on the CPU.

    Raises:
        DataError: If the files are damaged, or do not fit this version or each other.
    """
    path = folder / DESCRIPTION
    document = documents.read_json(path)
    found = document.get("version", "none")
    if found != VERSION:
        raise DataError(f"{path}: version {found}, expected {VERSION}; train again")
    try:
        description = _description(document)
    except (KeyError, TypeError, ValidationError) as error:
        raise DataError(f"{path} is not a description of a model ({error}); train again") from error
    blank = Template.blank(len(description.anatomies), description.particles, description.modes)
    spacing_mm = description.preprocessing.spacing_mm
    model = build_model(description.model, description.loss, blank, spacing_mm)
    try:
        cast(nn.Module, model).load_state_dict(load_weights(folder / WEIGHTS))
    except RuntimeError as error:
        raise DataError(f"{folder / WEIGHTS} does not fit {path}: {error}") from error
    return model, description


def _description(document: dict[str, Any]) -> Description:
    return Description(
        model=ModelConfig.model_validate(document["model"]),
        loss=LossConfig.model_validate(document["loss"]),
        anatomies=tuple(document["anatomies"]),
        particles=document["particles"],
        modes=document["modes"],
        preprocessing=Preprocessing.model_validate(document["preprocessing"]),
        thresholds=document["thresholds"],
        trained=document["trained"],
    )


def matches(description: Description, manifest: Manifest) -> None:
    """Refuse tensors that a model was not made for.

    How the tensors' own cohort would be normalized does not matter: a model normalizes as in its
    training.

    Raises:
        DataError: Naming what differs.
    """
    pairs: dict[str, tuple[Any, Any]] = {
        "anatomies": (manifest.anatomies, description.anatomies),
        "particles": (manifest.particles, description.particles),
    }
    for name in ExportConfig.model_fields:
        found, expected = (getattr(of.preprocessing, name) for of in (manifest, description))
        pairs[name] = (found, expected)
    for name, (found, expected) in pairs.items():
        if found != expected:
            raise DataError(
                f"tensors have {name} {found}, the model was trained with {expected}; "
                "run tensors and train with one configuration"
            )
