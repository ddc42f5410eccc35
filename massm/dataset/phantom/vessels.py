"""The vessels of the lungs: a tree that grows from the hilum to random places of the lung."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.dataset.phantom.anatomies import lung
from massm.dataset.phantom.implicit import Points

HILUM = (46.0, 24.0, 18.0)
TWIG_RADIUS_MM = 0.9


class Samples(NamedTuple):
    """Points along all vessels, each standing for a short piece.

    Attributes:
        points: Atlas frame, mm.
        volume: Of the piece, mm^3.
    """

    points: Float[np.ndarray, "S 3"]
    volume: Float[np.ndarray, " S"]


def grow(side: int, twigs: int, random: np.random.Generator, step_mm: float = 1.5) -> Samples:
    """Grow one lung's vessels; ``side`` is +1 left, -1 right.

    Targets are linked, nearest to the hilum first, to the nearest place of the tree so far;
    radii follow Murray's law (1926): cubes of radii add up at a fork.
    """
    targets = _targets(side, twigs, random)
    nodes = np.vstack([[side * HILUM[0], HILUM[1], HILUM[2]], targets])
    parent = np.zeros(len(nodes), dtype=int)
    root_distance = np.zeros(len(nodes))
    for i in range(1, len(nodes)):
        apart = np.linalg.norm(nodes[:i] - nodes[i], axis=1)
        parent[i] = int(np.argmin(apart + 0.35 * root_distance[:i]))
        root_distance[i] = root_distance[parent[i]] + apart[parent[i]]
    load = np.ones(len(nodes))
    for i in range(len(nodes) - 1, 0, -1):
        load[parent[i]] += load[i]
    radius = np.minimum(TWIG_RADIUS_MM * np.cbrt(load), 5.5)
    pieces = [_sample(nodes[parent[i]], nodes[i], radius[i], step_mm) for i in range(1, len(nodes))]
    return Samples(np.vstack([p.points for p in pieces]), np.hstack([p.volume for p in pieces]))


def _targets(side: int, twigs: int, random: np.random.Generator) -> Points:
    found = np.empty((0, 3))
    while len(found) < twigs:
        tries = random.uniform((4, -92, -140), (138, 94, 145), (4 * twigs, 3))
        tries[:, 0] *= side
        inside = lung(tries, side) < -3
        found = np.vstack([found, tries[inside]])
    found = found[:twigs]
    hilum = np.array([side * HILUM[0], HILUM[1], HILUM[2]])
    return found[np.argsort(np.linalg.norm(found - hilum, axis=1))]


def _sample(start: np.ndarray, end: np.ndarray, radius: float, step_mm: float) -> Samples:
    length = float(np.linalg.norm(end - start))
    count = max(2, round(length / step_mm))
    share = (np.arange(count) + 0.5) / count
    sag = 0.06 * length * np.sin(np.pi * share)[:, None] * np.array([0.0, 0.3, -1.0])
    points = start + share[:, None] * (end - start) + sag
    return Samples(points, np.full(count, np.pi * radius**2 * length / count))
