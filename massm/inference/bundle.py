"""A model folder: all that turns a scan into shapes, to be carried away from the run that made it.

``model.safetensors`` holds the weights, ``shapes.safetensors`` template and shape model of each
anatomy, ``model.json`` all else: the description of a trained model, and beside it, under
``bundle``, how it predicts, what it was made with, and the SHA-256 of the other files. No name and
no image of a training subject is in it; a template is the shape of one of them.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from massm.config.models.family import NetworkConfig
from massm.geometry.mesh import Mesh
from massm.io import documents, tensors
from massm.io.atomic import replacing
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.shapes import refuse_other_shapes
from massm.machine.versions import commit, package_versions
from massm.models.interface import Model
from massm.models.saved import (
    DESCRIPTION,
    VERSION,
    WEIGHTS,
    Description,
    document_of,
    load_model,
)
from massm.pdm.shape_model import ShapeModel
from massm.reconstruct.from_particles import Warp, make_warp

SHAPES = "shapes.safetensors"
SCHEMA = 2

_ADVICE = "take the whole folder from where it came, or make it anew (snakemake bundle)"


@dataclass(frozen=True)
class AnatomyShapes:
    """What is known of the shapes of one anatomy.

    Attributes:
        template: Closed surface of the medoid, image frame of that subject, mm.
        particles: Its particles, same frame, mm.
        model: Mean and modes of the training shapes, world frame, mm.
        regularization_mm: Smoothing of the warp, see :class:`massm.config.reconstruct`.
    """

    template: Mesh
    particles: Float[np.ndarray, "M 3"]
    model: ShapeModel
    regularization_mm: float

    @cached_property
    def warp(self) -> Warp:
        """The way from particles to a surface; made when it is first asked for."""
        return make_warp(self.template, self.particles, regularization=self.regularization_mm)

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all arrays, for a file; modes, which take most of it, in single precision."""
        return {
            "vertices": self.template.vertices,
            "faces": self.template.faces,
            "particles": self.particles,
            "mean": self.model.mean,
            "modes": self.model.modes.astype(np.float32),
            "variances": self.model.variances,
        }


@dataclass(frozen=True)
class Bundle:
    """A model that was loaded from its folder.

    Attributes:
        model: The network, on the CPU.
        description: Its anatomies, preprocessing and thresholds.
        shapes: Of each anatomy.
        versions: Versions of the packages that the folder was made with.
        commit: Commit of the code that made it; None if that is not known.
    """

    model: Model
    description: Description
    shapes: dict[str, AnatomyShapes]
    versions: dict[str, str]
    commit: str | None


def write_bundle(
    train: Path, shapes: Mapping[str, AnatomyShapes], entry: NetworkConfig, folder: Path
) -> None:
    """Write the folder of a trained model, each file whole or not at all, the description last.

    Args:
        train: Folder ``train/{model}`` with weights and description.
        shapes: Of each anatomy that the model predicts.
        entry: The model's entry of the configuration: it may predict otherwise than it was saved.
        folder: Where to write to.

    Raises:
        DataError: If the model is damaged, or a shape does not belong to it.
    """
    _, description = load_model(train, entry)
    arrays: dict[str, np.ndarray] = {}
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
        own = shapes[anatomy].arrays()
        arrays |= {f"{anatomy}/{name}": array for name, array in own.items()}
    with replacing(folder / WEIGHTS) as temporary:
        shutil.copyfile(train / WEIGHTS, temporary)
    tensors.save(arrays, folder / SHAPES)
    facts = {
        "schema": SCHEMA,
        "regularization_mm": {name: shapes[name].regularization_mm for name in shapes},
        "versions": package_versions(),
        "commit": commit(),
        "files": {name: digest(folder / name) for name in (WEIGHTS, SHAPES)},
    }
    document = document_of(description)
    documents.write_json(document | {"bundle": facts}, folder / DESCRIPTION)


