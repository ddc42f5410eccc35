"""Whether an image's values can be Hounsfield units, and where nothing was scanned.

Air is -1000 HU and soft tissue near 40 by definition; what is far from both was stored with an
offset, or is no CT.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped
from scipy import ndimage

from massm.config.dataset import SurveyConfig

_SOFT_HU = (-200.0, 200.0)
_AIR_HU = (-1100.0, -800.0)
_SHIFTS = (1024.0, 1000.0, -1024.0, -1000.0)  # intercepts left out, or applied twice
_SHARE = 0.1  # of the voxels that were scanned lie where shifted soft tissue would
_NONE = 0.01  # and fewer than this where real soft tissue or air would
_FILL_SHARE = 0.02  # a value that so many voxels have exactly, apart from all others, is fill
_FILL_GAP = 100.0  # HU
_BINS = 1 << 16
_AROUND = np.ones((3, 3, 3), bool)


class Values(NamedTuple):
    """How often each value occurs, in steps of 1 HU.

    Attributes:
        counts: Of the values from ``first`` on.
        first: Lowest value, HU.
        not_finite: Voxels that are NaN or infinite; not counted above.
    """

    counts: Shaped[np.ndarray, " n"]
    first: float
    not_finite: int

    def share(self, low: float, high: float) -> float:
        """Return the share of voxels from ``low`` to ``high``."""
        hu = self.first + np.arange(len(self.counts))
        total = self.counts.sum()
        return float(self.counts[(hu >= low) & (hu <= high)].sum() / total) if total else 0.0

    @property
    def lowest(self) -> float:
        """The lowest value."""
        return self.first + float(np.flatnonzero(self.counts)[0])

    def without_fill(self) -> tuple["Values", float | None]:
        """Leave out a lowest value that many voxels have and that lies apart; return it too."""
        places = np.flatnonzero(self.counts)
        if len(places) < 2 or places[1] - places[0] < _FILL_GAP:
            return self, None
        if self.counts[places[0]] < _FILL_SHARE * self.counts.sum():
            return self, None
        counts = self.counts.copy()
        counts[places[0]] = 0
        return Values(counts, self.first, self.not_finite), self.first + float(places[0])


def count_values(array: Shaped[np.ndarray, "D H W"]) -> Values:
    """Count an image's values, slice by slice; what lies beyond +-32767 counts at the end."""
    counts = np.zeros(_BINS, np.int64)
    not_finite = 0
    for plane in array:
        finite = np.isfinite(plane)
        missing = finite.size - int(finite.sum())
        not_finite += missing
        values = plane[finite] if missing else plane.ravel()
        whole = np.rint(np.clip(values, -32768, 32767)).astype(np.int32)
        counts += np.bincount(whole + 32768, minlength=_BINS)
    return Values(counts, -32768.0, not_finite)


def image_fault(array: Shaped[np.ndarray, "D H W"], config: SurveyConfig) -> str:
    """Say why an image's values cannot be used; empty if they can.

    Args:
        array: Values as read.
        config: Section ``dataset``.
    """
    values = count_values(array)
    if values.not_finite:
        return (
            f"image holds {values.not_finite} voxels that are no number (NaN or infinite); "
            "repair it"
        )
    lowest, highest = float(array.min()), float(array.max())
    if lowest == highest:
        return f"image is empty: every voxel is {lowest:g}"
    scanned, fill = values.without_fill()
    beside = "" if fill is None else f" beside the fill of {fill:g}"
    shift = _shift(scanned)
    if shift is not None:
        return (
            f"image is shifted{beside}: {scanned.share(*_moved(_SOFT_HU, shift)):.0%} of its "
            f"voxels lie around {40 + shift:g} HU, where none of a CT's soft tissue does; its "
            f"values seem to be HU {'+' if shift > 0 else '-'} {abs(shift):g}: subtract {shift:g}"
        )
    found = lowest if fill is None else scanned.lowest
    if found > config.air_hu:
        return (
            f"image holds no air: lowest value{beside} {found:g}, expected under "
            f"{config.air_hu:g}; values must be Hounsfield units"
        )
    return ""


def _shift(values: Values) -> float | None:
    """Find the offset of an image whose soft tissue lies where that offset would bring it."""
    best = max(_SHIFTS, key=lambda shift: values.share(40 + shift - 60, 40 + shift + 60))
    if values.share(*_moved(_SOFT_HU, best)) < _SHARE:
        return None
    if best > 0:  # a CT that was shifted up has no air in its place
        return best if values.share(*_AIR_HU) < _NONE else None
    return best if values.share(_SOFT_HU[0], 2000.0) < _NONE else None


def _moved(limits: tuple[float, float], shift: float) -> tuple[float, float]:
    return limits[0] + shift, limits[1] + shift


def fill_value(array: Shaped[np.ndarray, "D H W"]) -> float | None:
    """Find the constant that lies around the scanned field; None if the image has none.

    It is the value that most voxels of the image's border have exactly, if a tenth of them do.
    """
    faces = [np.take(array, end, axis).ravel() for axis in range(3) for end in (0, -1)]
    border = np.concatenate(faces)
    values, counts = np.unique(border, return_counts=True)
    most = int(counts.argmax())
    return float(values[most]) if counts[most] >= _SHARE * border.size else None


def void_share(
    image: Shaped[np.ndarray, "D H W"],
    fill: float,
    piece: Bool[np.ndarray, "d h w"],
    start: Shaped[np.ndarray, "3"],
) -> float:
    """Return the share of an anatomy's voxels around which nothing was scanned.

    Those are voxels of the fill's value that reach the border of their slice through such voxels
    (gas in a bowel does not); none, if nowhere all neighbors have that value too (scanned air that
    is clipped to it is noisy).

    Args:
        image: The CT.
        fill: Its value outside the scanned field (:func:`fill_value`).
        piece: The anatomy, cropped.
        start: Index (z, y, x) of the crop's first voxel in the image.
    """
    low = np.maximum(start - 1, 0)
    high = np.minimum(start + np.array(piece.shape) + 1, image.shape)
    around = image[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] == fill
    core = ndimage.binary_opening(np.pad(around, 1, mode="edge"), _AROUND)[1:-1, 1:-1, 1:-1]
    inner = tuple(
        slice(int(a - b), int(a - b) + n) for a, b, n in zip(start, low, piece.shape, strict=True)
    )
    if not (core[inner] & piece).any():
        return 0.0
    empty = around[inner] & piece
    for k in np.flatnonzero(empty.any(axis=(1, 2))):
        outside = _open_to_border(image[start[0] + k] == fill)
        (_, y, x), (_, height, width) = start, piece.shape
        empty[k] &= outside[y : y + height, x : x + width]
    return float(np.count_nonzero(empty) / np.count_nonzero(piece))


def _open_to_border(plane: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Keep the parts of a slice that touch its border."""
    labels, count = ndimage.label(plane)
    touching = np.zeros(count + 1, bool)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[line] = True
    touching[0] = False
    return np.asarray(touching[labels])
