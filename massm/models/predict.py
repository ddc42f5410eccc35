"""Predictions of a trained model, one for each subject."""

from collections.abc import Iterable, Iterator
from typing import cast

import numpy as np
import torch
from torch import nn

from massm.io.predictions import PredictedBoxes, SubjectPrediction
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
) -> Iterator[tuple[str, SubjectPrediction]]:
    """Yield what the model says about each subject, under its name.

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
        score, center, radius, local = map(
            _numpy, (prediction.score, prediction.center, prediction.radius, prediction.local)
        )
        world = {head: _numpy(particles) for head, particles in prediction.world.items()}
        for row, subject in enumerate(images.subjects):
            said = SubjectPrediction(
                anatomies=description.anatomies,
                present=score[row] >= limits,
                score=score[row],
                boxes=PredictedBoxes(center[row], radius[row]),
                local=local[row],
                world={head: particles[row] for head, particles in world.items()},
            )
            yield subject, said.blanked()


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().double().cpu().numpy())
