"""Tell interleaved slices of one image from two images whose slices alternate.

Slices taken in two passes, odd ones first, make one image. Two phases of a breath or of a contrast
agent, the second half a distance beside the first, have places as regular and are two.
"""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Shaped

from massm.io.dicom.slices import Slice
from massm.io.errors import DataError

_BLOCKS = 32  # along each side: averages hide the noise


def blocks(plane: Shaped[np.ndarray, "H W"]) -> Float[np.ndarray, "h w"]:
    """Average a plane over at most 32 x 32 blocks."""
    height, width = (max(1, length // _BLOCKS) for length in plane.shape)
    rows, columns = plane.shape[0] // height, plane.shape[1] // width
    cut = plane[: rows * height, : columns * width].astype(np.float32)
    return np.asarray(cut.reshape(rows, height, columns, width).mean(axis=(1, 3)))


def alternating(slices: list[Slice]) -> tuple[str, dict[str, list[int]]] | None:
    """Find an attribute that slices take different values of by turns, and the places of each."""
    for trait in dict.fromkeys(trait for each in slices for trait in each.traits):
        groups = defaultdict(list)
        for place, each in enumerate(slices):
            groups[each.traits.get(trait, "none")].append(place)
        if 1 < len(groups) <= len(slices) // 2 and _alternate(groups):
            return trait, dict(groups)
    return None


def check_interleaved(
    slices: list[Slice], planes: list[Float[np.ndarray, "h w"]], name: str
) -> list[str]:
    """Say which acquisitions alternate, if any.

    In one image the next slice resembles a slice more than the next but one does.

    Args:
        slices: Slices in order.
        planes: Averages of their values.
        name: Folder or file, for messages.

    Raises:
        DataError: If slices resemble the next of their own acquisition more than their neighbors.
    """
    found = alternating(slices)
    if found is None:
        return []
    trait, groups = found
    counts = ", ".join(f"{value} ({len(places)} slices)" for value, places in groups.items())
    to_next, to_own = _differences(groups, planes)
    if to_next > to_own:
        raise DataError(
            f"{name}: slices alternate between {len(groups)} acquisitions told apart by "
            f"{trait}, {counts}, and resemble the next of their own (mean difference "
            f"{to_own:.3g}) more than their neighbors ({to_next:.3g}): several phases in one "
            "series; keep the files of one"
        )
    return [f"{len(groups)} acquisitions interleaved by place: {trait} {counts}"]


def _alternate(groups: dict[str, list[int]]) -> bool:
    """Tell whether every group has another's slice between its own, at most of its places."""
    inside = [sum(b - a > 1 for a, b in pairwise(g)) for g in groups.values()]
    return all(
        len(g) > 1 and 2 * n >= len(g) - 1 for g, n in zip(groups.values(), inside, strict=True)
    )


def _differences(
    groups: dict[str, list[int]], planes: list[Float[np.ndarray, "h w"]]
) -> tuple[float, float]:
    """Mean difference to the next slice where that is another's, and to the next of its own."""
    owner = {place: value for value, places in groups.items() for place in places}
    near = [(k, k + 1) for k in range(len(planes) - 1) if owner[k] != owner[k + 1]]
    far = [(a, b) for places in groups.values() for a, b in pairwise(places) if b - a > 1]
    return _mean(near, planes), _mean(far, planes)


def _mean(pairs: list[tuple[int, int]], planes: list[Float[np.ndarray, "h w"]]) -> float:
    return float(np.mean([np.abs(planes[a] - planes[b]).mean() for a, b in pairs]))
