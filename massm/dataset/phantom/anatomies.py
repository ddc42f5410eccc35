"""The seven anatomies of the phantom as solids of the atlas frame, LPS mm.

x grows to the patient's left, y to the back, z to the head; the origin lies in the middle of the
chest at the level of the heart. Sizes are those of an average adult in shallow inspiration.
"""

import numpy as np

from massm.dataset.phantom.implicit import (
    Field,
    Number,
    Points,
    Values,
    difference,
    ellipsoid,
    half_space,
    intersection,
    scaled_norm,
    tube,
    union,
)

VALVE_GAP_MM = 2.5  # half the tissue between an atrium and its ventricle
LEFT_VENTRICLE_CENTER = np.array([32.0, -25.0, -30.0])
LEFT_VENTRICLE_RADII = (46.0, 23.0, 23.0)  # long axis, toward the right ventricle, across
LEFT_WALL_MM = 10.0
LUNG_HEIGHT_MM = 190.0  # from the widest level to the apex
BASE_DEPTH_MM = -24.0  # the valve plane, along the long axis from the ventricle's center


def _heart_axes() -> np.ndarray:
    """Give the heart's axes as columns: to the apex, to the right ventricle, to the back below."""
    apex = np.array([0.66, -0.55, -0.51])
    apex /= np.linalg.norm(apex)
    septum = np.array([-0.80, -0.55, -0.20])
    septum -= (septum @ apex) * apex
    septum /= np.linalg.norm(septum)
    return np.stack([apex, septum, np.cross(apex, septum)], axis=1)


HEART_AXES = _heart_axes()


def heart_point(along: Number, septal: Number, across: Number) -> np.ndarray:
    """Turn heart coordinates (mm from the left ventricle's center) into an atlas point."""
    return np.asarray(LEFT_VENTRICLE_CENTER + HEART_AXES @ np.array([along, septal, across]))


def _behind_base(points: Points, depth_mm: Number) -> Values:
    """Describe the side of the apex: everything deeper than ``depth_mm`` along the long axis."""
    return -half_space(points, heart_point(depth_mm, 0, 0), HEART_AXES[:, 0])


def left_ventricle(points: Points) -> Values:
    """Describe the cavity of the left ventricle: half an ellipsoid, cut at the valve plane."""
    cavity = ellipsoid(points, LEFT_VENTRICLE_CENTER, LEFT_VENTRICLE_RADII, HEART_AXES)
    return intersection(cavity, _behind_base(points, BASE_DEPTH_MM + VALVE_GAP_MM), 8.0)


def left_wall(points: Points) -> Values:
    """Describe the left ventricle with its muscle."""
    radii = [radius + LEFT_WALL_MM for radius in LEFT_VENTRICLE_RADII]
    shell = ellipsoid(points, LEFT_VENTRICLE_CENTER, radii, HEART_AXES)
    return intersection(shell, _behind_base(points, BASE_DEPTH_MM - 1), 6.0)


def right_ventricle(points: Points) -> Values:
    """Describe the right ventricle: a crescent around the septum, with its outflow tract."""
    body = ellipsoid(points, heart_point(-8, 21, -2), (49.0, 42.0, 43.0), HEART_AXES)
    body = intersection(body, _behind_base(points, BASE_DEPTH_MM + VALVE_GAP_MM - 4), 8.0)
    outflow = tube(
        points,
        [heart_point(0, 30, -20), heart_point(-16, 26, -46), heart_point(-26, 16, -56)],
        [14.0, 12.5, 11.0],
    )
    crescent = union(body, outflow, 12.0)
    septum = ellipsoid(points, LEFT_VENTRICLE_CENTER, (58.0, 34.5, 34.5), HEART_AXES)
    crescent = difference(crescent, septum, 9.0)
    lateral = -half_space(points, heart_point(0, -3, 0), HEART_AXES[:, 1])
    return intersection(crescent, lateral, 9.0)


def _ascending_aorta(points: Points) -> Values:
    return tube(points, [(12, -16, -8), (0, -16, 20), (-8, -12, 48)], [12.0, 14.0, 14.0])


