"""Put a mask that covers a part of its image on the whole image's grid."""

import numpy as np

from massm.geometry.volume import Volume
from massm.io.errors import DataError


def on_grid_of(mask: Volume, image: Volume, tolerance_voxel: float) -> Volume:
    """Pad or cut a boolean mask to the grid of its image, whole voxels at a time.

    The axes may be other ones (mirrored, in another order), as between DICOM and NIfTI.

    Args:
        mask: Booleans on a grid that differs from the image's by whole voxels.
        image: The image; its values are not looked at.
        tolerance_voxel: Largest distance between voxels that are the same, in voxels.

    Raises:
        DataError: If voxels lie beside each other, or the mask reaches beyond the image.
    """
    to_image = np.linalg.inv(image.affine) @ mask.affine
    turn = np.rint(to_image[:3, :3])
    if not np.array_equal(np.abs(turn) @ np.ones((3, 3)), np.ones((3, 3))):
        raise DataError(
            f"voxels of mask ({_by(mask.spacing)} mm) and image ({_by(image.spacing)} mm) differ "
            "in size or direction; resample the mask to the image's grid"
        )
    start = np.rint(to_image[:3, 3])
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    corners *= np.array(mask.size) - 1
    off = np.abs(corners @ (to_image[:3, :3] - turn).T + (to_image[:3, 3] - start)).max()
    if off > tolerance_voxel:
        raise DataError(
            f"voxels of mask and image lie up to {off:.3g} voxels beside each other, expected "
            f"whole voxels (within {tolerance_voxel:g}); resample the mask to the image's grid"
        )
    inside = np.argwhere(mask.array)[:, ::-1]
    places = (inside @ turn.T + start).astype(int)
    outside = ((places < 0) | (places >= np.array(image.size))).any(axis=1)
    if outside.any():
        raise DataError(
            f"{int(outside.sum())} of {len(inside)} voxels of the mask lie outside of its image; "
            "it belongs to another image"
        )
    array = np.zeros(image.size[::-1], bool)
    array[tuple(places.T[::-1])] = True
    return Volume(array, image.spacing, image.origin, image.direction)


def _by(values: np.ndarray) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
