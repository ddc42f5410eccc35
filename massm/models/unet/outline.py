"""How far a segmentation's outline lies from the true one, on the voxels of its grid."""

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from massm.geometry.pieces import box_of_mask


def outline_distance(
    found: Bool[np.ndarray, "D H W"], true: Bool[np.ndarray, "D H W"], spacing_mm: float
) -> float:
    """Return the mean distance between the outer voxels of two masks, both ways, mm.

    One that was missed costs as much as if it were taken to be the middle of the image. Where
    there is nothing to find, the distance is 0.
    """
    if not true.any():
        return 0.0
    if not found.any():
        middle = (np.array(true.shape) - 1) / 2
        return (
            float(np.linalg.norm(np.argwhere(_outline(true)) - middle, axis=1).mean()) * spacing_mm
        )
    box = box_of_mask(found | true)
    ours, theirs = (_outline(mask[box]) for mask in (found, true))
    there = ndimage.distance_transform_edt(~theirs)[ours]
    back = ndimage.distance_transform_edt(~ours)[theirs]
    return float(there.mean() + back.mean()) / 2 * spacing_mm


def _outline(mask: Bool[np.ndarray, "D H W"]) -> Bool[np.ndarray, "D H W"]:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))
