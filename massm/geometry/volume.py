"""Images on a regular grid, and the way between voxel indices and millimeters.

This is the only module that swaps axis order: arrays are ``(D, H, W)`` = (z, y, x), points and
indices are (x, y, z).
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Shaped


def _zeros() -> np.ndarray:
    return np.zeros(3)


@dataclass(frozen=True)
class Volume:
    """An image or a mask with its place in the scanner.

    Attributes:
        array: Values, axes z, y, x.
        spacing: Voxel size along the x, y, z index axes, mm.
        origin: LPS millimeters of the center of voxel (0, 0, 0).
        direction: Columns are the unit directions of the x, y, z index axes in LPS.
    """

    array: Shaped[np.ndarray, "D H W"]
    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"] = field(default_factory=_zeros)
    direction: Float[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))

    @property
    def size(self) -> tuple[int, int, int]:
        """Number of voxels along x, y, z."""
        depth, height, width = self.array.shape
        return width, height, depth

    @property
    def affine(self) -> Float[np.ndarray, "4 4"]:
        """Matrix from (x, y, z) index to LPS millimeters."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction * self.spacing
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(np.prod(self.spacing)) / 1000.0

    @property
    def not_finite(self) -> int:
        """Number of voxels that are no number (NaN or infinite)."""
        if self.array.dtype.kind != "f":
            return 0
        return sum(plane.size - int(np.isfinite(plane).sum()) for plane in self.array)

    def index_to_point(self, index: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """Carry (x, y, z) indices, which may be fractional, to LPS millimeters."""
        steps = self.direction * self.spacing
        return np.asarray(np.asarray(index, float) @ steps.T + self.origin)

    def point_to_index(self, point: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """Carry LPS millimeters to fractional (x, y, z) indices."""
        inverse = np.linalg.inv(self.direction * self.spacing)
        return np.asarray((np.asarray(point, float) - self.origin) @ inverse.T)

    def corners(self) -> Float[np.ndarray, "8 3"]:
        """LPS millimeters of the eight outer corner voxels' centers."""
        last = np.array(self.size, float) - 1
        index = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float) * last
        return self.index_to_point(index)

    def with_array(self, array: Shaped[np.ndarray, "D H W"]) -> "Volume":
        """Put other values on the same grid."""
        if array.shape != self.array.shape:
            raise ValueError(f"the grid holds {self.array.shape}, the new values {array.shape}")
        return Volume(array, self.spacing, self.origin, self.direction)