def right_atrium(points: Points) -> Values:
    """Describe the right atrium with its appendage and the mouths of both caval veins."""
    body = ellipsoid(points, (-36, -10, -18), (24.0, 30.0, 33.0))
    caval = tube(
        points, [(-32, 2, 24), (-34, -2, 0), (-34, 0, -30), (-28, 6, -54)], [9, 10, 12, 11]
    )
    appendage = ellipsoid(points, (-20, -40, 4), (17.0, 15.0, 13.0))
    body = union(union(body, caval, 12.0), appendage, 14.0)
    body = difference(body, _ascending_aorta(points) - 3.0, 6.0)
    body = difference(body, right_ventricle(points) - 2 * VALVE_GAP_MM, 5.0)
    return intersection(body, -_behind_base(points, BASE_DEPTH_MM - VALVE_GAP_MM - 4), 8.0)


def left_atrium(points: Points) -> Values:
    """Describe the left atrium: a flat chamber with four veins and its appendage."""
    body = ellipsoid(points, (8, 18, -4), (33.0, 21.0, 27.0))
    for vein in ((42, 26, 12), (42, 30, -12), (-30, 34, 10), (-30, 34, -10)):
        body = union(body, tube(points, [(8, 20, 0), vein], [9.0, 6.5]), 9.0)
    appendage = ellipsoid(points, (42, -2, 12), (10.0, 15.0, 9.0))
    body = union(body, appendage, 12.0)
    spine = ellipsoid(points, (4, 58, -6), (22.0, 22.0, 90.0))
    body = difference(body, spine, 8.0)
    body = difference(body, _ascending_aorta(points) - 3.0, 6.0)
    body = difference(body, right_atrium(points) - 3.5, 6.0)
    return intersection(body, -_behind_base(points, BASE_DEPTH_MM - VALVE_GAP_MM), 8.0)


def pericardium(points: Points) -> Values:
    """Describe the heart's sac: all chambers, their walls and the fat around them."""
    ventricles = union(
        ellipsoid(points, LEFT_VENTRICLE_CENTER, (60.0, 37.0, 37.0), HEART_AXES),
        ellipsoid(points, heart_point(-8, 21, -2), (56.0, 49.0, 50.0), HEART_AXES),
        16.0,
    )
    atria = union(
        ellipsoid(points, (9, 17, -2), (42.0, 27.0, 34.0)),
        ellipsoid(points, (-36, -12, -16), (30.0, 38.0, 41.0)),
        16.0,
    )
    outflow = tube(points, [heart_point(0, 30, -20), heart_point(-28, 18, -60)], [20.0, 18.0])
    veins = tube(points, [(-34, 33, 0), (8, 26, 0), (45, 28, 0)], [22.0, 26.0, 23.0])
    appendage = ellipsoid(points, (42, -2, 12), (15.0, 20.0, 14.0))
    caval = tube(points, [(-34, -2, 28), (-30, 4, -62)], [15.0, 16.0])
    heart = union(ventricles, atria, 22.0)
    return union(
        union(heart, outflow, 14.0), union(union(veins, appendage, 10.0), caval, 10.0), 14.0
    )


def cage(points: Points) -> Values:
    """Describe the inside of the rib cage: a dome that goes on downward as a cylinder."""
    offset = points - np.array([0.0, 2.0, -50.0])
    offset[:, 2] = 208.0 * (np.maximum(offset[:, 2], 0.0) / 208.0) ** 1.4
    return scaled_norm(offset, (138.0, 100.0, 208.0))


def diaphragm(points: Points, side: int) -> Values:
    """Describe what lies below one half of the diaphragm; ``side`` is +1 left, -1 right."""
    top = 120.0 if side > 0 else 134.0
    return ellipsoid(points, (side * 66, 4, -196), (84.0, 106.0, top))


