"""What one subject, and a batch of them, look like to a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int, Real
from torch import Tensor
from torch.nn import functional

from massm.tensors.grid import Grid
from massm.tensors.warp import Warp


@dataclass(frozen=True)
class Sample:
    """One subject: images in HU, and what is known about each of K anatomies.

    Attributes:
        subject: Name.
        image: CT on the network grid, HU.
        origin: Position of voxel (0, 0, 0), x, y, z, mm, image frame.
        fine: CT at a finer spacing, HU, or None.
        fine_origin: Position of its voxel (0, 0, 0).
        presence: 1 there, 0 known not to be there, -1 unknown.
        center: Middle of the box of the local particles, mm; nan unless there.
        radius: Half extents of that box, mm; nan unless there.
        local: Particles in the image frame, mm; nan unless there.
        world: Particles in the population's frame, mm; nan unless there.
        warp: Map of the augmentation; ``image`` went through it already, ``fine`` did not.
    """

    subject: str
    image: Real[Tensor, "D H W"]
    origin: Float[Tensor, "3"]
    fine: Real[Tensor, "Df Hf Wf"] | None
    fine_origin: Float[Tensor, "3"] | None
    presence: Int[Tensor, " K"]
    center: Float[Tensor, "K 3"]
    radius: Float[Tensor, "K 3"]
    local: Float[Tensor, "K M 3"]
    world: Float[Tensor, "K M 3"]
    warp: Warp | None = None


@dataclass(frozen=True)
class Sizes:
    """Voxel counts D, H, W of one subject's own grids, as they are when it is a batch of its own.

    Attributes:
        image: Of its image, rounded up to a multiple of the network's stride.
        fine: Of its finer image; None if there is none.
        lattice: Of its warp's displacements; None if it is not warped.
    """

    image: tuple[int, int, int]
    fine: tuple[int, int, int] | None
    lattice: tuple[int, int, int] | None


@dataclass(frozen=True)
class Batch:
    """B subjects, padded to one size; names and units as in ``Sample``.

    Attributes:
        sizes: How much of the padded grids is each subject's own.
        image: CT on the network grid, normalized to zero mean and unit variance.
        fine: The finer CT, normalized, in the scanner's frame; None if there is none.
        warp: Where points of the (augmented) image frame lie in ``fine``; None: the same place.
    """

    subjects: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    image: Grid
    fine: Grid | None
    warp: Warp | None
    presence: Int[Tensor, "B K"]
    center: Float[Tensor, "B K 3"]
    radius: Float[Tensor, "B K 3"]
    local: Float[Tensor, "B K M 3"]
    world: Float[Tensor, "B K M 3"]

    def to(self, device: torch.device | str) -> "Batch":
        """Move every tensor to a device."""
        return Batch(
            subjects=self.subjects,
            sizes=self.sizes,
            image=self.image.to(device),
            fine=self.fine.to(device) if self.fine is not None else None,
            warp=self.warp.to(device) if self.warp is not None else None,
            presence=self.presence.to(device),
            center=self.center.to(device),
            radius=self.radius.to(device),
            local=self.local.to(device),
            world=self.world.to(device),
        )

    def each(self) -> Iterator["Batch"]:
        """Yield every subject as the batch that it would be alone, without the others' padding.

        What a network says of a subject depends on the size of its grid: convolutions see the
        padding, and instance and group normalization average over it.
        """
        for row, size in enumerate(self.sizes):
            one = slice(row, row + 1)
            fine, warp = self.fine, self.warp
            yield Batch(
                subjects=self.subjects[one],
                sizes=(size,),
                image=self.image.alone(row, size.image),
                fine=fine.alone(row, size.fine) if fine and size.fine else None,
                warp=warp.alone(row, size.lattice) if warp and size.lattice else None,
                presence=self.presence[one],
                center=self.center[one],
                radius=self.radius[one],
                local=self.local[one],
                world=self.world[one],
            )

    def pin_memory(self) -> "Batch":
        """Leave memory as it is: Lightning asks custom batches for this hook."""
        return self

    def sample_fine(self, points: Float[Tensor, "B P 3"]) -> Float[Tensor, "B P"]:
        """Read the finest image there is at points of the image frame (mm), normalized."""
        if self.fine is None:
            return self.image.sample(points)[:, 0]
        source = points if self.warp is None else self.warp.source(points)
        return self.fine.sample(source)[:, 0]


@dataclass(frozen=True)
class Intensity:
    """How HU become network input; statistics of the training split.

    Attributes:
        low: HU under which values are clipped.
        high: HU above which values are clipped.
        mean_hu: Mean of the clipped values, HU.
        mean: Mean of the clipped values after the contrast curve.
        std: Standard deviation of them.
        center_hu: Center of the contrast curve ``asinh((HU - center) / width)``, HU.
        width_hu: Its width, HU; None: values are taken as they are.
    """

    low: float
    high: float
    mean_hu: float
    mean: float
    std: float
    center_hu: float | None
    width_hu: float | None

    def normalize(self, image: Tensor) -> Tensor:
        """Clip HU, apply the contrast curve, scale to zero mean and unit variance.

        Air, fat, muscle and bone lie a thousand HU apart, neighboring soft tissues twenty: on a
        linear scale that is a twentieth of a standard deviation. The curve keeps the order of all
        values and gives soft tissue most of the range.
        """
        values = image.float().clamp(self.low, self.high)
        if self.center_hu is not None and self.width_hu is not None:
            values = torch.asinh((values - self.center_hu) / self.width_hu)
        return (values - self.mean) / self.std


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

    @property
    def is_blank(self) -> bool:
        """Whether there is no shape in it, see :meth:`blank`."""
        return not bool(self.local.any())

    def tensors(self) -> dict[str, Tensor]:
        """Return all arrays under their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def collate(
    samples: list[Sample],
    *,
    intensity: Intensity,
    spacing_mm: float,
    fine_spacing_mm: float | None,
    padding_hu: float,
    multiple: int,
) -> Batch:
    """Join samples to a batch: pad each image at its far ends to one common size, normalize.

    Padding behind the last voxel leaves the origin alone. The common size is that of the largest
    subject of this batch, rounded up to a multiple of the network's stride; ``Batch.sizes`` keeps
    how much of it each subject would have alone.

    Args:
        samples: The subjects.
        intensity: Statistics of the training split.
        spacing_mm: Voxel size of the network grid.
        fine_spacing_mm: Voxel size of the finer image, None if there is none.
        padding_hu: What lies outside an image, HU.
        multiple: Every axis of the network grid becomes a multiple of this.
    """
    images = _pad_all([sample.image for sample in samples], padding_hu, multiple)
    origin = torch.stack([sample.origin for sample in samples])
    fine = None
    if fine_spacing_mm is not None:
        volumes = [sample.fine for sample in samples if sample.fine is not None]
        origins = [sample.fine_origin for sample in samples if sample.fine_origin is not None]
        values = intensity.normalize(_pad_all(volumes, padding_hu, 1))
        fine = Grid(values[:, None], torch.stack(origins), fine_spacing_mm)
    return Batch(
        subjects=tuple(sample.subject for sample in samples),
        sizes=tuple(_sizes(sample, multiple) for sample in samples),
        image=Grid(intensity.normalize(images)[:, None], origin, spacing_mm),
        fine=fine,
        warp=_join_warps([sample.warp for sample in samples]),
        presence=torch.stack([sample.presence for sample in samples]),
        center=torch.stack([sample.center for sample in samples]),
        radius=torch.stack([sample.radius for sample in samples]),
        local=torch.stack([sample.local for sample in samples]),
        world=torch.stack([sample.world for sample in samples]),
    )


