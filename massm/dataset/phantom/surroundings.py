"""What lies around the phantom's anatomies: body wall, bones, vessels, airways, abdominal organs.

Solids of the atlas frame (LPS mm), as in :mod:`massm.dataset.phantom.anatomies`. None of them is
labelled; they make the image a chest CT and give a detector something to be wrong about.
"""

import numpy as np

from massm.dataset.phantom.anatomies import (
    cage,
    diaphragm,
    heart_point,
    left_atrium,
    left_wall,
    lung,
    right_atrium,
    right_ventricle,
)
from massm.dataset.phantom.implicit import (
    Field,
    Points,
    Triple,
    Values,
    difference,
    ellipsoid,
    intersection,
    scaled_norm,
    tube,
    union,
)

RIB_DISTANCE_MM = 25.0
VERTEBRA_HEIGHT_MM = 25.0


def skin(points: Points) -> Values:
    """Describe the body: a rounded box in cross section, wider at the shoulders."""
    x, y, z = points.T
    shoulders = 1 / (1 + np.exp(-(z - 95) / 18))
    half_width = 160 + 10 * shoulders
    half_depth = 119 - 8 * shoulders
    power = 2.5
    back = np.where(y > 2, 1.03, 1.0)
    level = (np.abs(x) / half_width) ** power + (np.abs(y - 2) * back / half_depth) ** power
    outside = (level ** (1 / power) - 1) * np.minimum(half_width, half_depth)
    groove = 7 * np.exp(-((x / 14) ** 2)) * (y > 60)  # over the spine
    return np.asarray(outside + groove)


def muscle(points: Points) -> Values:
    """Describe the muscular wall: a layer on the cage, thick along the spine and the shoulders."""
    x, _, z = points.T
    thickness = 13 + 22 / (1 + np.exp(-(z - 75) / 22)) * np.minimum(1, np.abs(x) / 70)
    wall = cage(points) - thickness
    columns = ellipsoid(points * np.array([1, 1, 0]), (36, 92, 0), (32, 19, 1e3))
    mirrored = ellipsoid(points * np.array([1, 1, 0]), (-36, 92, 0), (32, 19, 1e3))
    return union(wall, union(columns, mirrored, 4.0), 8.0)


def _spine_y(z: Values) -> Values:
    return 76 - 8 * np.exp(-(((z - 150) / 60) ** 2))


def _phase(z: Values, period: float) -> Values:
    """Measure the distance from the middle of each period, mm."""
    return np.abs((z / period - np.floor(z / period)) - 0.5) * period


def vertebrae(points: Points) -> Values:
    """Describe the vertebral bodies, parted by discs, with arches and processes."""
    x, y, z = points.T
    depth = y - _spine_y(z)
    level = _phase(z, VERTEBRA_HEIGHT_MM)
    flat = np.stack([x, depth, np.zeros_like(z)], axis=1)
    waist = 1.5 * np.cos(2 * np.pi * z / VERTEBRA_HEIGHT_MM)
    body = scaled_norm(flat, (18.0, 14.5, 1e3)) + waist
    body = intersection(body, level - 9.5, 3.0)
    ring = np.abs(scaled_norm(flat - np.array([0, 24.0, 0]), (13.0, 11.5, 1e3))) - 2.8
    arch = intersection(ring, level - 7.5, 2.0)
    spinous = ellipsoid(
        np.stack([x, depth + 0.0, level + 0.5 * (depth - 30)], axis=1), (0, 42, 2), (3.4, 14, 7)
    )
    transverse = ellipsoid(
        np.stack([np.abs(x), depth, level], axis=1), (20, 22, 0), (17.0, 5.5, 5.5)
    )
    return union(union(body, arch, 2.0), union(spinous, transverse, 2.0), 3.0)


def spinal_canal(points: Points) -> Values:
    """Describe the canal of the spinal cord."""
    x, y, z = points.T
    flat = np.stack([x, y - _spine_y(z) - 24, np.zeros_like(z)], axis=1)
    return scaled_norm(flat, (9.0, 7.5, 1e3))


def _rib_level(points: Points) -> Values:
    x, y, z = points.T
    return _phase(z - 0.52 * (y - 72) - 0.05 * np.abs(x), RIB_DISTANCE_MM)


