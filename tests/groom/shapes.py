"""Masks of known shapes, drawn on grids as scanners give them."""

import numpy as np

from massm.geometry.volume import Volume

FLIP = np.diag([-1.0, -1.0, 1.0])  # RAS images: index axes run against x and y of LPS


def oblique(degrees=25.0):
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


def draw(inside, *, spacing, center=(0, 0, 0), radius_mm=40.0, direction=None):
    """Fill the voxels whose centers lie inside; ``inside`` takes points relative to ``center``."""
    direction = np.eye(3) if direction is None else direction
    spacing = np.asarray(spacing, float)
    count = 2 * np.ceil(radius_mm / spacing).astype(int) + 1  # a voxel lies in the middle
    middle = (count - 1) / 2 * spacing
    origin = np.asarray(center, float) - direction @ middle
    volume = Volume(np.zeros(count[::-1], bool), spacing, origin, direction)
    index = np.indices(volume.array.shape, float)[::-1].reshape(3, -1).T
    points = volume.index_to_point(index) - center
    return volume.with_array(inside(points).reshape(volume.array.shape))


def ellipsoid(*radii):
    return lambda points: np.square(points / np.array(radii)).sum(1) <= 1


def slab(*half):
    return lambda points: (np.abs(points) <= np.array(half)).all(1)


def torus(ring, tube):
    return lambda p: (np.hypot(p[:, 0], p[:, 1]) - ring) ** 2 + p[:, 2] ** 2 <= tube**2
