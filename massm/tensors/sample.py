"""What training knows of one subject, and of a batch of them: images, and the truth beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from massm.tensors.images import Images, Scan
from massm.tensors.labels import Labels
from massm.tensors.preprocessing import Preprocessing, images_of


@dataclass(frozen=True)
class Truth:
    """What is known about each of K anatomies, of one subject or of B.

    No model is given it to predict: its type is in no signature there.

    Attributes:
        presence: 1 there, 0 known not to be there, -1 unknown.
        center: Middle of the box of the local particles, mm; nan unless there.
        radius: Half extents of that box, mm; nan unless there.
        local: Particles in the image frame, mm; nan unless there.
        world: Particles in the population's frame, mm; nan unless there.
        labels: Of each subject which anatomy its voxels belong to; empty where that was not asked
            for.
    """

    presence: Int[Tensor, "*B K"]
    center: Float[Tensor, "*B K 3"]
    radius: Float[Tensor, "*B K 3"]
    local: Float[Tensor, "*B K M 3"]
    world: Float[Tensor, "*B K M 3"]
    labels: tuple[Labels, ...] = ()

    @classmethod
    def stacked(cls, parts: Sequence["Truth"]) -> "Truth":
        """Join what is known of single subjects to that of a batch.

        Raises:
            ValueError: If some have labels and some have none.
        """
        labels = tuple(one for part in parts for one in part.labels)
        if labels and len(labels) != len(parts):
            raise ValueError("either every subject of a batch has labels or none")
        return cls(
            presence=torch.stack([part.presence for part in parts]),
            center=torch.stack([part.center for part in parts]),
            radius=torch.stack([part.radius for part in parts]),
            local=torch.stack([part.local for part in parts]),
            world=torch.stack([part.world for part in parts]),
            labels=labels,
        )

    def take(self, rows: Sequence[int] | None) -> "Truth":
        """Return what is known of some of the anatomies, as if there were no others; None: all."""
        if rows is None:
            return self
        picked = list(rows)
        return Truth(
            presence=self.presence[..., picked],
            center=self.center[..., picked, :],
            radius=self.radius[..., picked, :],
            local=self.local[..., picked, :, :],
            world=self.world[..., picked, :, :],
            labels=tuple(one.take(rows) for one in self.labels),
        )

    def to(self, device: torch.device | str) -> "Truth":
        """Move every tensor to a device."""
        return Truth(
            presence=self.presence.to(device),
            center=self.center.to(device),
            radius=self.radius.to(device),
            local=self.local.to(device),
            world=self.world.to(device),
            labels=tuple(one.to(device) for one in self.labels),
        )


@dataclass(frozen=True)
class Sample:
    """One subject: its images in HU, and what is known about each anatomy."""

    scan: Scan
    truth: Truth

    @property
    def subject(self) -> str:
        """Return its name."""
        return self.scan.subject

    def take(self, rows: Sequence[int] | None) -> "Sample":
        """Return it with some of the anatomies, as if there were no others; None: all."""
        return Sample(self.scan, self.truth.take(rows))


@dataclass(frozen=True)
class Batch:
    """B subjects: the images, which a model may see, and the truth, which only its loss sees."""

    images: Images
    truth: Truth

    def to(self, device: torch.device | str) -> "Batch":
        """Move every tensor to a device."""
        return Batch(self.images.to(device), self.truth.to(device))

    def pin_memory(self) -> "Batch":
        """Leave memory as it is: Lightning asks custom batches for this hook."""
        return self


@dataclass(frozen=True)
class Template:
    """Shapes of the training split that the network starts from, one per anatomy.

    Attributes:
        local: Medoid's local particles minus the center of their box, mm.
        world: Medoid's world particles, mm.
        mean_local: Mean shape in the average pose minus its box center, mm.
        mean_world: Mean of the world particles, mm.
        normals: Outward unit normals at ``local``.
        center_local: Mean of the box-centered local particles, pose and all, mm.
        modes_local: Principal deviations from ``center_local``, one standard deviation each, mm.
        modes_world: Principal deviations from ``mean_world``, one standard deviation each, mm.
        radius: Mean half extents of the boxes, mm.
    """

    local: Float[Tensor, "K M 3"]
    world: Float[Tensor, "K M 3"]
    mean_local: Float[Tensor, "K M 3"]
    mean_world: Float[Tensor, "K M 3"]
    normals: Float[Tensor, "K M 3"]
    center_local: Float[Tensor, "K M 3"]
    modes_local: Float[Tensor, "K J M 3"]
    modes_world: Float[Tensor, "K J M 3"]
    radius: Float[Tensor, "K 3"]

    @classmethod
    def blank(cls, anatomies: int, particles: int, modes: int) -> "Template":
        """Return zeros of the right shapes, to be filled from a state dict."""
        shape = torch.zeros(anatomies, particles, 3)
        spread = torch.zeros(anatomies, modes, particles, 3)
        return cls(
            local=shape,
            world=shape,
            mean_local=shape,
            mean_world=shape,
            normals=shape,
            center_local=shape,
            modes_local=spread,
            modes_world=spread,
            radius=torch.ones(anatomies, 3),
        )

    def take(self, rows: Sequence[int] | None) -> "Template":
        """Return the shapes of some of the anatomies; None: of all."""
        if rows is None:
            return self
        return Template(**{name: array[list(rows)] for name, array in self.tensors().items()})

    @property
    def is_blank(self) -> bool:
        """Whether there is no shape in it, see :meth:`blank`."""
        return not bool(self.local.any())

    def tensors(self) -> dict[str, Tensor]:
        """Return all arrays under their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def collate(samples: Sequence[Sample], preprocessing: Preprocessing, multiple: int) -> Batch:
    """Join samples to a batch, the images as ``massm.tensors.preprocessing.images_of`` does."""
    images = images_of([sample.scan for sample in samples], preprocessing, multiple)
    return Batch(images, Truth.stacked([sample.truth for sample in samples]))
