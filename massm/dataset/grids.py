"""Compare the voxel grids of a mask and its CT."""

import numpy as np

from massm.geometry.volume import Volume
from massm.io.dicom import on_grid_of
from massm.io.errors import DataError

DIFFER = "geometry of mask and CT differ"
ADVICE = "resample the mask to the CT's grid, taking nearest neighbors"


def grid_fault(image: Volume, mask: Volume, tolerance_voxel: float) -> str:
    """Say in what a mask's grid differs from its image's; empty if it does not.

    Two grids are one if matching corners are at most ``tolerance_voxel`` voxels apart. What is
    named as different then is what differs visibly.
    """
    if mask.size != image.size:
        return f"{DIFFER}: size {_by(mask.size)} against {_by(image.size)} voxels; {ADVICE}"
    apart = float(np.linalg.norm(image.corners() - mask.corners(), axis=1).max())
    limit = tolerance_voxel * float(np.min(image.spacing))
    if apart <= limit:
        return ""
    parts = []
    if not np.allclose(mask.spacing, image.spacing, rtol=1e-3):
        parts.append(f"spacing {_list(mask.spacing)} against {_list(image.spacing)} mm")
    if not np.allclose(mask.direction, image.direction, atol=1e-3):
        parts.append(f"direction {_rows(mask.direction)} against {_rows(image.direction)}")
    if np.linalg.norm(mask.origin - image.origin) > limit:
        parts.append(f"origin {_list(mask.origin)} against {_list(image.origin)} mm")
    return f"{DIFFER}: {'; '.join(parts) or 'corners'} (up to {apart:.3g} mm apart); {ADVICE}"


def on_larger_grid(mask: Volume, image: Volume, tolerance_voxel: float) -> Volume | None:
    """Put a mask on its image's grid if its own is a part of that, whole voxels and all.

    Such are masks that were cropped to the anatomy, and those whose axes run in another order or
    direction over the same places. A grid that reaches beyond the image is none: one of the same
    size that is moved by whole voxels has lost its place.

    Returns:
        The mask on the image's grid; None if the grids differ otherwise.
    """
    index = image.point_to_index(mask.corners())
    last = np.array(image.size) - 1
    if (index < -tolerance_voxel).any() or (index > last + tolerance_voxel).any():
        return None
    try:
        return on_grid_of(mask, image, tolerance_voxel)
    except DataError:
        return None


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _list(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value + 0.0:.4g}" for value in values) + ")"  # + 0.0: no "-0"


def _rows(matrix: np.ndarray) -> str:
    return "[" + ", ".join(_list(row) for row in matrix) + "]"
