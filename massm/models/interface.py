"""What every trained model offers to training and prediction, whatever its family."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Batch, Truth


@dataclass(frozen=True)
class Boxes:
    """One box per anatomy, whether it is there or not.

    Attributes:
        score: How sure the model is that the anatomy is in the image, 0 to 1.
        center: Middle of the box, mm, image frame.
        radius: Half extents in x, y, z, mm.
    """

    score: Float[Tensor, "B K"]
    center: Float[Tensor, "B K 3"]
    radius: Float[Tensor, "B K 3"]


@dataclass(frozen=True)
class Prediction:
    """What a model says about a batch; absent anatomies are filled too.

    Every part is left out by models that have none.

    Attributes:
        boxes: Where anatomies are, and how sure the model is of that.
        local: Particles in the image frame, mm.
        world: Particles in the population's frame, mm, by name of the world head.
        agreement: How far the model's own opinion of each voxel agrees with its particles, 0 to 1.
        labels: Of each subject the probability of each anatomy (channels) at every voxel.
    """

    boxes: Boxes | None = None
    local: Float[Tensor, "B K M 3"] | None = None
    world: dict[str, Float[Tensor, "B K M 3"]] = field(default_factory=dict)
    agreement: Float[Tensor, "B K"] | None = None
    labels: tuple[Grid, ...] | None = None

    @classmethod
    def joined(cls, parts: Sequence["Prediction"]) -> "Prediction":
        """Join the predictions of several batches, which have the same parts, to that of one."""
        boxes = [part.boxes for part in parts if part.boxes is not None]
        local = [part.local for part in parts if part.local is not None]
        agreement = [part.agreement for part in parts if part.agreement is not None]
        labels = [part.labels for part in parts if part.labels is not None]
        return cls(
            boxes=Boxes(
                torch.cat([one.score for one in boxes]),
                torch.cat([one.center for one in boxes]),
                torch.cat([one.radius for one in boxes]),
            )
            if boxes
            else None,
            local=torch.cat(local) if local else None,
            world={
                name: torch.cat([part.world[name] for part in parts]) for name in parts[0].world
            },
            agreement=torch.cat(agreement) if agreement else None,
            labels=tuple(grid for grids in labels for grid in grids) if labels else None,
        )


@dataclass(frozen=True)
class Step:
    """Where training is.

    Attributes:
        epoch: Counted from 0.
        generator: Draws all that the loss draws, on the CPU.
    """

    epoch: int
    generator: torch.Generator


@dataclass(frozen=True)
class LossTerms:
    """The terms of an objective under their names.

    Attributes:
        terms: Before weights.
        weights: In this step.
    """

    terms: dict[str, Float[Tensor, ""]]
    weights: dict[str, float]

    def total(self) -> Float[Tensor, ""]:
        """Sum the terms by their weights; a term with weight 0 costs no gradient.

        Raises:
            ValueError: If every weight is 0.
        """
        used = [self.weights[name] * term for name, term in self.terms.items() if self.uses(name)]
        if not used:
            raise ValueError("every loss weight is 0; see the model's objective in its section")
        return torch.stack(used).sum()

    def uses(self, name: str) -> bool:
        """Tell whether a term has a weight."""
        return bool(self.weights[name])


@dataclass(frozen=True)
class TrainingParticles:
    """Particles of the training split, mm; nan where an anatomy is not there.

    Attributes:
        local: In the image frame.
        world: In the population's frame.
        present: Which of them there are.
        middle: Middle of each subject's image, in the image frame.
    """

    local: Float[Tensor, "N K M 3"]
    world: Float[Tensor, "N K M 3"]
    present: Bool[Tensor, "N K"]
    middle: Float[Tensor, "N 3"]


class Model(nn.Module, ABC):
    """A network with its objective.

    Attributes:
        stride: Every axis of the network image is padded to a multiple of this, voxels.
        sees_fine: Whether it looks at the finer image, where there is one; if not,
            it is not handed over.
        terms: Names of the loss terms, in the order of the history's columns.
        errors: Names of the validation errors, mm; ``{name}_mm`` in the history.
        selects: The one of them that ``train.select: best`` goes by.
    """

    stride: int
    sees_fine: bool = True
    terms: tuple[str, ...]
    errors: ClassVar[tuple[str, ...]]
    selects: ClassVar[str]

    @abstractmethod
    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, on the grid as it is."""

    @abstractmethod
    def loss(self, batch: Batch, step: Step) -> LossTerms:
        """Compare with the truth in the batch."""

    @abstractmethod
    def errors_of(self, prediction: Prediction, truth: Truth) -> dict[str, Float[Tensor, "B K"]]:
        """Return every one of ``errors``, mm; where an anatomy is not there, anything."""

    def prepare(self, shapes: Callable[[], TrainingParticles], generator: torch.Generator) -> None:
        """Do what comes before training; by default nothing.

        Args:
            shapes: Reads the training split's particles.
            generator: Draws all that is drawn.
        """

    def conclude(self, batches: Iterable[Batch]) -> None:
        """Do what comes after training; by default nothing.

        Args:
            batches: The validation split, not augmented, on the model's device; maybe none.
        """

    def infer(self, images: Images) -> Prediction:
        """Predict as carefully as the model can; by default as :meth:`forward` does.

        No weight depends on this: training and validation see :meth:`forward`.
        """
        return self.forward(images)

    @torch.no_grad()
    def predict(self, images: Images) -> Prediction:
        """Predict in evaluation mode, in single precision, without gradients.

        What it says of a subject does not depend on the others of the batch, nor on their number
        or order: it is what it says of that subject alone.
        """
        return self._each(images, self.infer)

    @torch.no_grad()
    def forward_each(self, images: Images) -> Prediction:
        """Do the same with :meth:`forward`."""
        return self._each(images, self.forward)

    def validate(self, batch: Batch) -> dict[str, Float[Tensor, "B K"]]:
        """Return the validation errors of a batch, mm, each subject as if alone."""
        return self.errors_of(self.forward_each(batch.images), batch.truth)

    def _each(self, images: Images, see: Callable[[Images], Prediction]) -> Prediction:
        """Look at every subject on its own grid: padding to another's size would move particles."""
        self.eval()
        with single_precision(images):
            return Prediction.joined([see(one) for one in images.each()])


def single_precision(images: Images) -> torch.autocast:
    """Switch mixed precision off: a coordinate of 700 mm is known to 0.5 mm in half precision."""
    return torch.autocast(images.image.values.device.type, enabled=False)
