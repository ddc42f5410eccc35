"""Smoothing and linear interpolation of a scan whose axes run along those of the grid.

Then both are the same on each line of voxels along an axis, and one small matrix for each axis does
all: of a scan of half a millimeter only that part is made that a coarse grid keeps.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy import ndimage, sparse

_DRIFT = 1e-3  # voxels that the axes may stray from each other over the whole grid


class Axis(NamedTuple):
    """What one axis of a grid takes from an axis of the scan.

    Attributes:
        of: Axis of the scan.
        weights: Of each scan voxel in each grid voxel, one row for the latter.
        inside: Which grid voxels lie within the scan.
    """

    of: int
    weights: sparse.csr_matrix
    inside: Bool[np.ndarray, " n"]

    def part(self, rows: slice) -> "Axis":
        """Take some grid voxels."""
        return Axis(self.of, self.weights[rows], self.inside[rows])


def axes_of(
    scan: Sequence[int],
    grid: Sequence[int],
    matrix: Float[np.ndarray, "3 3"],
    offset: Float[np.ndarray, "3"],
    sigma_voxel: Float[np.ndarray, "3"],
    truncate: float,
) -> list[Axis] | None:
    """Make the weights of each axis of a grid; None if its axes are none of the scan's.

    Args:
        scan: Voxel counts of the scan.
        grid: Voxel counts of the grid.
        matrix: From a grid index to the scan's.
        offset: Scan index of the grid's first voxel.
        sigma_voxel: Standard deviation of the Gaussian along the scan's axes.
        truncate: Standard deviations at which it ends.
    """
    chosen = np.abs(matrix).argmax(axis=0)
    if sorted(chosen) != [0, 1, 2]:
        return None
    steps = matrix[chosen, range(3)]
    strays = np.abs(matrix)
    strays[chosen, range(3)] = 0.0
    if (strays @ (np.array(grid) - 1)).max() > _DRIFT:
        return None
    return [
        Axis(
            int(of),
            *_line(scan[of], offset[of] + steps[axis] * np.arange(grid[axis]), sigma, truncate),
        )
        for axis, (of, sigma) in enumerate(zip(chosen, sigma_voxel[chosen], strict=True))
    ]


def _line(
    count: int, places: Float[np.ndarray, " n"], sigma: float, truncate: float
) -> tuple[sparse.csr_matrix, Bool[np.ndarray, " n"]]:
    """Weigh the voxels of a line for places on it (voxels), and say which of these it holds."""
    inside = (places >= 0) & (places <= count - 1)
    low = np.clip(np.floor(places), 0, max(count - 2, 0)).astype(int)
    high = np.minimum(low + 1, count - 1)
    share = np.clip(places - low, 0, 1)[:, None]
    smoothed = np.eye(count)
    if sigma > 0:
        smoothed = ndimage.gaussian_filter1d(
            smoothed, sigma, axis=0, mode="nearest", truncate=truncate
        )
    weights = (1 - share) * smoothed[low] + share * smoothed[high]
    weights[~inside] = 0.0
    return sparse.csr_matrix(weights.astype(np.float32)), inside


def apply_axes(
    array: Shaped[np.ndarray, "D H W"], axes: Sequence[Axis], outside: float
) -> Float[np.ndarray, "d h w"]:
    """Make the grid's values.

    Args:
        array: The scan.
        axes: Of the grid, one for each of its axes.
        outside: Value of grid voxels outside the scan.
    """
    by_scan: list[Axis] = sorted(axes, key=lambda axis: axis.of)
    used = [np.unique(axis.weights.indices) for axis in by_scan]
    shape = tuple(len(axis.inside) for axis in axes)
    if any(len(one) == 0 for one in used):
        return np.full(shape, outside, np.float32)
    spans = [slice(int(one[0]), int(one[-1]) + 1) for one in used]
    values = array[tuple(spans)].astype(np.float32)
    for axis, span in zip(by_scan, spans, strict=True):  # each goes last, so all come back in order
        made = axis.weights[:, span] @ values.reshape(len(values), -1)
        values = np.moveaxis(made.reshape(-1, *values.shape[1:]), 0, -1)
    values = values.transpose([axis.of for axis in axes])
    rim = np.ix_(*[axis.inside for axis in axes])
    found = np.full(shape, outside, np.float32)
    found[rim] = values[rim]
    return found
