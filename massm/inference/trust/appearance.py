"""How a scan looks: HU on both sides of a surface, and the HU scale of the whole scan."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume

BODY_HU = -500.0
"""What is denser counts as body; air, lungs and padding do not."""
FAT_HU, SOFT_HU, BONE_HU = (-150.0, -30.0), (-30.0, 130.0), (200.0, np.inf)
"""Ranges of the three kinds of tissue in CT, HU, rounded."""

_BESIDE_MM = (2.0, 4.0)  # from the surface, to either side
_LOW_HU = -1024.0  # scanners pad with this, and with less
_AIR_SHARE = 0.5  # percent of a scan's voxels; also a crop within the body has as much air
_BIN_HU = 10.0
_MOST_VOXELS = 1_000_000


class Sides(NamedTuple):
    """HU beside a surface, as far as they are inside of the scan; nan where nothing is.

    Attributes:
        mean: Just inside of the surface.
        spread: Standard deviation of the same.
        contrast: Mean inside minus mean outside.
    """

    mean: float
    spread: float
    contrast: float


class HuScale(NamedTuple):
    """What shows whether the values of a scan are HU of a body.

    Attributes:
        air: What half a percent of the voxels lies below, HU; padding counts as -1024.
        peak: Middle of the 10 HU that hold most voxels of the body.
        fat: Share of the body's voxels in the range of fat, 0 to 1.
        soft: The same for soft tissue.
        bone: The same for bone.
        grain: How much neighboring voxels of the body differ, median, along the axis where they do
            least, HU: noise and sharpness.
    """

    air: float
    peak: float
    fat: float
    soft: float
    bone: float
    grain: float


def hu_beside(surface: Mesh, volume: Volume) -> Sides:
    """Measure HU 2 and 4 mm inside and outside of a surface, along its normals.

    Args:
        surface: Closed, faces outward, LPS mm.
        volume: The scan, HU.
    """
    inside, outside = (
        np.concatenate([_sampled(surface, side * depth, volume) for depth in _BESIDE_MM])
        for side in (-1, 1)
    )
    if not len(inside) or not len(outside):
        return Sides(np.nan, np.nan, np.nan)
    mean = float(inside.mean())
    return Sides(mean, float(inside.std()), mean - float(outside.mean()))


def scale_of(volume: Volume) -> HuScale:
    """Describe the HU scale of a scan, from at most about a million of its voxels.

    Args:
        volume: The scan, HU; turned or flipped in storage, it is described alike.
    """
    step = max(1, int(np.ceil((volume.array.size / _MOST_VOXELS) ** (1 / 3))))
    values = np.maximum(volume.array[::step, ::step, ::step].astype(np.float32), _LOW_HU)
    body = values[values > BODY_HU]
    air = float(np.percentile(values, _AIR_SHARE))
    if not len(body):
        return HuScale(air, *[np.nan] * 5)
    counts = np.bincount(((body - BODY_HU) // _BIN_HU).astype(int).clip(0, 1000))
    fat, soft, bone = (
        float(((body > low) & (body <= high)).mean()) for low, high in (FAT_HU, SOFT_HU, BONE_HU)
    )
    peak = BODY_HU + (int(counts.argmax()) + 0.5) * _BIN_HU
    return HuScale(air, peak, fat, soft, bone, _grain(volume.array, step))


def _sampled(surface: Mesh, offset_mm: float, volume: Volume) -> Float[np.ndarray, " n"]:
    """Interpolate the scan beside each vertex; what lies outside of it is left out."""
    index = volume.point_to_index(surface.vertices + offset_mm * surface.vertex_normals)
    is_there = ((index >= 0) & (index <= np.array(volume.size) - 1)).all(1)
    places = index[is_there].T[::-1]
    return np.asarray(map_coordinates(volume.array, places, output=np.float64, order=1))


def _grain(array: np.ndarray, step: int) -> float:
    found = []
    for axis in range(3):
        last = array.shape[axis] - 1
        one, other = (
            array[
                tuple(
                    slice(start, last + start, step) if each == axis else slice(None, None, step)
                    for each in range(3)
                )
            ].astype(np.float32)
            for start in (0, 1)
        )
        is_body = (one > BODY_HU) & (other > BODY_HU)
        if is_body.any():
            found.append(float(np.median(np.abs(one - other)[is_body])))
    return min(found, default=float("nan"))
