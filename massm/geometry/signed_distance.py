"""Tell a signed distance from other images of real numbers, and find its inside."""

import numpy as np
from jaxtyping import Float, Shaped

from massm.geometry.volume import Volume

_WHOLE = 1e-3  # rounding of whole numbers that were stored with a scale
_PLACES = 20000  # voxels beside the zero level that are looked at, at most
_MIDDLE = (0.7, 1.7)  # slope of the median place, per mm; 1.5 if no distance is under a voxel
_FAR = (0.5, 2.0)  # slopes beyond are found at edges and thin parts,
_STRAY = 1 / 3  # at this share of the places at most


def signed_distance(volume: Volume) -> Volume | None:
    """Turn a signed distance so that its inside is positive.

    A signed distance takes both signs and changes by 1 per mm where it passes zero. Programs differ
    in which sign they give the inside; most of the grid's border lies outside.

    Args:
        volume: Real numbers on a grid.

    Returns:
        The distance, positive inside; None if the values are those of a mask or a label map.

    Raises:
        ValueError: If they are neither; says what they look like and what to do.
    """
    field = volume.array
    finite = np.isfinite(field)
    values = field if finite.all() else field[finite]
    if _is_mask(values):
        return None
    low, high = float(values.min()), float(values.max())
    found = f"real numbers from {low:.4g} to {high:.4g} are neither a mask nor a signed distance"
    if low >= 0 or high <= 0:
        raise ValueError(
            f"{found}, which takes both signs; of a probability or a resampled mask, save where it "
            "is above 0.5 as a mask"
        )
    if values.size < field.size:
        raise ValueError(f"{found}: {field.size - values.size} others are no number; repair it")
    slopes = _slopes(volume)
    middle = float(np.median(slopes))
    stray = float(((slopes < _FAR[0]) | (slopes > _FAR[1])).mean())
    if not _MIDDLE[0] <= middle <= _MIDDLE[1] or stray > _STRAY:
        raise ValueError(
            f"{found}, which changes by 1 per mm where it passes zero; found {middle:.3g} (median; "
            f"{stray:.0%} of the places far from 1). Give the anatomy's mask, not the image, or "
            "the distance in millimeters"
        )
    border = float(np.mean(np.concatenate(_sides(field)) > 0))
    if 1 / 3 < border < 2 / 3:
        raise ValueError(
            f"{found} whose inside can be told: {border:.0%} of the grid's border is positive; pad "
            "it, so that the border lies outside"
        )
    return volume.with_array(field if border < 0.5 else -field)


def _is_mask(values: Shaped[np.ndarray, "*n"]) -> bool:
    """Tell whether values are two numbers, or whole ones from 0 on."""
    if values.size == 0:
        return True
    low, high = values.min(), values.max()
    if ((values == low) | (values == high)).all():
        return True
    return bool(low >= 0 and (np.abs(values - np.rint(values)) < _WHOLE).all())


def _slopes(volume: Volume) -> Float[np.ndarray, " n"]:
    """Measure the gradient's length at voxels beside the zero level, per mm."""
    inside = volume.array > 0
    beside = np.zeros(inside.shape, bool)
    for axis in range(3):
        changes = np.diff(inside, axis=axis)
        for one_side in ((0, 1), (1, 0)):
            beside |= np.pad(changes, [one_side if each == axis else (0, 0) for each in range(3)])
    places = np.flatnonzero(beside)
    index = np.unravel_index(places[:: len(places) // _PLACES + 1], inside.shape)
    squares = np.zeros(len(index[0]))
    for axis, spacing in enumerate(volume.spacing[::-1]):
        before, after = list(index), list(index)
        before[axis] = np.maximum(index[axis] - 1, 0)
        after[axis] = np.minimum(index[axis] + 1, inside.shape[axis] - 1)
        change = volume.array[tuple(after)] - volume.array[tuple(before)]
        squares += np.square(change / (spacing * (after[axis] - before[axis])))
    return np.sqrt(squares)


def _sides(field: Shaped[np.ndarray, "D H W"]) -> list[np.ndarray]:
    return [np.take(field, end, axis).ravel() for axis in range(3) for end in (0, -1)]
