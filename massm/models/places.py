"""Where a network that sees crops is told to look, and what of a subject it may then claim."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from massm.geometry.frames import frames_between
from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction
from massm.tensors.images import Images

Said = Iterator[tuple[str, SubjectPrediction]]


@dataclass(frozen=True)
class Places:
    """Where the anatomies of one subject are, as the truth or another model says.

    Attributes:
        present: Whether each of K is there.
        score: How sure that is, 0 to 1.
        frames: From the world frame to the image, see :class:`Images`; None: not told.
        box_centers: Of their boxes, mm, image frame; None: not told. Both are nan of what is not
            present.
    """

    present: Bool[np.ndarray, " K"]
    score: Float[np.ndarray, " K"]
    frames: Float[np.ndarray, "K 3 4"] | None = None
    box_centers: Float[np.ndarray, "K 3"] | None = None


def true_places(subject: str, anatomies: Sequence[str], sets: Mapping[str, ParticleSet]) -> Places:
    """Tell where the true particles of a subject are, for what is shown aligned crops.

    Args:
        subject: Its name.
        anatomies: Those of the network.
        sets: Correspondence of each anatomy.
    """
    frames = np.full((len(anatomies), 3, 4), np.nan)
    for k, anatomy in enumerate(anatomies):
        particles = sets[anatomy]
        if subject in particles.subjects:
            row = particles.row(subject)
            world, local = (torch.from_numpy(p[row]) for p in (particles.world, particles.local))
            frames[k] = frames_between(world, local).numpy()
    present = np.isfinite(frames).all(axis=(1, 2))
    return Places(present, present.astype(float), frames=frames)


def found_places(found: SubjectPrediction, anatomies: Sequence[str], model: str) -> Places:
    """Tell where another model has found the anatomies of a subject.

    Args:
        found: What that model says.
        anatomies: Those of the network.
        model: Its name.

    Raises:
        DataError: If it gives no boxes, or does not know an anatomy.
    """
    if found.boxes is None:
        raise DataError(f"{model} has no boxes, in whose centers crops would lie")
    rows = [found.row(anatomy) for anatomy in anatomies]
    present = found.present[rows]
    centers = np.where(present[:, None], found.boxes.center[rows], np.nan)
    return Places(present, found.score[rows], box_centers=centers)


def shown(batches: Iterable[Images], places: Callable[[str], Places]) -> Iterator[Images]:
    """Yield images with the places of their subjects' anatomies."""
    for images in batches:
        told = [places(subject) for subject in images.subjects]
        frames = [one.frames for one in told if one.frames is not None]
        centers = [one.box_centers for one in told if one.box_centers is not None]
        yield replace(
            images,
            frames=torch.from_numpy(np.stack(frames)).float() if frames else None,
            box_centers=torch.from_numpy(np.stack(centers)).float() if centers else None,
        )


def judged(said: Said, places: Callable[[str], Places]) -> Said:
    """Yield predictions in which is present what was shown: a crop tells no more of that."""
    for subject, prediction in said:
        told = places(subject)
        present = replace(prediction, present=told.present, score=told.score)
        yield subject, present.blanked()
