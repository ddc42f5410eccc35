"""The connected pieces of a mask: voxels that share a corner belong together."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Integer
from scipy import ndimage

_TOUCHING = np.ones((3, 3, 3), bool)


class MaskPiece(NamedTuple):
    """The largest piece of a mask, and the sizes of all.

    Attributes:
        inside: The piece, cropped to its box.
        start: Index (z, y, x) of the box's first voxel in the mask.
        sizes: Voxels of every piece of the mask, largest first.
    """

    inside: Bool[np.ndarray, "d h w"]
    start: Int[np.ndarray, "3"]
    sizes: Int[np.ndarray, " n"]


def box_of_mask(mask: Bool[np.ndarray, "D H W"]) -> tuple[slice, slice, slice]:
    """Find the box of a mask's true voxels, z, y, x.

    Raises:
        ValueError: If the mask is empty.
    """
    ends = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        places = np.flatnonzero(mask.any(axis=axes))
        if not places.size:
            raise ValueError("the mask is empty")
        ends.append(slice(int(places[0]), int(places[-1]) + 1))
    return ends[0], ends[1], ends[2]


def largest_piece(mask: Bool[np.ndarray, "D H W"]) -> MaskPiece:
    """Take the largest piece of a mask, of several equal ones the first.

    Raises:
        ValueError: If the mask is empty.
    """
    box = box_of_mask(mask)
    cropped = mask[box]
    labels = np.empty(cropped.shape, np.uint16)  # a quarter of the default's memory
    try:
        ndimage.label(cropped, _TOUCHING, output=labels)
    except RuntimeError:  # more pieces than it counts
        labels, _ = ndimage.label(cropped, _TOUCHING)
    counts = _count(labels)[1:]
    largest = int(counts.argmax()) + 1
    piece = labels == largest
    own = box_of_mask(piece)
    start = np.array([a.start + b.start for a, b in zip(box, own, strict=True)])
    return MaskPiece(piece[own].copy(), start, np.sort(counts)[::-1])


def _count(labels: Integer[np.ndarray, "d h w"]) -> Int[np.ndarray, " n"]:
    """Count the voxels of each label slice by slice, since counting copies to eight bytes each."""
    counts = np.zeros(int(labels.max()) + 1, np.int64)
    for plane in labels:
        found = np.bincount(plane.ravel(), minlength=len(counts))
        counts += found
    return counts
