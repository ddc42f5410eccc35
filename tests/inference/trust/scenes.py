"""Heads of two ellipsoids in a body, and what a model would say of them."""

import numpy as np

from massm.geometry.boxes import Box, box_of
from massm.geometry.volume import Volume
from massm.inference.trust.evidence import SeenAnatomy
from tests.toy_cohort import hull, sphere_points

LEFT, RIGHT, MIDDLE = "Gland_L", "Gland_R", "Stem"
RADII = np.array([10.0, 8.0, 12.0])
CENTERS = {
    LEFT: np.array([75.0, 50, 40]),
    RIGHT: np.array([25.0, 50, 40]),
    MIDDLE: np.array([50.0, 60, 42]),
}
HU = {LEFT: 70.0, RIGHT: 70.0, MIDDLE: 100.0}
NAMES = tuple(CENTERS)


def scene(seed):
    """A scan of 2 mm voxels: air, fat, soft tissue, bone and organs; what is found in it."""
    draw = np.random.default_rng(seed)
    points = 2.0 * np.indices((40, 50, 50))[::-1]
    away = ((points.T - [50, 50, 40]) / [46, 44, 60]).T
    inside = (away**2).sum(0)
    array = np.full(inside.shape, -1000.0)
    array[inside < 1] = -100 + draw.normal(0, 5)
    array[inside < 0.85] = 40 + draw.normal(0, 5)
    array[np.abs(inside - 0.6) < 0.03] = 600
    found = {}
    for name, usual in CENTERS.items():
        center = usual + draw.normal(0, 1.5, 3)
        radii = RADII * draw.uniform(0.95, 1.05)
        array[(((points.T - center) / radii) ** 2).sum(-1).T < 1] = HU[name] + draw.normal(0, 4)
        found[name] = drawn(center, radii, draw)
    array += draw.normal(0, 8, array.shape)
    return Volume(np.rint(array).astype(np.int16), np.full(3, 2.0)), found


def drawn(center, radii, draw):
    """An anatomy that a good model found."""
    mesh = hull(sphere_points(400) * radii + center)
    box = Box(*box_of(mesh.vertices))
    return SeenAnatomy(
        score=float(draw.uniform(0.9, 0.99)),
        box=Box(box.center + draw.normal(0, 1, 3), box.radius),
        local=mesh.vertices[::4],
        surface=mesh,
        agreement=float(draw.uniform(0.92, 0.97)),
        mahalanobis=float(draw.uniform(1, 3)),
    )
