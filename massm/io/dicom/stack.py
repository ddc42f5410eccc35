"""Order slices by their places and find the grid that they lie on, or say why there is none.

Positions along the normal decide; names of files and numbers of instances do not.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.io.dicom.distances import even_heights, sparse_heights
from massm.io.dicom.files import listed
from massm.io.dicom.kinds import of_one_kind
from massm.io.dicom.slices import Slice
from massm.io.errors import DataError

_SAME_PLACE_MM = 0.01  # slices nearer than this lie at one place: positions are rounded
_IN_PLACE = 0.1  # pixels: a slice moved less than this within its plane is not resampled
_STEEPEST = 45.0  # degrees of gantry tilt; scanners reach 30
_ROUNDING = 1e-6  # pixels


class SliceGrid(NamedTuple):
    """Size and place of a volume; x, y, z as in :class:`massm.geometry.volume.Volume`."""

    size: tuple[int, int, int]
    spacing: Float[np.ndarray, "3"]
    origin: Float[np.ndarray, "3"]
    direction: Float[np.ndarray, "3 3"]


class Stack(NamedTuple):
    """Slices in order, and the grid that they are put on.

    Attributes:
        layers: The slices at each place, in order along the normal; several where doubled.
        heights: Place of each layer in slices of the grid, from 0; whole numbers if even.
        shifts: Place of each layer's first pixel within its plane of the grid, pixels (x, y);
            zeros unless slices move within their plane.
        grid: The grid.
        notes: What was resampled or left out.
    """

    layers: tuple[tuple[Slice, ...], ...]
    heights: Float[np.ndarray, " n"]
    shifts: Float[np.ndarray, "n 2"]
    grid: SliceGrid
    notes: tuple[str, ...]

    @property
    def is_uneven(self) -> bool:
        """Tell whether values are interpolated between slices."""
        return bool((self.heights != np.rint(self.heights)).any())


def stack_of(slices: list[Slice], name: str, between_mm: float | None = None) -> Stack:
    """Find the order of slices and their grid.

    Slices that are no part of the stack (another direction; another matrix, beside or far from it)
    are left out. A tilted gantry moves slices within their plane from one to the next: they are
    put on a grid with orthogonal axes, the shear taken out. Its pixels lie at whole multiples of
    the pixel spacing, so that parts of one series share it. Uneven distances without holes are
    resampled to the smallest.

    Args:
        slices: Slices of one series.
        name: Folder or file, for messages.
        between_mm: Distance between slices where places may be empty, as in a segmentation that
            leaves out empty frames; None where every place has to be filled.

    Raises:
        DataError: If they make no grid: numbers found, slices concerned, what to do.
    """
    kept, notes = of_one_kind(slices, name)
    layers = _layers(kept, name)
    firsts = [layer[0] for layer in layers]
    normal = firsts[0].normal
    depths = np.array([normal @ (each.position - firsts[0].position) for each in firsts])
    if between_mm is not None:
        between, heights = between_mm, sparse_heights(depths, between_mm, name)
    else:
        if len(firsts) == 1:
            raise DataError(_single(firsts[0], name))
        between, heights, said = even_heights(firsts, depths, name)
        notes += said
    shifts, corner, said = _in_plane(firsts, depths, name)
    extra = np.ceil(shifts.max(axis=0) - _ROUNDING).astype(int)
    columns, rows = firsts[0].size
    grid = SliceGrid(
        (columns + int(extra[0]), rows + int(extra[1]), round(float(heights[-1])) + 1),
        np.array([*firsts[0].spacing, between]),
        corner,
        np.array([firsts[0].row, firsts[0].column, normal]).T,
    )
    return Stack(tuple(layers), heights, shifts, grid, tuple(notes + said))


def _layers(slices: list[Slice], name: str) -> list[tuple[Slice, ...]]:
    """Sort along the normal; slices at one place make one layer."""
    normal = slices[0].normal
    ordered = sorted(slices, key=lambda each: float(normal @ each.position))
    layers: list[list[Slice]] = []
    for each in ordered:
        apart = each.position - layers[-1][0].position if layers else None
        if apart is None or abs(float(normal @ apart)) > _SAME_PLACE_MM:
            layers.append([each])
            continue
        if np.linalg.norm(apart) > _SAME_PLACE_MM + _IN_PLACE * float(each.spacing.min()):
            raise DataError(
                f"{name}: {layers[-1][0].name} and {each.name} lie {np.linalg.norm(apart):.3g} mm "
                "apart in one plane: the parts of a plane are not put together; export whole slices"
            )
        layers[-1].append(each)
    return [tuple(sorted(layer, key=lambda each: each.name)) for layer in layers]


def _in_plane(
    firsts: list[Slice], depths: Float[np.ndarray, " n"], name: str
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Find where slices lie within their plane, the grid's corner (LPS), and what to say."""
    first = firsts[0]
    axes = np.array([first.row, first.column]) / first.spacing[:, None]
    places = np.array([each.position for each in firsts]) @ axes.T
    moved = np.abs(places - places[0]).max()
    if moved <= _IN_PLACE:
        return np.zeros_like(places), first.position, []
    moves_mm = (places - places[0]) * first.spacing
    slope = depths @ moves_mm / (depths @ depths)
    tilt = float(np.degrees(np.arctan(np.linalg.norm(slope))))
    if tilt > _STEEPEST:
        raise DataError(
            f"{name}: from {first.name} to {firsts[-1].name} slices move "
            f"{np.linalg.norm(moves_mm[-1]):.4g} mm within their plane and {depths[-1]:.4g} mm "
            f"across it, as of a gantry tilted by {tilt:.0f} degrees, expected at most "
            f"{_STEEPEST:.0f}; export the series with one direction of slices, across the table"
        )
    low = np.floor(places.min(axis=0) + _ROUNDING)
    normal = first.normal
    corner = normal * (normal @ first.position) + (low * first.spacing) @ np.array(
        [first.row, first.column]
    )
    stray = float(np.abs(moves_mm - depths[:, None] * slope).max())
    how = f"gantry tilted by {tilt:.1f} degrees"
    if stray > first.spacing.min():
        how = f"slices move within their plane by up to {np.abs(moves_mm).max():.3g} mm"
    return (
        np.clip(places - low, 0, None),
        corner,
        [f"{how}: resampled within each slice onto perpendicular axes"],
    )


def _single(only: Slice, name: str) -> str:
    return (
        f"{name}: one slice ({listed([only.name])}) is no volume; give the folder of the whole "
        "series, or copy the other slices"
    )