def _sizes(sample: Sample, multiple: int) -> Sizes:
    return Sizes(
        image=_padded(sample.image.shape, multiple),
        fine=_padded(sample.fine.shape, 1) if sample.fine is not None else None,
        lattice=_padded(sample.warp.lattice.values.shape[2:], 1) if sample.warp else None,
    )


def _padded(shape: Sequence[int], multiple: int) -> tuple[int, int, int]:
    """Round voxel counts up to a multiple."""
    depth, height, width = (-(-count // multiple) * multiple for count in shape)
    return depth, height, width


def _pad_all(volumes: list[Tensor], value: float, multiple: int) -> Float[Tensor, "B D H W"]:
    largest = [max(volume.shape[axis] for volume in volumes) for axis in range(3)]
    common = _padded(largest, multiple)
    padded = []
    for volume in volumes:
        behind = [common[axis] - volume.shape[axis] for axis in range(3)]
        # pad counts from the last axis backward: x, then y, then z.
        padded.append(
            functional.pad(volume.float(), (0, behind[2], 0, behind[1], 0, behind[0]), value=value)
        )
    return torch.stack(padded)


def _join_warps(warps: list[Warp | None]) -> Warp | None:
    """Join warps of equal lattice size; None if no subject is warped."""
    given = [warp for warp in warps if warp is not None]
    if not given:
        return None
    if len(given) != len(warps):
        raise ValueError("either every subject of a batch is warped or none")
    values = [warp.lattice.values[0].movedim(0, -1) for warp in given]
    largest = [max(value.shape[axis] for value in values) for axis in range(3)]
    # A lattice is padded by repeating its border, which is what sampling outside gives anyway.
    padded = [
        functional.pad(
            value.movedim(-1, 0)[None],
            (
                0,
                largest[2] - value.shape[2],
                0,
                largest[1] - value.shape[1],
                0,
                largest[0] - value.shape[0],
            ),
            mode="replicate",
        )
        for value in values
    ]
    return Warp(
        matrix=torch.cat([warp.matrix for warp in given]),
        shift=torch.cat([warp.shift for warp in given]),
        lattice=Grid(
            torch.cat(padded),
            torch.cat([warp.lattice.origin for warp in given]),
            given[0].lattice.spacing_mm,
        ),
    )