def load_bundle(folder: Path) -> Bundle:
    """Read a model folder; nothing else is needed to predict.

    Raises:
        DataError: If it is no model folder, a file is missing or does not fit its hash, a newer
            version has made it, or its parts do not belong together.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DataError(f"{folder} is no model folder: it lacks {DESCRIPTION}; {_ADVICE}")
    document = documents.read_json(path)
    facts = document.get("bundle")
    if not isinstance(facts, dict):
        raise DataError(
            f"{path} describes a trained model without its shapes; {_ADVICE}, or name that folder"
        )
    _refuse_newer(facts.get("schema"), SCHEMA, path, "schema")
    _refuse_newer(document.get("version"), VERSION, path, "version")
    with named(path, "not the description of a model folder", _ADVICE):
        _refuse_changed(folder, {name: str(facts["files"][name]) for name in (WEIGHTS, SHAPES)})
        bent = {str(name): float(value) for name, value in facts["regularization_mm"].items()}
        versions, made_at = dict(facts["versions"]), facts["commit"]
    model, description = load_model(folder)
    return Bundle(
        model=model,
        description=description,
        shapes=_load_shapes(folder / SHAPES, description, bent),
        versions=versions,
        commit=made_at,
    )


def _refuse_newer(found: Any, known: int, path: Path, what: str) -> None:
    if not isinstance(found, int):
        raise DataError(f"{path}: {what} {found}, expected a number up to {known}; {_ADVICE}")
    if found > known:
        raise DataError(
            f"{path}: {what} {found} is newer than this massm, which reads up to {known}; "
            "update massm"
        )


def _refuse_changed(folder: Path, hashes: Mapping[str, str]) -> None:
    """Refuse files that are not those whose SHA-256 was written down."""
    for name, expected in hashes.items():
        if not (folder / name).is_file():
            raise DataError(f"{folder} lacks {name}; {_ADVICE}")
        found = digest(folder / name)
        if found != expected:
            raise DataError(
                f"{folder / name} is not the file that belongs to {DESCRIPTION}: its SHA-256 is "
                f"{found}, expected {expected}; {_ADVICE}"
            )


def _load_shapes(
    path: Path, description: Description, regularization_mm: Mapping[str, float]
) -> dict[str, AnatomyShapes]:
    held = tensors.load(path)
    shapes = {}
    for anatomy in description.anatomies:
        if anatomy not in regularization_mm:
            raise DataError(f"{path.parent / DESCRIPTION} does not say how {anatomy} is warped")
        arrays = _of_anatomy(held, anatomy, description.particles, path)
        shapes[anatomy] = AnatomyShapes(
            template=Mesh(arrays["vertices"], arrays["faces"]),
            particles=arrays["particles"],
            model=ShapeModel(arrays["mean"], arrays["modes"], arrays["variances"]),
            regularization_mm=regularization_mm[anatomy],
        )
    return shapes


def _of_anatomy(
    held: Mapping[str, np.ndarray], anatomy: str, particles: int, path: Path
) -> dict[str, np.ndarray]:
    """Take the arrays of one anatomy, if they belong together and to the model."""
    expected = {
        "vertices": "V 3",
        "faces": "F 3",
        "particles": f"{particles} 3",
        "mean": f"{particles} 3",
        "modes": f"J {particles} 3",
        "variances": "J",
    }
    prefixed = {f"{anatomy}/{name}": shape for name, shape in expected.items()}
    refuse_other_shapes(held, prefixed, path, _ADVICE)
    arrays = {name: held[f"{anatomy}/{name}"] for name in expected}
    for name, array in arrays.items():
        if name != "faces" and not np.isfinite(array).all():
            raise DataError(f"{path}: {anatomy}/{name} holds what is no finite number; {_ADVICE}")
    corners, count = arrays["faces"], len(arrays["vertices"])
    if corners.dtype.kind != "i" or not ((corners >= 0) & (corners < count)).all():
        raise DataError(f"{path}: {anatomy}/faces names other than {count} vertices; {_ADVICE}")
    return arrays
