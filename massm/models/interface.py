"""What a model of the table ``massm.models.MODELS`` offers to training and prediction."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massm.tensors.sample import Batch


@dataclass(frozen=True)
class Prediction:
    """What a model says about a batch; absent anatomies are filled too, with a low score.

    Attributes:
        score: How sure the model is that the anatomy is in the image, 0 to 1.
        center: Middle of its box, mm, image frame: the detector's, or that of ``local`` if the box
            was updated.
        radius: Half extents of its box, mm.
        local: Particles in the image frame, mm.
        world: Particles in the population's frame, mm, by name of the world head.
    """

    score: Float[Tensor, "B K"]
    center: Float[Tensor, "B K 3"]
    radius: Float[Tensor, "B K 3"]
    local: Float[Tensor, "B K M 3"]
    world: dict[str, Float[Tensor, "B K M 3"]]


@dataclass(frozen=True)
class Teacher:
    """How much truth a model is handed in training, see ``massm.training.schedule``.

    Attributes:
        probability: Chance that a box or shape is the true one instead of the predicted one.
        jitter_center_mm: Standard deviation of noise on true box centers, mm.
        jitter_radius: Standard deviation of noise on true box radii, fraction.
        generator: Draws all of it, on the CPU.
    """

    probability: float
    jitter_center_mm: float
    jitter_radius: float
    generator: torch.Generator


@dataclass(frozen=True)
class LossTerms:
    """The terms of an objective under their names, before weights."""

    terms: dict[str, Float[Tensor, ""]]

    def total(self, weights: dict[str, float]) -> Float[Tensor, ""]:
        """Sum the terms by their weights; a term with weight 0 costs no gradient."""
        used = [weights[name] * term for name, term in self.terms.items() if weights[name]]
        if not used:
            raise ValueError("every loss weight is 0; see train.weights in the configuration")
        return torch.stack(used).sum()


@runtime_checkable
class Model(Protocol):
    """A network with its objective; also a ``torch.nn.Module``."""

    #: Every axis of the network image is padded to a multiple of this, voxels.
    stride: int

    def prepare(
        self,
        local: Float[Tensor, "N K M 3"],
        world: Float[Tensor, "N K M 3"],
        present: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Do what comes before training, from the training split's particles (mm)."""

    def forward(self, batch: Batch) -> Prediction:
        """Predict with gradients, without looking at the truth in the batch."""

    def loss(self, batch: Batch, teacher: Teacher) -> LossTerms:
        """Compare with the truth in the batch."""

    def predict(self, batch: Batch, *, box_updates: int = 0) -> Prediction:
        """Predict in evaluation mode, without gradients.

        Args:
            batch: Subjects.
            box_updates: How often to look again in the box of the particles that were found.
        """
