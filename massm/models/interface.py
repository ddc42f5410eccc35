"""What a model of the table ``massm.models.MODELS`` offers to training and prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massm.tensors.images import Images
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

    @classmethod
    def joined(cls, parts: Sequence["Prediction"]) -> "Prediction":
        """Join the predictions of several batches to that of one."""
        return cls(
            score=torch.cat([part.score for part in parts]),
            center=torch.cat([part.center for part in parts]),
            radius=torch.cat([part.radius for part in parts]),
            local=torch.cat([part.local for part in parts]),
            world={
                name: torch.cat([part.world[name] for part in parts]) for name in parts[0].world
            },
        )


@dataclass(frozen=True)
class Teacher:
    """How much truth a model is handed in training, see ``massm.training.schedule``.

    Attributes:
        probability: Chance that a box or shape is the true one instead of the predicted one.
        jitter_center_mm: Standard deviation of noise on true box centers, mm.
        jitter_radius: Standard deviation of noise on true box radii, fraction.
        missed_boxes: What becomes of a predicted box whose middle is not in the true one: the true
            one stands in, it stays, or its anatomy trains no head.
        generator: Draws all of it, on the CPU.
    """

    probability: float
    jitter_center_mm: float
    jitter_radius: float
    missed_boxes: Literal["replace", "keep", "skip"]
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

    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, each subject as if alone."""

    def loss(self, batch: Batch, teacher: Teacher) -> LossTerms:
        """Compare with the truth in the batch."""

    def predict(self, images: Images, *, box_updates: int = 0) -> Prediction:
        """Predict in evaluation mode, in single precision, without gradients.

        What it says of a subject does not depend on the others of the batch, nor on their number
        or order: it is what it says of that subject alone.

        Args:
            images: Subjects.
            box_updates: How often to look again in the box of the particles that were found.
        """
