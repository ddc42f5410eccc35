"""Which anatomy each voxel belongs to: what a network that segments is trained for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Labels:
    """The anatomies of one subject on the finest grid that its images have.

    They lie in the scanner's frame, whether the subject is augmented or not: what is drawn in the
    augmented frame asks for them through its warp, as for the finer image.

    Attributes:
        values: Number of the anatomy, 1 to K, at each voxel; 0 for none of them.
        origin: Position of voxel (0, 0, 0), x, y, z, mm.
        spacing_mm: Voxel size.
        known: Whether it is known where each anatomy is, and where it is not; one that is not known
            may be in any voxel of value 0.
    """

    values: UInt8[Tensor, "D H W"]
    origin: Float[Tensor, "3"]
    spacing_mm: float
    known: Bool[Tensor, " K"]

    @property
    def there(self) -> list[int]:
        """Return the numbers that some voxel has, 0 not among them."""
        counts = torch.bincount(self.values.flatten(), minlength=len(self.known) + 1)
        return counts[1:].nonzero().flatten().add(1).tolist()

    def at(self, points: Float[Tensor, "P 3"]) -> Int[Tensor, " P"]:
        """Return the number of the voxel that each point (mm) lies in; 0 outside the grid."""
        index = ((points - self.origin) / self.spacing_mm).round().long()
        size = torch.tensor(self.values.shape[::-1], device=points.device)
        inside = ((index >= 0) & (index < size)).all(dim=-1)
        x, y, z = index.clamp(min=0).minimum(size - 1).unbind(dim=-1)
        return torch.where(inside, self.values[z, y, x].long(), 0)

    def take(self, rows: Sequence[int] | None) -> "Labels":
        """Return the labels of some of the anatomies, numbered anew; None: of all."""
        if rows is None:
            return self
        picked = torch.as_tensor(list(rows), device=self.values.device)
        number = self.values.new_zeros(len(self.known) + 1)
        number[picked + 1] = torch.arange(1, len(picked) + 1, device=picked.device).to(number)
        values = number[self.values.long()]
        return Labels(values, self.origin, self.spacing_mm, self.known[picked])

    def to(self, device: torch.device | str) -> "Labels":
        """Move the tensors to a device."""
        values, origin = self.values.to(device), self.origin.to(device)
        return Labels(values, origin, self.spacing_mm, self.known.to(device))
