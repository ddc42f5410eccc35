"""Distances between slices: even, uneven, or with holes."""

from collections import Counter

import numpy as np
from jaxtyping import Float

from massm.io.dicom.files import listed
from massm.io.dicom.phases import alternating
from massm.io.dicom.slices import Slice
from massm.io.errors import DataError

_EVEN = 0.1  # of the distance: on an even grid no slice lies farther from its place
_SAID = 0.02  # of the distance: what lies farther is said
_HOLE = 1.75  # largest over smallest distance from which on no value is made up between slices
_ODD = 1.5  # a distance larger or smaller by this than the median is named
_REGULAR = 0.1  # of the distance: what a distance may differ by from a multiple of it
_MOSTLY = 1 / 3  # of the distances: where so many are large, others are too small
_VALUES = 4  # values of an attribute that a message shows


def even_heights(
    slices: list[Slice], depths: Float[np.ndarray, " n"], name: str
) -> tuple[float, np.ndarray, list[str]]:
    """Find the distance of the grid (mm), each slice's place on it, and what to say.

    Args:
        slices: Two or more, in order.
        depths: Their places along the normal, mm, from 0.
        name: Folder or file, for messages.

    Raises:
        DataError: If slices are missing, or lie so unevenly that values would be made up.
    """
    count = len(depths)
    between = float(depths[-1]) / (count - 1)
    off = float(np.abs(depths - between * np.arange(count)).max())
    gaps = np.diff(depths)
    varying = f"distances of slices from {gaps.min():.4g} to {gaps.max():.4g} mm"
    if off <= _EVEN * between:
        notes = [f"{varying}, read as {between:.4g} mm"] if off > _SAID * between else []
        return between, np.arange(count, dtype=float), notes
    missing, mixed = _missing(slices, gaps), alternating(slices)
    if missing:
        raise DataError(f"{name}: {missing}")
    if mixed is not None:
        raise DataError(f"{name}: {_mixed(*mixed, gaps)}")
    if gaps.max() > _HOLE * gaps.min():
        raise DataError(f"{name}: {_uneven(slices, gaps)}")
    steps = int(np.ceil(depths[-1] / gaps.min() - 1e-6))
    between = float(depths[-1]) / steps
    heights = depths / between
    heights[-1] = steps
    return between, heights, [f"{varying}, resampled linearly to {between:.4g} mm"]


def sparse_heights(depths: Float[np.ndarray, " n"], between: float, name: str) -> np.ndarray:
    """Find places on a grid of which not every place is filled.

    Raises:
        DataError: If slices lie beside the grid.
    """
    heights = depths / between
    off = np.abs(heights - np.rint(heights)).max()
    if off > _EVEN:
        raise DataError(
            f"{name}: frames lie up to {off * between:.3g} mm beside the places that a distance of "
            f"{between:.4g} mm makes; give the mask as NIfTI or NRRD"
        )
    return np.rint(heights)


def acquisitions(slices: list[Slice]) -> str:
    """Say which attributes part slices into few groups; empty if none does."""
    said = []
    for trait in dict.fromkeys(trait for each in slices for trait in each.traits):
        counts = Counter(each.traits.get(trait, "none") for each in slices)
        if 1 < len(counts) <= max(2, len(slices) // 2):
            shown = [f"{value} ({number} slices)" for value, number in counts.most_common(_VALUES)]
            rest = len(counts) - len(shown)
            said.append(f"{trait} {', '.join(shown)}" + (f" and {rest} more" if rest else ""))
    return "; ".join(said[:3])


def _mixed(trait: str, groups: dict[str, list[int]], gaps: np.ndarray) -> str:
    counts = ", ".join(f"{value} ({len(places)} slices)" for value, places in groups.items())
    return (
        f"slices of {len(groups)} acquisitions alternate, told apart by {trait} {counts}, and lie "
        f"{gaps.min():.4g} to {gaps.max():.4g} mm apart, which makes no common grid: several "
        "phases in one series; keep the files of one"
    )


def _missing(slices: list[Slice], gaps: np.ndarray) -> str:
    """Say which slices are missing from an even grid; empty if that is not what it is."""
    usual = float(np.median(gaps))
    counts = np.maximum(np.rint(gaps / usual), 1)
    large = np.flatnonzero(counts > 1)
    is_whole = (np.abs(gaps - counts * usual) <= _REGULAR * usual).all()
    if not is_whole or not 0 < len(large) <= max(1, _MOSTLY * len(gaps)):
        return ""
    number = int((counts - 1).sum())
    return (
        f"{number} slice{'s are' if number > 1 else ' is'} missing: {len(slices)} found, "
        f"{usual:.4g} mm apart, but {_places(slices, gaps, large)}; copy or export the whole "
        "series again"
    )


def _uneven(slices: list[Slice], gaps: np.ndarray) -> str:
    usual = float(np.median(gaps))
    odd = np.flatnonzero((gaps > _ODD * usual) | (gaps < usual / _ODD))
    if not len(odd):
        odd = np.array([gaps.argmax(), gaps.argmin()])
    parts = acquisitions(slices)
    return (
        f"slices lie unevenly: {gaps.min():.4g} to {gaps.max():.4g} mm apart (most {usual:.4g}), "
        f"expected one distance, or uneven ones up to a factor of {_HOLE:g}; "
        f"{_places(slices, gaps, odd)}"
        + (f"; they differ in {parts}" if parts else "")
        + "; slices are missing or several acquisitions are mixed: export one, whole"
    )


def _places(slices: list[Slice], gaps: np.ndarray, which: np.ndarray) -> str:
    return listed(
        f"{gaps[k]:.4g} mm between {slices[k].name} and {slices[k + 1].name}" for k in which
    )
