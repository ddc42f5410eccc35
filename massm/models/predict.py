"""Predictions of a trained model as plain arrays, one set per subject."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import nn

from massm.models.interface import Model
from massm.models.saved import Description
from massm.tensors.dataset import SubjectDataset
from massm.tensors.sample import collate


def predict_subjects(
    model: Model,
    description: Description,
    dataset: SubjectDataset,
    *,
    batch_size: int,
    box_updates: int,
    device: str,
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield the arrays of ``predict/{model}/{subject}.npz`` for each subject.

    What is present is decided by the model's score and threshold alone; the truth in the dataset
    is not looked at. Box and particles of an anatomy that is not present are nan. Images are
    normalized as in the model's training, whatever cohort the dataset belongs to.

    Args:
        model: Trained network.
        description: Its anatomies, thresholds and normalization.
        dataset: Subjects, not augmented.
        batch_size: Subjects read at a time.
        box_updates: See :meth:`massm.models.interface.Model.predict`.
        device: Torch's name.
    """
    cast(nn.Module, model).to(device)
    limits = np.array([description.thresholds[name] for name in description.anatomies])
    for start in range(0, len(dataset), batch_size):
        rows = range(start, min(start + batch_size, len(dataset)))
        batch = collate(
            [dataset[i] for i in rows],
            intensity=description.intensity,
            spacing_mm=description.spacing_mm,
            fine_spacing_mm=description.fine_spacing_mm,
            padding_hu=description.padding_hu,
            multiple=model.stride,
        )
        prediction = model.predict(batch.to(device), box_updates=box_updates)
        arrays = {
            "score": _numpy(prediction.score),
            "center": _numpy(prediction.center),
            "radius": _numpy(prediction.radius),
            "local": _numpy(prediction.local),
            **{f"world_{name}": _numpy(world) for name, world in prediction.world.items()},
        }
        for row, subject in enumerate(batch.subjects):
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
