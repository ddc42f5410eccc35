"""A batch of values on axis-aligned millimeter grids: images and feature maps alike."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Grid:
    """Values on an axis-aligned, isotropic LPS grid, one grid per subject of the batch.

    Attributes:
        values: Channels on the grid, axes z, y, x.
        origin: Center of voxel (0, 0, 0) in x, y, z, mm, image frame.
        spacing_mm: Distance of neighboring voxel centers, the same on every axis.
    """

    values: Float[Tensor, "B C D H W"]
    origin: Float[Tensor, "B 3"]
    spacing_mm: float

    @property
    def size(self) -> Float[Tensor, "3"]:
        """Return the voxel counts in x, y, z."""
        shape = self.values.shape[2:][::-1]
        return torch.tensor(shape, dtype=self.origin.dtype, device=self.origin.device)

    def to_index(self, points: Float[Tensor, "B *P 3"]) -> Float[Tensor, "B *P 3"]:
        """Convert points in mm to voxel indices in x, y, z."""
        return (points - self._origin_like(points)) / self.spacing_mm

    def to_point(self, index: Float[Tensor, "B *P 3"]) -> Float[Tensor, "B *P 3"]:
        """Convert voxel indices in x, y, z to points in mm."""
        return index * self.spacing_mm + self._origin_like(index)

    def sample(self, points: Float[Tensor, "B P 3"]) -> Float[Tensor, "B C P"]:
        """Read the values at points by trilinear interpolation; outside, the nearest border counts.

        Args:
            points: LPS mm, image frame.
        """
        # grid_sample counts x, y, z from -1 at the first voxel center to 1 at the last.
        last = (self.size - 1).clamp(min=1)
        unit = self.to_index(points) / last * 2 - 1
        # Half precision is too coarse for coordinates; the wider type of the two counts.
        dtype = torch.promote_types(self.values.dtype, unit.dtype)
        sampled = functional.grid_sample(
            self.values.to(dtype),
            unit[:, None, None].to(dtype),
            mode="bilinear",
            padding_mode="border",
            align_corners=True,
        )
        return sampled[:, :, 0, 0]

    def points(self) -> Float[Tensor, "B D H W 3"]:
        """Return the position of every voxel center, mm, image frame."""
        axes = [
            torch.arange(count, dtype=self.origin.dtype, device=self.origin.device)
            for count in self.values.shape[2:]
        ]
        z, y, x = torch.meshgrid(*axes, indexing="ij")
        index = torch.stack([x, y, z], dim=-1)
        return self.to_point(index[None].expand(len(self.origin), *index.shape))

    def to(self, device: torch.device | str) -> "Grid":
        """Move the tensors to a device."""
        return Grid(self.values.to(device), self.origin.to(device), self.spacing_mm)

    def alone(self, row: int, size: tuple[int, int, int]) -> "Grid":
        """Return the grid of one subject of the batch, cut to its first D, H, W voxels."""
        depth, height, width = size
        values = self.values[row : row + 1, :, :depth, :height, :width].contiguous()
        return Grid(values, self.origin[row : row + 1], self.spacing_mm)

    def float(self) -> "Grid":
        """Return the grid with values in single precision."""
        return Grid(self.values.float(), self.origin, self.spacing_mm)

    def with_values(self, values: Float[Tensor, "B C D H W"], stride: int = 1) -> "Grid":
        """Return a grid of the same frame for a map whose cell j lies at voxel ``stride * j``."""
        return Grid(values, self.origin, self.spacing_mm * stride)

    def _origin_like(self, points: Float[Tensor, "B *P 3"]) -> Float[Tensor, "B *ones 3"]:
        return self.origin.reshape(len(self.origin), *([1] * (points.ndim - 2)), 3)
