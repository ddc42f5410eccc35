"""Probabilities of voxels in few bytes: of each anatomy the part of the grid around it.

In a prediction's file they are three arrays: ``probability``, all parts one after the other, in
255ths; ``probability_start`` and ``probability_size``, where each lies in the label map's grid,
voxels along z, y, x. An anatomy without a part has the size 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from massm.geometry.pieces import box_of_mask
from massm.geometry.volume import Volume
from massm.io.errors import DataError

SHAPES = {"probability": "n", "probability_start": "K 3", "probability_size": "K 3"}
HALF = 127.5  # the value of one half
_MARGIN = 2  # voxels around those of one half at least: the surface needs one
_ADVICE = "run predict again"


def in_bytes(probability: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    """Round probabilities to 255ths; 128 and above is what was one half at least."""
    return np.floor(probability * 255 + 0.5).astype(np.uint8)


def part_around(grid: Volume) -> Volume | None:
    """Cut a grid of bytes to the voxels of one half at least and a margin; None if there are none.

    Args:
        grid: Probability of one anatomy, 255ths.
    """
    inside = grid.array > HALF
    if not inside.any():
        return None
    box = tuple(
        slice(max(side.start - _MARGIN, 0), side.stop + _MARGIN) for side in box_of_mask(inside)
    )
    first = np.array([side.start for side in box][::-1], float)
    return replace(grid, array=grid.array[box].copy(), origin=grid.index_to_point(first))


def packed(
    parts: Mapping[str, Volume], anatomies: Sequence[str], grid: Volume
) -> dict[str, np.ndarray]:
    """Lay the parts of all anatomies out as the arrays of a file.

    Args:
        parts: By anatomy, bytes.
        anatomies: Order of the rows.
        grid: That the parts were cut from.
    """
    start, size = (np.zeros((len(anatomies), 3), np.int32) for _ in range(2))
    for row, name in enumerate(anatomies):
        if name in parts:
            start[row] = np.rint(grid.point_to_index(parts[name].origin))[::-1]
            size[row] = parts[name].array.shape
    flat = [parts[name].array.ravel() for name in anatomies if name in parts]
    joined = np.concatenate(flat) if flat else np.zeros(0, np.uint8)
    return {"probability": joined, "probability_start": start, "probability_size": size}


def unpacked(
    arrays: Mapping[str, np.ndarray], anatomies: Sequence[str], grid: Volume | None, path: Path
) -> dict[str, Volume]:
    """Find the parts of each anatomy in the arrays of a file.

    Args:
        arrays: The three of them; none of them: there are no parts.
        anatomies: Order of the rows.
        grid: The label map that lies beside.
        path: The file, for messages.

    Raises:
        DataError: If the arrays do not fit each other or the grid.
    """
    if SHAPES.keys().isdisjoint(arrays):
        return {}
    flat, start, size = (arrays[name] for name in SHAPES)
    if grid is None:
        raise DataError(f"{path}: its probabilities have no label map beside them; {_ADVICE}")
    counts = size.astype(np.int64).prod(axis=1)
    outside = (size < 0) | (start < 0) | (start + size > grid.array.shape)
    if flat.dtype != np.uint8 or outside.any() or counts.sum() != len(flat):
        raise DataError(
            f"{path}: {len(flat)} probabilities ({flat.dtype}) do not fill boxes of "
            f"{counts.tolist()} voxels in a grid of {grid.array.shape}; {_ADVICE}"
        )
    parts = {}
    for name, first, shape, values in zip(
        anatomies, start, size, np.split(flat, np.cumsum(counts)[:-1]), strict=True
    ):
        if len(values):
            origin = grid.index_to_point(first[::-1].astype(float))
            parts[name] = replace(grid, array=values.reshape(shape), origin=origin)
    return parts
