"""Predictions of a trained model as plain arrays, one set per subject."""

from collections.abc import Iterable, Iterator
from typing import cast

import numpy as np
import torch
from torch import nn

from massm.models.interface import Model
from massm.models.saved import Description
from massm.tensors.images import Images


def predict_subjects(
    model: Model,
    description: Description,
    batches: Iterable[Images],
    *,
    box_updates: int,
    device: str,
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield the arrays of ``predict/{model}/{subject}.npz`` for each subject.

    What is present is decided by the model's score and threshold alone. Box and particles of an
    anatomy that is not present are nan.

    Args:
        model: Trained network.
        description: Its anatomies and thresholds.
        batches: Images that went through the description's preprocessing.
        box_updates: See :meth:`massm.models.interface.Model.predict`.
        device: Torch's name.
    """
    cast(nn.Module, model).to(device)
    limits = np.array([description.thresholds[name] for name in description.anatomies])
    for images in batches:
        prediction = model.predict(images.to(device), box_updates=box_updates)
        arrays = {
            "score": _numpy(prediction.score),
            "center": _numpy(prediction.center),
            "radius": _numpy(prediction.radius),
            "local": _numpy(prediction.local),
            **{f"world_{name}": _numpy(world) for name, world in prediction.world.items()},
        }
        for row, subject in enumerate(images.subjects):
            own = {name: array[row] for name, array in arrays.items()}
            yield subject, finish(own, own["score"] >= limits, description.anatomies)


def finish(
    arrays: dict[str, np.ndarray], present: np.ndarray, anatomies: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Add names and presence, and blank what is not present."""
    blanked = {
        name: array if name == "score" else np.where(_beside(present, array), array, np.nan)
        for name, array in arrays.items()
    }
    return {"anatomies": np.array(anatomies), "present": present, **blanked}


def _beside(present: np.ndarray, array: np.ndarray) -> np.ndarray:
    return present.reshape(-1, *[1] * (array.ndim - 1))


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().double().cpu().numpy())
