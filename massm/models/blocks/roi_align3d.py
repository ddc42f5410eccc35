"""3D ROI align: features of a box, read on a regular lattice in millimeters."""

import torch
from jaxtyping import Float
from torch import Tensor

from massm.tensors.grid import Grid


def box_lattice(
    center: Float[Tensor, "B K 3"], radius: Float[Tensor, "B K 3"], *, size: int, margin: float
) -> Float[Tensor, "B K P 3"]:
    """Return ``size`` x ``size`` x ``size`` points that fill each box, cell by cell.

    Args:
        center: Middle of each box, mm, image frame.
        radius: Half extents in x, y, z, mm.
        size: Cells along each axis; a point lies in the middle of its cell.
        margin: Factor on the radius, 1.2 for a fifth more context.
    """
    steps = (torch.arange(size, device=center.device, dtype=center.dtype) + 0.5) / size * 2 - 1
    z, y, x = torch.meshgrid(steps, steps, steps, indexing="ij")
    unit = torch.stack([x, y, z], dim=-1).reshape(-1, 3)
    return center[..., None, :] + unit * (margin * radius)[..., None, :]


def roi_align(
    level: Grid,
    center: Float[Tensor, "B K 3"],
    radius: Float[Tensor, "B K 3"],
    *,
    size: int,
    margin: float,
) -> Float[Tensor, "B K C S S S"]:
    """Read a level of the pyramid inside each box, trilinearly, one sample per cell.

    He et al., "Mask R-CNN", 2017, ROIAlign in 3D. Coordinates are never rounded; differentiable
    in the features, and in the boxes too, where a caller does not detach them.

    Args:
        level: Feature grid in the image's frame.
        center: Middle of each box, mm.
        radius: Half extents, mm.
        size: Cells S along each axis.
        margin: Factor on the radius.
    """
    points = box_lattice(center, radius, size=size, margin=margin)
    batch, anatomies, count, _ = points.shape
    sampled = level.sample(points.reshape(batch, anatomies * count, 3))
    sampled = sampled.unflatten(-1, (anatomies, count)).transpose(1, 2)
    regions: Tensor = sampled.unflatten(-1, (size, size, size))
    return regions
