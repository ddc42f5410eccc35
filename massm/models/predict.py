"""Predictions of a trained model, one for each subject."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from massm.geometry.volume import Volume
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.io.probabilities import HALF, in_bytes, part_around
from massm.models.interface import Model, Prediction
from massm.models.saved import Description
from massm.tensors.grid import Grid
from massm.tensors.images import Images


def predict_subjects(
    model: Model, description: Description, batches: Iterable[Images], *, device: str
) -> Iterator[tuple[str, SubjectPrediction]]:
    """Yield what the model says about each subject, under its name.

    What is present is decided by the model's score and threshold alone. Box and particles of an
    anatomy that is not present are nan.

    Args:
        model: Trained network.
        description: Its anatomies and thresholds.
        batches: Images that went through the description's preprocessing.
        device: Torch's name.
    """
    model.to(device)
    limits = np.array([description.thresholds[name] for name in description.anatomies])
    for images in batches:
        prediction = model.predict(images.to(device))
        scores = score_of(prediction, len(images.subjects), len(limits))
        for row, subject in enumerate(images.subjects):
            said = _said(prediction, row, description.anatomies, scores[row], limits)
            yield subject, said.blanked()


def score_of(prediction: Prediction, subjects: int, anatomies: int) -> Float[np.ndarray, "B K"]:
    """Return how sure a model is that each anatomy is in the image, 0 to 1.

    Where it gives no boxes, it is the highest probability of a voxel; a model that gives particles
    alone is always sure.
    """
    if prediction.boxes is not None:
        return _numpy(prediction.boxes.score)
    if prediction.labels is not None:
        return np.stack([_numpy(grid.values[0].amax(dim=(1, 2, 3))) for grid in prediction.labels])
    return np.ones((subjects, anatomies))


def _said(
    prediction: Prediction,
    row: int,
    anatomies: tuple[str, ...],
    score: Float[np.ndarray, " K"],
    limits: Float[np.ndarray, " K"],
) -> SubjectPrediction:
    boxes, local, labels = prediction.boxes, prediction.local, prediction.labels
    present = score >= limits
    mask, parts = None, {}
    if labels is not None:
        probability = _in_bytes(labels[row])
        mask = label_map(probability, present)
        parts = _parts_of(probability, mask, anatomies)
    return SubjectPrediction(
        anatomies=anatomies,
        present=_with_voxels(present, mask),
        score=score,
        boxes=None
        if boxes is None
        else PredictedBoxes(_numpy(boxes.center[row]), _numpy(boxes.radius[row])),
        local=None if local is None else _numpy(local[row]),
        world={head: _numpy(particles[row]) for head, particles in prediction.world.items()},
        agreement=None if prediction.agreement is None else _numpy(prediction.agreement[row]),
        labels=mask,
        probability=parts,
    )


def _in_bytes(probability: Grid) -> list[Volume]:
    """Return one subject's probabilities of each anatomy, in 255ths: a quarter of the memory."""
    spacing, origin = np.full(3, probability.spacing_mm), _numpy(probability.origin[0])
    return [
        Volume(in_bytes(values.detach().cpu().numpy()), spacing, origin)
        for values in probability.values[0]
    ]


def label_map(probability: Sequence[Volume], present: Bool[np.ndarray, " K"]) -> Volume:
    """Return at each voxel the number of the likeliest anatomy, 1 to K; 0 for none of them.

    None is where no probability reaches 0.5; of several that are equal the first counts. Anatomies
    that are not present have no voxel.

    Args:
        probability: Of each anatomy, in 255ths.
        present: Which of the K anatomies are in the image.
    """
    labels = np.zeros(probability[0].array.shape, np.uint8)
    most = np.full(labels.shape, int(HALF), np.uint8)
    for row in np.flatnonzero(present).tolist():
        wins = probability[row].array > most
        labels[wins] = row + 1
        most[wins] = probability[row].array[wins]
    return replace(probability[0], array=labels)


def _parts_of(
    probability: Sequence[Volume], labels: Volume, anatomies: Sequence[str]
) -> dict[str, Volume]:
    """Cut out the probabilities around the anatomies that have a voxel."""
    parts = {}
    for row, name in enumerate(anatomies):
        part = part_around(probability[row]) if (labels.array == row + 1).any() else None
        if part is not None:
            parts[name] = part
    return parts


def joined(parts: Sequence[SubjectPrediction]) -> SubjectPrediction:
    """Join what networks of single anatomies say of one subject; a voxel is the first one's.

    An anatomy that loses all of its voxels to those before it is not there.

    Args:
        parts: In the order of the anatomies; all of one family, so that they have the same parts.
    """
    if len(parts) == 1:
        return parts[0]
    boxes = [part.boxes for part in parts if part.boxes is not None]
    local = [part.local for part in parts if part.local is not None]
    agreement = [part.agreement for part in parts if part.agreement is not None]
    first, labels = parts[0], _joined_labels(parts)
    return SubjectPrediction(
        anatomies=tuple(name for part in parts for name in part.anatomies),
        present=_with_voxels(np.concatenate([part.present for part in parts]), labels),
        score=np.concatenate([part.score for part in parts]),
        boxes=PredictedBoxes(
            np.concatenate([one.center for one in boxes]),
            np.concatenate([one.radius for one in boxes]),
        )
        if boxes
        else None,
        local=np.concatenate(local) if local else None,
        world={head: np.concatenate([part.world[head] for part in parts]) for head in first.world},
        agreement=np.concatenate(agreement) if agreement else None,
        labels=labels,
        probability={name: volume for part in parts for name, volume in part.probability.items()},
    ).blanked()


def _with_voxels(present: Bool[np.ndarray, " K"], labels: Volume | None) -> Bool[np.ndarray, " K"]:
    """Take out what has no voxel in a label map, where there is one."""
    if labels is None:
        return present
    return present & np.isin(np.arange(len(present)) + 1, labels.array)


def _joined_labels(parts: Sequence[SubjectPrediction]) -> Volume | None:
    held = [(part.labels, len(part.anatomies)) for part in parts if part.labels is not None]
    if not held:
        return None
    joint, before = np.zeros_like(held[0][0].array), 0
    for labels, anatomies in held:
        free = (joint == 0) & (labels.array > 0)
        joint[free] = labels.array[free] + before
        before += anatomies
    return replace(held[0][0], array=joint)


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().double().cpu().numpy())
