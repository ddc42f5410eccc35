"""Patches of a subject to train on: around voxels of each anatomy in turn, and anywhere."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massm.config.models.unet import UnetConfig
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.labels import Labels

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Patches:
    """Patches of one subject or of several.

    Attributes:
        image: The finest image there is, normalized.
        labels: Number of the anatomy at each voxel, 0 for none.
        known: Of each patch's subject, which anatomies are known.
    """

    image: Float[Tensor, "P 1 D H W"]
    labels: Int[Tensor, "P D H W"]
    known: Bool[Tensor, "P K"]

    @classmethod
    def joined(cls, parts: list["Patches"]) -> "Patches":
        """Join the patches of several subjects."""
        return cls(
            torch.cat([part.image for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat([part.known for part in parts]),
        )


def draw_patches(
    one: Images,
    labels: Labels,
    size: Size,
    spacing_mm: float,
    centers: Float[Tensor, "P 3"],
) -> Patches:
    """Read image and labels around some centers.

    Args:
        one: A subject as it is alone, augmented or not.
        labels: Its labels.
        size: Voxels of a patch, D, H, W.
        spacing_mm: Their size.
        centers: Middles of the patches, mm, frame of the (augmented) image.
    """
    around = _offsets(size, spacing_mm).to(centers)
    points = (centers[:, None] + around).reshape(1, -1, 3)
    image = one.sample_fine(points).reshape(-1, 1, *size)
    source = points if one.warp is None else one.warp.source(points)
    numbers = labels.at(source[0]).reshape(-1, *size)
    return Patches(image, numbers, labels.known.expand(len(centers), -1))


def draw_centers(
    one: Images,
    labels: Labels,
    config: UnetConfig,
    spacing_mm: float,
    generator: torch.Generator,
) -> Float[Tensor, "P 3"]:
    """Draw where patches lie, mm: some around a voxel of an anatomy, the others anywhere.

    The anatomies that there are take turns, so that a small organ is seen as often as a large one.
    No patch reaches out of the image where the image is larger, as in prediction.

    Args:
        one: A subject as it is alone.
        labels: Its labels.
        config: Number and size of patches, and the chance of one to lie around an anatomy.
        spacing_mm: Voxel size of a patch.
        generator: Draws, on the CPU.
    """
    there = labels.there
    turns = torch.randperm(len(there), generator=generator).tolist()
    low, high = _middles(one.image, config.patch, spacing_mm)
    centers = []
    for turn in range(config.patches):
        place = torch.rand(3, generator=generator).to(low)
        if there and torch.rand((), generator=generator) < config.foreground:
            anatomy = there[turns[turn % len(there)]]
            center = _target(
                one, _voxel_of(labels, anatomy, generator) + (place - 0.5) * spacing_mm
            )
        else:
            center = low + place * (high - low)
        centers.append(center.maximum(low).minimum(high))
    return torch.stack(centers)


def _voxel_of(labels: Labels, anatomy: int, generator: torch.Generator) -> Float[Tensor, "3"]:
    """Draw a voxel of an anatomy; return its place, mm, scanner's frame."""
    places = (labels.values == anatomy).nonzero()
    drawn = int(torch.randint(len(places), (), generator=generator))
    return labels.origin + places[drawn].flip(0).to(labels.origin) * labels.spacing_mm


def _target(one: Images, point: Float[Tensor, "3"]) -> Float[Tensor, "3"]:
    return point if one.warp is None else one.warp.target(point[None, None])[0, 0]


def _middles(
    image: Grid, size: Size, spacing_mm: float
) -> tuple[Float[Tensor, "3"], Float[Tensor, "3"]]:
    """Return the corners of the box that middles of patches lie in; a point along short axes."""
    low = image.origin[0]
    high = low + (image.size - 1) * image.spacing_mm
    half = (torch.tensor(size[::-1]).to(low) - 1) * spacing_mm / 2
    middle = (low + high) / 2
    return (low + half).minimum(middle), (high - half).maximum(middle)


def _offsets(size: Size, spacing_mm: float) -> Float[Tensor, "P 3"]:
    """Return the places of a patch's voxels about its middle, mm, x fastest."""
    z, y, x = torch.meshgrid(*[torch.arange(n) - (n - 1) / 2 for n in size], indexing="ij")
    return torch.stack([x, y, z], dim=-1).reshape(-1, 3) * spacing_mm