def ribs(points: Points) -> Values:
    """Describe the ribs: slanted hoops on the cage, open in front and below."""
    x, y, z = points.T
    shell = np.abs(cage(points) - 7.0) - 3.4
    hoops = intersection(shell, _rib_level(points) - 5.2, 3.0)
    front = 52 - np.abs(x) + 0.9 * np.minimum(y + 70, 0) + np.maximum(-60 - z, 0) * 0.9
    front = np.where(y < 0, front, -50.0)
    hoops = np.maximum(hoops, front)
    return np.asarray(np.maximum(hoops, -z - 165 - 0.6 * y))


def cartilage(points: Points) -> Values:
    """Describe the cartilage between ribs and breastbone."""
    x, y, z = points.T
    shell = np.abs(cage(points) - 7.5) - 3.0
    hoops = intersection(shell, _rib_level(points) - 4.5, 3.0)
    hoops = np.maximum(hoops, np.abs(x) - 55)
    return np.asarray(np.maximum(hoops, np.maximum(y + 55, np.abs(z - 15) - 75)))


def breastbone(points: Points) -> Values:
    """Describe the sternum, its upper part wider."""
    x, _, z = points.T
    shell = np.abs(cage(points * np.array([0.25, 1, 1])) - 9.0) - 5.0
    width = 12 + 11 / (1 + np.exp(-(z - 70) / 5))
    plate = intersection(shell, np.abs(x) - width, 4.0)
    plate = intersection(plate, np.abs(z - 15) - 84, 4.0)
    return np.asarray(np.maximum(plate, points[:, 1]))


def shoulder_blades(points: Points) -> Values:
    """Describe both scapulae: thin plates behind the upper ribs."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    shell = np.abs(cage(points) - 19.0 - 0.06 * (z - 90)) - 2.3
    triangle = ellipsoid(np.stack([x, y, z], 1), (98, 60, 92), (34, 60, 66))
    return np.asarray(np.maximum(intersection(shell, triangle, 2.0), 22 - y))


def heart_muscle(points: Points) -> Values:
    """Describe the walls of all four chambers, chambers included."""
    right = right_ventricle(points) - 3.5
    atria = union(left_atrium(points) - 2.5, right_atrium(points) - 2.5, 5.0)
    return union(union(left_wall(points), right, 5.0), atria, 4.0)


def aorta(points: Points) -> Values:
    """Describe the aorta from its root over the arch down to the abdomen."""
    path: list[Triple] = [
        heart_point(-26, -2, -4),
        (2, -16, 18),
        (-8, -12, 48),
        (-2, 0, 70),
        (8, 22, 82),
        (20, 46, 76),
        (25, 58, 56),
        (24, 60, 0),
        (18, 58, -110),
        (8, 54, -230),
    ]
    return tube(points, path, [11, 13, 14, 14, 13, 12.5, 12.5, 12, 11, 10])


def pulmonary_arteries(points: Points) -> Values:
    """Describe the pulmonary trunk and its two main branches."""
    trunk = tube(points, [heart_point(-28, 15, -59), (20, -34, 34), (24, -14, 46)], [12, 12.5, 12])
    left = tube(points, [(24, -14, 46), (42, 20, 42), (50, 32, 22)], [11, 9.5, 7.5])
    right = tube(points, [(22, -8, 44), (-14, 10, 40), (-42, 18, 26)], [10, 9.5, 7.5])
    return union(trunk, union(left, right, 4.0), 5.0)


def caval_veins(points: Points) -> Values:
    """Describe both caval veins outside the right atrium."""
    upper = tube(points, [(-32, 2, 22), (-30, -4, 60), (-26, -14, 104)], [8.5, 8.5, 8])
    brachial = tube(points, [(-26, -14, 100), (10, -24, 96), (40, -18, 124)], [8, 6.5, 6])
    lower = tube(points, [(-28, 6, -54), (-26, 22, -84), (-22, 36, -230)], [11, 12, 11])
    return union(union(upper, brachial, 3.0), lower)


def windpipe(points: Points) -> Values:
    """Describe the air of trachea and main bronchi."""
    trachea = tube(points, [(0, 34, 190), (1, 36, 52)], [8.5, 8.5])
    left = tube(points, [(1, 36, 54), (30, 36, 26), (46, 36, 16)], [7, 5.5, 4.5])
    right = tube(points, [(1, 36, 54), (-24, 36, 32), (-40, 36, 14)], [7.5, 6.5, 5])
    return union(trachea, union(left, right), 3.0)


def windpipe_wall(points: Points) -> Values:
    """Describe trachea and bronchi with their walls."""
    return windpipe(points) - 1.8


def gullet(points: Points) -> Values:
    """Describe the esophagus."""
    path = [(4, 52, 190), (6, 52, 50), (10, 50, -40), (26, 30, -92)]
    return tube(points, path, [7, 7, 7, 8])


def _below(points: Points, side: int, depth_mm: float) -> Values:
    """Describe the abdominal cavity under one half of the diaphragm."""
    dome = diaphragm(points, side) + depth_mm
    return intersection(dome, cage(points) + 3.0, 8.0)


def abdomen(points: Points) -> Values:
    """Describe the abdominal cavity with the diaphragm's muscle."""
    middle = ellipsoid(points, (0, 0, -200), (70, 92, 116))
    both = union(diaphragm(points, 1), diaphragm(points, -1), 12.0)
    return intersection(union(both, middle, 14.0), cage(points) + 0.5, 5.0)


