"""Put the planes of a stack into one array, one at a time."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from massm.geometry.volume import Volume
from massm.io.dicom.distances import acquisitions
from massm.io.dicom.files import listed
from massm.io.dicom.phases import blocks, check_interleaved
from massm.io.dicom.slices import Slice
from massm.io.dicom.stack import Stack
from massm.io.errors import DataError

Plane = Shaped[np.ndarray, "H W"]
_ROUNDING = 1e-6  # pixels


class DicomImage(NamedTuple):
    """An image or a mask out of DICOM objects.

    Attributes:
        volume: Its values and place.
        notes: What was resampled or left out, each worth a line in a table.
    """

    volume: Volume
    notes: tuple[str, ...]


def fill(
    stack: Stack, read: Callable[[Slice], Plane], empty: float, kind: type[np.generic], name: str
) -> DicomImage:
    """Read the planes of a stack onto its grid; planes between are interpolated linearly.

    Args:
        stack: The slices and their grid.
        read: Reads the values of a slice.
        empty: Value where a moved slice does not reach.
        kind: Type of the array, widened to float32 where a value does not fit or is interpolated.
        name: Folder or file, for messages.

    Raises:
        DataError: If slices at one place differ, or a file is damaged.
    """
    planes = _Planes(stack, read, empty, name)
    grid = stack.grid
    columns, rows, count = grid.size
    resampled = stack.is_uneven or bool(stack.shifts.any())
    array = np.full((count, rows, columns), empty, np.float32 if resampled else kind)
    if stack.is_uneven:
        for k, plane in enumerate(_between(planes, stack.heights, count)):
            array[k] = plane
    else:
        for layer, height in enumerate(stack.heights):
            plane = planes.read(layer)
            if not _fits(plane, array.dtype):
                array = array.astype(np.float32)
            array[int(height)] = plane
    notes = (*stack.notes, *planes.finish())
    return DicomImage(Volume(array, grid.spacing, grid.origin, grid.direction), notes)


class _Planes:
    """Reads layers, each once and in order; looks at doubled and interleaved slices on the way."""

    def __init__(
        self, stack: Stack, read: Callable[[Slice], Plane], empty: float, name: str
    ) -> None:
        self._stack, self._read, self._empty, self._name = stack, read, empty, name
        self._differing: list[tuple[Slice, ...]] = []
        self._dropped = 0
        self._small: list[np.ndarray] = []

    def read(self, layer: int) -> Plane:
        """Read a layer's plane on the grid."""
        first, *others = self._stack.layers[layer]
        plane = self._read(first)
        if any(not np.array_equal(plane, self._read(other)) for other in others):
            self._refuse_doubled(layer)
        self._dropped += len(others)
        self._small.append(blocks(plane))
        shift = self._stack.shifts[layer]
        if not self._stack.shifts.any():
            return plane
        columns, rows, _ = self._stack.grid.size
        return _moved(plane, shift, (rows, columns), self._empty)

    def finish(self) -> list[str]:
        """Say what was dropped.

        Raises:
            DataError: If slices alternate between two acquisitions.
        """
        firsts = [layer[0] for layer in self._stack.layers]
        notes = check_interleaved(firsts, self._small, self._name)
        if not self._dropped:
            return notes
        return [*notes, f"left out: {self._dropped} that repeat other slices pixel by pixel"]

    def _refuse_doubled(self, layer: int) -> None:
        doubled = [layer for layer in self._stack.layers if len(layer) > 1]
        every = [each for layer in self._stack.layers for each in layer]
        parts = acquisitions([each for layer in doubled for each in layer]) or "no attribute"
        raise DataError(
            f"{self._name}: {len(every)} slices lie at {len(self._stack.layers)} places, "
            f"{len(doubled)} places hold several, with other pixels (first "
            f"{listed(each.name for each in self._stack.layers[layer])}): several acquisitions "
            f"(phases, echoes, kernels) in one series, told apart by {parts}; keep the files of one"
        )


def _between(planes: _Planes, heights: Float[np.ndarray, " n"], count: int) -> Iterator[Plane]:
    """Interpolate linearly between layers that lie at ``heights``, for each plane of the grid."""
    above = 0
    lower = upper = planes.read(0).astype(np.float32)
    for k in range(count):
        while heights[above] < k:
            above += 1
            lower, upper = upper, planes.read(above).astype(np.float32)
        if heights[above] == k:
            yield upper
        else:
            part = (k - heights[above - 1]) / (heights[above] - heights[above - 1])
            yield lower + np.float32(part) * (upper - lower)


def _moved(
    plane: Plane, shift: Float[np.ndarray, "2"], shape: tuple[int, int], empty: float
) -> Float[np.ndarray, "h w"]:
    """Put a plane ``shift`` (x, y) pixels into a larger one, linearly between pixels."""
    moved = plane.astype(np.float32)
    for axis in (0, 1):
        whole = int(np.floor(shift[1 - axis] + _ROUNDING))
        part = np.float32(max(shift[1 - axis] - whole, 0.0))
        size = list(moved.shape)
        size[axis] = shape[axis] + 1
        wide = np.full(size, empty, np.float32)
        place = [slice(None), slice(None)]
        place[axis] = slice(whole, whole + moved.shape[axis])
        wide[tuple(place)] = moved
        moved = np.take(wide, range(shape[axis]), axis)
        if part > _ROUNDING:
            before = np.take(wide, range(-1, shape[axis] - 1), axis)  # the last is empty
            moved += part * (before - moved)
    return moved


def _fits(plane: Plane, kind: np.dtype) -> bool:
    if kind.kind == "f":
        return True
    if plane.dtype.kind == "f":
        return False
    if kind.kind == "b":
        return plane.dtype.kind == "b"
    limits = np.iinfo(kind)
    return bool(plane.min() >= limits.min and plane.max() <= limits.max)
