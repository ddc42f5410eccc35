"""Clean a mask: one piece, no cavities, cropped."""

import numpy as np
from scipy import ndimage

from massm.geometry.pieces import box_of_mask, largest_piece
from massm.geometry.volume import Volume


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
    piece = largest_piece(mask.array.astype(bool, copy=False))
    inside = ndimage.binary_fill_holes(np.pad(piece.inside, margin_voxel))
    first = (piece.start - margin_voxel)[::-1].astype(float)
    return Volume(inside, mask.spacing, mask.index_to_point(first), mask.direction)


def crop_mask(mask: Volume) -> Volume:
    """Crop a mask to the box of its true voxels; an empty one stays as it is."""
    if not mask.array.any():
        return mask
    box = box_of_mask(mask.array)
    first = np.array([side.start for side in box][::-1], float)
    return Volume(mask.array[box].copy(), mask.spacing, mask.index_to_point(first), mask.direction)
