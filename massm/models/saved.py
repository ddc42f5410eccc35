"""A trained model on disk: weights in ``model.safetensors``, all else in ``model.json``."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from massm.config.models import section_of
from massm.config.models.family import NetworkConfig
from massm.config.tensors import ExportConfig
from massm.io import documents
from massm.io.errors import DataError
from massm.io.weights import load_weights, save_weights
from massm.models.families import build_model
from massm.models.files import DESCRIPTION, VERSION, WEIGHTS
from massm.models.interface import Model
from massm.tensors.manifest import Manifest
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Template


@dataclass(frozen=True)
class Description:
    """Everything that rebuilds a model and feeds it images.

    Attributes:
        model: Its entry of the configuration, whose key ``family`` tells what it is.
        anatomies: Order of the classes.
        particles: M.
        modes: PCA modes stored in its template.
        preprocessing: From a CT to what it is given.
        thresholds: Per anatomy the score from which it counts as present.
        trained: Facts of the run: epochs, subjects, parameters (how many), select (last or best),
            commit of the code (older ones lack parameters and commit).
    """

    model: NetworkConfig
    anatomies: tuple[str, ...]
    particles: int
    modes: int
    preprocessing: Preprocessing
    thresholds: dict[str, float]
    trained: dict[str, Any]


def save_model(model: Model, description: Description, folder: Path) -> None:
    """Write weights and description, each whole or not at all."""
    save_weights(model.state_dict(), folder / WEIGHTS)
    documents.write_json(document_of(description), folder / DESCRIPTION)


def document_of(description: Description) -> dict[str, Any]:
    """Write a description out, as ``model.json`` holds it."""
    return {
        **asdict(description),
        "version": VERSION,
        "model": description.model.model_dump(mode="json"),
        "preprocessing": description.preprocessing.model_dump(mode="json"),
    }


def load_model(folder: Path, entry: NetworkConfig | None = None) -> tuple[Model, Description]:
    """Rebuild a trained model on the CPU.

    Args:
        folder: Holds ``model.safetensors`` and ``model.json``.
        entry: Takes the place of the section it was saved with: it may predict otherwise.

    Raises:
        DataError: If the files are damaged, or do not fit this version, each other, or the entry.
    """
    path = folder / DESCRIPTION
    document = documents.read_json(path)
    found = document.get("version", "none")
    if found != VERSION:
        raise DataError(f"{path}: version {found}, expected {VERSION}; train again")
    try:
        description = _description(document)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a description of a model ({error}); train again") from error
    if entry is not None:
        description = _retold(description, entry, path)
    blank = Template.blank(len(description.anatomies), description.particles, description.modes)
    model = build_model(description.model, blank, description.preprocessing)
    try:
        model.load_state_dict(load_weights(folder / WEIGHTS))
    except RuntimeError as error:
        raise DataError(f"{folder / WEIGHTS} does not fit {path}: {error}") from error
    return model, description


def _retold(description: Description, entry: NetworkConfig, path: Path) -> Description:
    trained, asked = description.model.learned(), entry.learned()
    if trained != asked:
        differing = sorted(
            key for key in trained.keys() | asked.keys() if trained.get(key) != asked.get(key)
        )
        raise DataError(
            f"{path}: the model was trained with other values of {', '.join(differing)}; train "
            "again"
        )
    return replace(description, model=entry)


def _description(document: dict[str, Any]) -> Description:
    entry = section_of(document["model"])
    if not isinstance(entry, NetworkConfig):
        raise TypeError(f"model: found {type(entry).__name__}, expected a trained family")
    return Description(
        model=entry,
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