def liver(points: Points) -> Values:
    """Describe the liver: the right dome, a left lobe over the stomach, a slanting lower edge."""
    dome = union(_below(points, -1, 4.0), ellipsoid(points, (10, -30, -128), (72, 52, 42)), 26.0)
    under = intersection(dome, abdomen(points) + 3.5, 6.0)
    x, y, z = points.T
    left_edge = (x - 44 + 0.25 * (z + 120)) * 0.95
    lower = (-z - 214 - 0.32 * (x + 60) + 0.35 * y) * 0.9
    body = intersection(intersection(under, left_edge, 18.0), lower, 22.0)
    spine = tube(points, [(4, 74, -260), (4, 74, -60)], [34, 34])
    return difference(body, spine, 14.0)


def stomach(points: Points) -> Values:
    """Describe the stomach: fundus under the left dome, body running to the front."""
    path = [(58, 22, -112), (70, -14, -132), (62, -48, -164), (30, -60, -200)]
    sac = tube(points, path, [25, 31, 27, 20])
    return intersection(sac, abdomen(points) + 6.0, 8.0)


def stomach_gas(points: Points) -> Values:
    """Describe the gas that floats to the front of the stomach."""
    return intersection(stomach(points) + 3.5, points[:, 1] + 42 + 0.02 * points[:, 0], 2.0)


def kidneys(points: Points) -> Values:
    """Describe both kidneys."""
    x, y, z = points.T
    place = np.stack([np.abs(x), y, z + np.where(x > 0, 0.0, 10.0)], axis=1)
    tilt = np.array([[0.95, -0.08, 0.30], [0.08, 0.99, 0.0], [-0.30, 0.0, 0.95]])
    body = ellipsoid(place, (56, 58, -206), (27, 24, 52), tilt)
    return difference(body, ellipsoid(place, (34, 50, -206), (14, 12, 20)), 6.0)


def bowel(points: Points) -> Values:
    """Describe loops of bowel in what remains of the lower abdomen."""
    x, y, z = points.T
    loops = (
        np.sin(x / 9.5 + 1.3 * np.sin(z / 17))
        + np.sin(y / 9.0 + 1.1 * np.sin(x / 19))
        + np.sin(z / 10.0 + 1.2 * np.sin(y / 15))
    )
    region = np.maximum(z + 172 + 0.3 * np.abs(x), abdomen(points) + 10)
    return np.asarray(np.maximum((0.25 - loops) * 6.0, np.maximum(region, y - 40)))


def lungs(points: Points) -> Values:
    """Describe both lungs, all lobes."""
    left = points[:, 0] > 0
    values = np.empty(len(points))
    values[left] = lung(points[left], 1)
    values[~left] = lung(points[~left], -1)
    return values


SURROUNDINGS: dict[str, Field] = {
    "muscle": muscle,
    "cage": cage,
    "shoulder_blades": shoulder_blades,
    "ribs": ribs,
    "cartilage": cartilage,
    "breastbone": breastbone,
    "vertebrae": vertebrae,
    "spinal_canal": spinal_canal,
    "lungs": lungs,
    "abdomen": abdomen,
    "heart_muscle": heart_muscle,
    "aorta": aorta,
    "pulmonary_arteries": pulmonary_arteries,
    "caval_veins": caval_veins,
    "windpipe": windpipe,
    "windpipe_wall": windpipe_wall,
    "gullet": gullet,
    "liver": liver,
    "stomach": stomach,
    "stomach_gas": stomach_gas,
    "kidneys": kidneys,
    "bowel": bowel,
}
