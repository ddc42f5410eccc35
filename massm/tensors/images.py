"""The images of one subject and of a batch: all that a network may look at to predict."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Real
from torch import Tensor

from massm.tensors.grid import Grid
from massm.tensors.warp import GridWarp


@dataclass(frozen=True)
class Scan:
    """One subject's CT on the grids of the network, in HU.

    Attributes:
        subject: Name.
        image: CT on the network grid, HU.
        origin: Position of voxel (0, 0, 0), x, y, z, mm, image frame.
        fine: CT at a finer spacing, HU, or None.
        fine_origin: Position of its voxel (0, 0, 0).
        warp: Map of the augmentation; ``image`` went through it already, ``fine`` did not.
    """

    subject: str
    image: Real[Tensor, "D H W"]
    origin: Float[Tensor, "3"]
    fine: Real[Tensor, "Df Hf Wf"] | None
    fine_origin: Float[Tensor, "3"] | None
    warp: GridWarp | None = None


@dataclass(frozen=True)
class Sizes:
    """Voxel counts D, H, W of one subject's own grids, as they are when it is a batch of its own.

    Attributes:
        image: Of its image, rounded up to a multiple of the network's stride.
        fine: Of its finer image; None if there is none.
        lattice: Of its warp's displacements; None if it is not warped.
        shown: Of its image without any padding: what the scan shows.
    """

    image: tuple[int, int, int]
    fine: tuple[int, int, int] | None
    lattice: tuple[int, int, int] | None
    shown: tuple[int, int, int]


@dataclass(frozen=True)
class Images:
    """The images of B subjects, padded to one size; what is known of the subjects is not here.

    Attributes:
        subjects: Their names.
        sizes: How much of the padded grids is each subject's own.
        image: CT on the network grid, normalized to zero mean and unit variance.
        fine: The finer CT, normalized, in the scanner's frame; None if there is none.
        warp: Where points of the (augmented) image frame lie in ``fine``; None: the same place.
        frames: For a model of aligned crops alone: the rigid maps (a reflection where the world
            frame is mirrored) from each anatomy's world frame to the image frame, mm; nan of one
            that is not there. Only what says so (``FamilyFacts.reads``) is given them.
        box_centers: For a model of crops in boxes: the centers that another model found, mm; nan of
            what it did not find.
    """

    subjects: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    image: Grid
    fine: Grid | None
    warp: GridWarp | None
    frames: Float[Tensor, "B K 3 4"] | None = None
    box_centers: Float[Tensor, "B K 3"] | None = None

    def to(self, device: torch.device | str) -> "Images":
        """Move every tensor to a device."""
        return Images(
            subjects=self.subjects,
            sizes=self.sizes,
            image=self.image.to(device),
            fine=self.fine.to(device) if self.fine is not None else None,
            warp=self.warp.to(device) if self.warp is not None else None,
            frames=self.frames.to(device) if self.frames is not None else None,
            box_centers=self.box_centers.to(device) if self.box_centers is not None else None,
        )

    def each(self) -> Iterator["Images"]:
        """Yield every subject as it would be alone, without the padding to the others' size.

        What a network says of a subject depends on the size of its grid: convolutions see the
        padding, and instance and group normalization average over it.
        """
        for row, size in enumerate(self.sizes):
            fine, warp, one = self.fine, self.warp, slice(row, row + 1)
            yield Images(
                subjects=self.subjects[one],
                sizes=(size,),
                image=self.image.alone(row, size.image),
                fine=fine.alone(row, size.fine) if fine and size.fine else None,
                warp=warp.alone(row, size.lattice) if warp and size.lattice else None,
                frames=self.frames[one] if self.frames is not None else None,
                box_centers=self.box_centers[one] if self.box_centers is not None else None,
            )

    def sample_fine(self, points: Float[Tensor, "B P 3"]) -> Float[Tensor, "B P"]:
        """Read the finest image there is at points of the image frame (mm), normalized."""
        if self.fine is None:
            return self.image.sample(points)[:, 0]
        source = points if self.warp is None else self.warp.source(points)
        return self.fine.sample(source)[:, 0]
