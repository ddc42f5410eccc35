"""CT on a network grid: axis-aligned in LPS, isotropic, anti-aliased, cropped to the body."""

from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int16, Shaped
from scipy import ndimage

from massm.geometry.volume import Volume
from massm.tensors.separable import apply_axes, axes_of

_TRUNCATE = 3.0  # standard deviations at which the Gaussian ends
_INWARD = 1 - 1e-9
_SLAB_VOXELS = 1 << 24  # of the scan that are smoothed at a time, about


class GridImage(NamedTuple):
    """An image whose axes run along LPS x, y, z at one spacing.

    Attributes:
        values: HU, axes z, y, x.
        origin: Position of voxel (0, 0, 0), x, y, z, mm.
        spacing_mm: Voxel size.
    """

    values: Int16[np.ndarray, "D H W"]
    origin: Float[np.ndarray, "3"]
    spacing_mm: float


def to_grid(volume: Volume, spacing_mm: float, *, padding_hu: float) -> GridImage:
    """Resample a CT of any orientation to an axis-aligned isotropic grid over the same space.

    Where the grid is coarser than the scan along a scan axis, the scan is first smoothed along it
    with a Gaussian that has half the variance, in coarse voxels squared, of a box of that size
    (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015: the difference of
    the two point spreads), so that nothing aliases. Values are linear in between.

    Args:
        volume: CT, HU.
        spacing_mm: Voxel size of the grid.
        padding_hu: Value of grid voxels outside the scan (a rotated scan leaves corners).
    """
    corners = volume.corners()
    origin = corners.min(axis=0)
    size_xyz = np.floor((corners.max(axis=0) - origin) / spacing_mm + 1e-6).astype(int) + 1

    values = np.empty([int(n) for n in size_xyz[::-1]], np.int16)
    fill(values, volume, origin, spacing_mm, outside=padding_hu)
    return GridImage(values, origin, spacing_mm)


def fill(
    values: Shaped[np.ndarray, "D H W"],
    volume: Volume,
    origin: Float[np.ndarray, "3"],
    spacing_mm: float,
    *,
    outside: float,
) -> None:
    """Resample an image to a grid that is given, smoothed as :func:`to_grid` says.

    Args:
        values: The grid's, written to; integers are rounded.
        volume: Image of any orientation.
        origin: Position of the grid's voxel (0, 0, 0), x, y, z, mm.
        spacing_mm: The grid's voxel size.
        outside: Value of grid voxels outside the image.
    """
    # Full width at half maximum of either grid's point spread is taken as its voxel size.
    excess = np.clip(spacing_mm**2 - volume.spacing**2, 0, None)
    sigma_voxel = (np.sqrt(excess) / 2.3548 / volume.spacing)[::-1]

    # scipy asks, for an output index in z, y, x, where in the input (z, y, x) it lies.
    to_index = np.linalg.inv(volume.direction * volume.spacing)
    matrix = (to_index * spacing_mm)[::-1, ::-1]
    offset = (to_index @ (origin - volume.origin))[::-1]
    # Grid voxels on the scan's rim lie there to rounding error; drawn to its middle by less than
    # a millionth of a voxel, they do not count as outside.
    middle = (np.array(volume.array.shape) - 1) / 2
    matrix, offset = matrix * _INWARD, middle + (offset - middle) * _INWARD
    slices = max(1, round(_SLAB_VOXELS / volume.array.size * len(values)))
    shapes = volume.array.shape, values.shape
    axes = axes_of(*shapes, matrix, offset, sigma_voxel, _TRUNCATE)
    for first in range(0, len(values), slices):
        slab = values[first : first + slices]
        if axes is not None:
            rows = [axes[0].part(slice(first, first + slices)), *axes[1:]]
            slab[:] = _of_type(apply_axes(volume.array, rows, outside), slab.dtype)
        else:
            start = offset + matrix @ [first, 0, 0]
            _resample(volume.array, slab, sigma_voxel, matrix, start, outside)


def _resample(
    array: Shaped[np.ndarray, "D H W"],
    slab: Shaped[np.ndarray, "d h w"],
    sigma_voxel: Float[np.ndarray, "3"],
    matrix: Float[np.ndarray, "3 3"],
    offset: Float[np.ndarray, "3"],
    outside: float,
) -> None:
    """Fill some slices of the grid from the part of a turned scan that they need.

    Args:
        array: The whole scan.
        slab: The slices, written to.
        sigma_voxel: Smoothing along the scan's axes.
        matrix: From a slab's index to the scan's.
        offset: Scan index of the slab's first voxel.
        outside: Value outside the scan.
    """
    ends = np.array(list(product(*[(0, n - 1) for n in slab.shape]))) @ matrix.T + offset
    reach = np.floor(_TRUNCATE * sigma_voxel + 0.5) + 2  # of the Gaussian, and of linear values
    low = np.clip(np.floor(ends.min(axis=0)) - reach, 0, None).astype(int)
    high = np.minimum(np.ceil(ends.max(axis=0)) + reach + 1, array.shape).astype(int)
    if (high <= low).any():
        slab[:] = _of_type(np.array(outside), slab.dtype)
        return
    part = array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float32)
    ndimage.gaussian_filter(part, sigma_voxel, output=part, mode="nearest", truncate=_TRUNCATE)
    # What reaches beyond the part reaches beyond the scan: its ends are the scan's there.
    resampled = ndimage.affine_transform(
        part,
        matrix,
        offset - low,
        output_shape=slab.shape,
        order=1,
        mode="constant",
        cval=outside,
    )
    slab[:] = _of_type(resampled, slab.dtype)


def _of_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Round and clip to what an integer type holds; real numbers stay."""
    if dtype.kind not in "iu":
        return values
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values), limits.min, limits.max))


def body_box(
    image: GridImage, *, above_hu: float, margin_mm: float
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Return the corners (mm) of the box around all voxels above a value, plus a margin.

    An image without such a voxel keeps its whole box.
    """
    whole = np.array(image.values.shape[::-1]) - 1
    found = [np.flatnonzero((image.values > above_hu).any(axis=axes)) for axes in _OTHER_AXES]
    if any(len(indices) == 0 for indices in found):
        return image.origin, image.origin + whole * image.spacing_mm
    low = np.array([indices[0] for indices in found]) * image.spacing_mm - margin_mm
    high = np.array([indices[-1] for indices in found]) * image.spacing_mm + margin_mm
    high = np.minimum(high, whole * image.spacing_mm)
    return image.origin + np.clip(low, 0, None), image.origin + high


_OTHER_AXES = ((0, 1), (0, 2), (1, 2))  # for x, y, z in an array of z, y, x


def crop(image: GridImage, low: Float[np.ndarray, "3"], high: Float[np.ndarray, "3"]) -> GridImage:
    """Keep the voxels inside a box (corners in mm), rounded outward; the origin follows."""
    first = np.floor((low - image.origin) / image.spacing_mm + 1e-6).astype(int).clip(0)
    last = np.ceil((high - image.origin) / image.spacing_mm - 1e-6).astype(int)
    (x0, y0, z0), (x1, y1, z1) = first, last + 1
    values = np.ascontiguousarray(image.values[z0:z1, y0:y1, x0:x1])
    return GridImage(values, image.origin + first * image.spacing_mm, image.spacing_mm)
