"""Choose the surface that all others of its anatomy are aligned to."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from massm.groom.cloud import Cloud

_JUDGES = 100  # subjects that a candidate is compared with, at most
_POINTS = 300  # points of each surface that take part in a comparison

Name = TypeVar("Name", bound=str | tuple[str, bool])


def choose_reference(clouds: Mapping[Name, Cloud], *, candidates: int) -> Name:
    """Find the subject whose centered surface is nearest to all others.

    Candidates are the subjects whose extents are nearest to the median ones; of them, the one with
    the least mean distance to the population wins. The result does not depend on the order of the
    subjects, and its cost grows only linearly with their number.

    Args:
        clouds: Points of the training surfaces, by subject.
        candidates: Subjects that compete.

    Raises:
        ValueError: If there is no subject.
    """
    names = sorted(clouds)
    if not names:
        raise ValueError("a reference is chosen from training subjects, and there is none")
    extents = np.log([np.ptp(clouds[name].points, axis=0) for name in names])
    typical = np.abs(extents - np.median(extents, axis=0)).sum(1)
    ranked: list[Name] = [names[place] for place in np.argsort(typical, kind="stable")]

    judges = ranked[:: max(1, len(ranked) // _JUDGES)][:_JUDGES]
    points = {name: _centered(clouds[name]) for name in {*judges, *ranked[:candidates]}}
    trees = {name: cKDTree(cloud) for name, cloud in points.items()}
    costs = {
        name: sum(_apart(name, judge, points, trees) for judge in judges)
        for name in ranked[:candidates]
    }
    return min(sorted(costs), key=costs.__getitem__)


def _centered(cloud: Cloud) -> Float[np.ndarray, "n 3"]:
    points = cloud.points[:_POINTS]
    return np.asarray(points - cloud.center)


def _apart(
    first: Name, second: Name, points: dict[Name, np.ndarray], trees: dict[Name, cKDTree]
) -> float:
    if first == second:
        return 0.0
    there, _ = trees[second].query(points[first])
    back, _ = trees[first].query(points[second])
    return float(there.mean() + back.mean()) / 2
