"""Clean a mask: one piece, no cavities, cropped."""

import numpy as np
from scipy import ndimage

from massm.geometry.volume import Volume

_TOUCHING = np.ones((3, 3, 3), bool)  # voxels that share a corner belong together


def clean_mask(mask: Volume, *, margin_voxel: int = 3) -> Volume:
    """Keep the largest piece of a mask, fill its cavities and crop it.

    Args:
        mask: Booleans; must not be empty.
        margin_voxel: Empty border around the piece, also where the image ends.

    Returns:
        The piece on a smaller grid of the same frame.

    Raises:
        ValueError: If the mask is empty.
    """
    inside = mask.array.astype(bool)
    if not inside.any():
        raise ValueError("the mask is empty")
    inside, start = _crop(inside, np.zeros(3, int), 0)
    labels, count = ndimage.label(inside, _TOUCHING)
    if count > 1:
        inside = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    inside, start = _crop(inside, start, margin_voxel)
    inside = ndimage.binary_fill_holes(inside)
    return Volume(
        inside, mask.spacing, mask.index_to_point(start[::-1].astype(float)), mask.direction
    )


def _crop(inside: np.ndarray, start: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Crop to the true voxels and pad; ``start`` is the (z, y, x) index of the first voxel."""
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    corner = np.array([side.start for side in box])
    return np.pad(inside[box], margin), start + corner - margin
