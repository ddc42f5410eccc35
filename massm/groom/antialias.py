"""A smooth field whose level set is the surface of a blocky mask, thin parts and volume kept."""

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from massm.geometry.volume import Volume

_CENTER = np.array([1.0, 4.0, 1.0]) / 6  # cubic B-spline at the integers
_PEAK = float(_CENTER[1] ** 3)
_MARGIN = 0.05  # how far from 1/2 a voxel center has to stay on its side


def smooth_field(mask: Volume, *, spacing_mm: float, iterations: int) -> Volume:
    """Turn a mask into a smooth field on an isotropic grid; 1/2 is the outline.

    The field is a cubic B-spline whose coefficients start as the mask (1 inside, 0 outside), which
    rounds off the voxel steps. What is thinner than two voxels would vanish or shrink, so the
    coefficients of voxels whose center ended on the wrong side are raised or lowered until it is
    back: the constraint of Whitaker, "Reducing aliasing artifacts in iso-surfaces of binary
    volumes", IEEE VolVis 2000, met here by splines instead of a level-set evolution.

    Args:
        mask: Booleans with an empty border of three voxels or more.
        spacing_mm: Voxel size of the result, mm.
        iterations: Passes over the constraint; 0 leaves the plain spline.

    Returns:
        Values around 0 outside and 1 inside, in the frame of the mask, float32.
    """
    inside = mask.array.astype(bool)
    coefficients = inside.astype(np.float64)
    for _ in range(iterations):
        center = coefficients
        for axis in range(3):
            center = ndimage.correlate1d(center, _CENTER, axis, mode="nearest")
        wrong = np.where(inside, 0.5 + _MARGIN - center, 0.5 - _MARGIN - center)
        wrong[inside == (wrong < 0)] = 0  # this center lies on its side
        if not wrong.any():
            break
        coefficients += wrong / _PEAK

    field = coefficients
    for axis, (count, step) in enumerate(zip(inside.shape, mask.spacing[::-1], strict=True)):
        basis = _basis(count, spacing_mm / float(step))
        field = np.moveaxis(np.tensordot(basis, field, (1, axis)), 0, axis)
    return Volume(
        field.astype(np.float32), np.full(3, float(spacing_mm)), mask.origin, mask.direction
    )


def level_of_volume(field: Volume, volume_ml: float) -> float:
    """Find the level whose inside has a given volume.

    Smoothing takes volume from convex and thin parts; moving the level gives it back.

    Args:
        field: Larger values inside.
        volume_ml: Volume that the level set shall enclose, ml.

    Raises:
        ValueError: If the grid is not larger than the volume.
    """
    count = round(volume_ml / field.voxel_ml)
    if not 0 < count < field.array.size:
        raise ValueError(
            f"a volume of {volume_ml:g} ml takes {count} of the {field.array.size} grid voxels; "
            "choose another groom.surface.spacing_mm"
        )
    place = field.array.size - count
    around = np.partition(field.array.ravel(), [place - 1, place])[place - 1 : place + 1]
    return float(around.mean())


def _basis(count: int, step: float) -> Float[np.ndarray, "fine coarse"]:
    """Tabulate the cubic B-splines of ``count`` voxels at every ``step`` voxels."""
    places = np.arange(int(np.floor((count - 1) / step)) + 1) * step
    away = np.abs(places[:, None] - np.arange(count))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.clip(2 - away, 0, None) ** 3 / 6
    return np.asarray(np.where(away < 1, near, far))
