"""Smooth map of the image frame that moves an image and the points in it together."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from massm.tensors.grid import Grid


@dataclass(frozen=True)
class GridWarp:
    """Where each point of the augmented frame comes from in the scanner's frame.

    The map runs backward, ``source(x) = matrix x + shift + displacement(x)``, because an image is
    augmented by asking for every new voxel where its value lies in the old image. ``displacement``
    is trilinear on a coarse lattice, so that the same map serves voxels, ROI samples and, by
    inversion, particles.

    Attributes:
        matrix: Linear part, close to a rotation times a scale.
        shift: Translation, mm.
        lattice: Displacement on a coarse grid, three channels in x, y, z, mm.
    """

    matrix: Float[Tensor, "B 3 3"]
    shift: Float[Tensor, "B 3"]
    lattice: Grid

    def to(self, device: torch.device | str) -> "GridWarp":
        """Move the tensors to a device."""
        return GridWarp(self.matrix.to(device), self.shift.to(device), self.lattice.to(device))

    def alone(self, row: int, size: tuple[int, int, int]) -> "GridWarp":
        """Return the map of one subject of the batch, its lattice cut to D, H, W points."""
        one = slice(row, row + 1)
        return GridWarp(self.matrix[one], self.shift[one], self.lattice.alone(row, size))

    def source(self, points: Float[Tensor, "B P 3"]) -> Float[Tensor, "B P 3"]:
        """Return the scanner-frame position (mm) that each augmented-frame point shows."""
        moved = points @ self.matrix.mT + self.shift[:, None]
        return moved + self.lattice.sample(points).mT

    def target(
        self, points: Float[Tensor, "B P 3"], *, iterations: int = 30
    ) -> Float[Tensor, "B P 3"]:
        """Return the augmented-frame position (mm) of scanner-frame points: invert ``source``.

        Fixed-point iteration; it converges while the displacement's slope stays below 1, which
        ``massm.tensors.augment`` sees to.
        """
        inverse = torch.linalg.inv(self.matrix)
        guess: Tensor = (points - self.shift[:, None]) @ inverse.mT
        for _ in range(iterations):
            guess = guess + (points - self.source(guess)) @ inverse.mT
        return guess