def _mediastinum(points: Points) -> Values:
    """Describe what parts the lungs: the slab of the great vessels, the spine, the heart."""
    slab = np.abs(points[:, 0]) - (15 + 8 * np.exp(-(((points[:, 2] - 30) / 45) ** 2)))
    spine = tube(points, [(0, 82, -260), (0, 82, 40), (0, 70, 220)], [26.0, 26.0, 26.0])
    aorta = tube(points, [(24, 56, 66), (24, 60, 0), (18, 60, -120)], [16.0, 16.0, 15.0])
    vessels = union(union(slab, spine, 14.0), aorta, 10.0)
    return union(vessels, pericardium(points) - 3.0, 14.0)


def lung(points: Points, side: int) -> Values:
    """Describe one whole lung; ``side`` is +1 left, -1 right."""
    offset = points - np.array([side * 68.0, 4.0, -50.0])
    offset[:, 2] = LUNG_HEIGHT_MM * (np.maximum(offset[:, 2], 0.0) / LUNG_HEIGHT_MM) ** 1.4
    dome = scaled_norm(offset, (66.0, 95.0, LUNG_HEIGHT_MM))
    dome = intersection(dome, cage(points) + 4.0, 8.0)
    base = difference(dome, diaphragm(points, side) - 4.0, 18.0)
    return difference(base, _mediastinum(points), 14.0)


def oblique_fissure(points: Points, side: int) -> Values:
    """Measure the height above the oblique fissure, mm: the upper lobe's side is positive."""
    x, y, z = points.T
    wave = 4.0 * np.sin(x / 28.0) + 3.0 * np.cos(y / 30.0)  # a fissure is not quite a plane
    slope = 1.06 if side > 0 else 1.18
    height = z - (slope * (y - 4.0) - 12.0 + wave)
    return np.asarray(height / np.hypot(slope, 1.0))


def horizontal_fissure(points: Points) -> Values:
    """Measure the height above the right lung's horizontal fissure, mm."""
    x, y, z = points.T
    wave = 3.0 * np.sin((y + x) / 25.0)
    return np.asarray(z - (2.0 + 0.10 * (y + 40.0) + 0.08 * (x + 70.0) + wave))


def left_upper_lobe(points: Points) -> Values:
    """Describe the left upper lobe: above the oblique fissure, down to the lingula."""
    lobe = intersection(lung(points, +1), 1.2 - oblique_fissure(points, +1), 12.0)
    return intersection(lobe, -78.0 - points[:, 2], 18.0)  # the lingula ends blunt


def right_upper_lobe(points: Points) -> Values:
    """Describe the right upper lobe: above the oblique and the horizontal fissure."""
    above = intersection(1.2 - oblique_fissure(points, -1), 1.2 - horizontal_fissure(points), 10.0)
    return intersection(lung(points, -1), above, 12.0)


def spleen(points: Points) -> Values:
    """Describe the spleen: a bent, tapered solid under the left diaphragm, with its hilum."""
    arc_center, arc_radius = np.array([60.0, 2.0]), 54.0
    offset = points[:, :2] - arc_center
    angle = np.arctan2(offset[:, 1], offset[:, 0]) - np.deg2rad(40)
    along = arc_radius * angle
    outward = np.hypot(offset[:, 0], offset[:, 1]) - arc_radius
    height = points[:, 2] + 138.0 - 0.28 * along
    bent = np.stack([along, outward, height], axis=1)
    taper = 1 + 0.004 * np.clip(along, -60, 60)  # the back end is the thick one
    body = scaled_norm(bent / np.stack([np.ones_like(taper), taper, taper], 1), (56, 18.5, 38))
    hilum = scaled_norm(bent - np.array([-2.0, -22.0, 0.0]), (20.0, 12.0, 27.0))
    notch = scaled_norm(bent - np.array([-24.0, -4.0, 40.0]), (7.0, 22.0, 13.0))
    body = difference(difference(body, hilum, 9.0), notch, 8.0)
    return intersection(body, diaphragm(points, +1) + 7.0, 8.0)


ANATOMIES: dict[str, Field] = {
    "heart_ventricle_left": left_ventricle,
    "heart_ventricle_right": right_ventricle,
    "heart_atrium_left": left_atrium,
    "heart_atrium_right": right_atrium,
    "lung_upper_lobe_left": left_upper_lobe,
    "lung_upper_lobe_right": right_upper_lobe,
    "spleen": spleen,
}
