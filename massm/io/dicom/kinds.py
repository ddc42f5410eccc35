"""Tell the slices of the stack from others of their series: localizers, or slices that differ."""

import numpy as np

from massm.io.dicom.files import listed
from massm.io.dicom.slices import Slice
from massm.io.errors import DataError

_SAME_DIRECTION = 1e-3  # difference of direction cosines that is rounding
_SAME_SPACING = 1e-3  # relative difference of pixel spacings that is rounding
_TURNED = 20.0  # degrees: a slice turned by more shows something else
_FEW = 0.25  # of the stack: so many slices, or two, may be something else than the stack
_BESIDE = 0.5  # distances of slices: nearer to a place of the stack is at it
_FAR = 1.5  # distances of slices: farther from the stack's ends continues it no more


def of_one_kind(slices: list[Slice], name: str) -> tuple[list[Slice], list[str]]:
    """Keep the slices that share matrix, pixel spacing and direction; say what is left out.

    Left out are few slices in another direction, and few of another matrix that fill no place of
    the stack.

    Raises:
        DataError: If slices of the stack differ, or there are two stacks.
    """
    groups: list[list[Slice]] = []
    for each in slices:
        group = next((group for group in groups if not _difference(group[0], each)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    groups.sort(key=len, reverse=True)
    main, notes = groups[0], []
    for group in groups[1:]:
        difference = _difference(main[0], group[0])
        names = listed(each.name for each in group)
        if len(group) > max(2, _FEW * len(main)) or not _is_apart(group, main):
            raise DataError(
                f"{name}: slices of one series differ: {len(main)} ({main[0].name}, ...) and "
                f"{len(group)} ({names}): {difference}; keep those of one stack in the folder, or "
                "export the series anew"
            )
        notes.append(f"left out of the stack: {names}: {difference}")
    return main, notes


def _difference(one: Slice, other: Slice) -> str:
    """Say in what two slices differ; empty if they do not."""
    if one.size != other.size:
        return f"{_by(one.size)} against {_by(other.size)} pixels"
    if not np.allclose(one.spacing, other.spacing, rtol=_SAME_SPACING, atol=0):
        return f"pixels of {_by(one.spacing)} against {_by(other.spacing)} mm"
    turned = max(np.abs(one.row - other.row).max(), np.abs(one.column - other.column).max())
    if turned > _SAME_DIRECTION:
        return f"directions turned by {_degrees(one, other):.3g} degrees"
    return ""


def _is_apart(group: list[Slice], main: list[Slice]) -> bool:
    """Tell whether slices are no part of the stack: turned, or at no place that needs one."""
    if all(_degrees(main[0], each) > _TURNED for each in group):
        return True
    normal = main[0].normal
    depths = np.unique(np.round([float(normal @ each.position) for each in main], 2))
    if len(depths) < 3:
        return False
    between = float(np.median(np.diff(depths)))
    for each in group:
        depth = float(normal @ each.position)
        nearest = float(np.abs(depths - depth).min())
        outside = depth < depths[0] or depth > depths[-1]
        if nearest >= _BESIDE * between and not (outside and nearest > _FAR * between):
            return False
    return True


def _degrees(one: Slice, other: Slice) -> float:
    """Angle between the planes' axes: the rotation from one to the other."""
    axes = [np.array([each.row, each.column, each.normal]) for each in (one, other)]
    cosine = (np.trace(axes[0] @ axes[1].T) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _by(values: object) -> str:
    return " x ".join(f"{value:g}" for value in np.asarray(values))
