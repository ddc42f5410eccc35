"""Shape modes of the phantom: smooth displacement fields of the whole atlas, known and linear.

A point x of the atlas moves to ``x + sum_k c_k phi_k(x)``, the same field for every tissue: points
stay in correspondence, neighbors move together and anatomies cannot come to overlap as long as the
field does not fold. Each ``phi_k`` is a low polynomial under a Gaussian window.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from massm.dataset.phantom.anatomies import HEART_AXES, heart_point
from massm.dataset.phantom.implicit import Points

CHUNK = 4096  # points that are moved at a time, so that they stay in the processor's cache
REACH_SIGMA = 5.5  # beyond so many widths a mode moves nothing
COEFFICIENT_LIMIT = 2.0  # coefficients are standard normal, cut off here


def _no_matrix() -> np.ndarray:
    return np.zeros((3, 3))


@dataclass(frozen=True)
class Mode:
    """One displacement field: ``w(x) (shift + matrix (x - c) + bow ((x - c) . axis)^2)``.

    Attributes:
        name: Anatomy (or ``body``) and what changes, as ``spleen:length``.
        center: Middle c of the Gaussian window w, atlas mm.
        sigma: Width of the window along x, y, z, mm.
        shift: Displacement at the center, mm.
        matrix: Linear part, without unit.
        bow: Quadratic part along ``axis``, 1/mm.
        axis: Unit direction of the quadratic part.
    """

    name: str
    center: Float[np.ndarray, "3"]
    sigma: Float[np.ndarray, "3"]
    shift: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    matrix: Float[np.ndarray, "3 3"] = field(default_factory=_no_matrix)
    bow: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    axis: Float[np.ndarray, "3"] = field(default_factory=lambda: np.array([1.0, 0.0, 0.0]))

    def reaches(self, low: Float[np.ndarray, "3"], high: Float[np.ndarray, "3"]) -> bool:
        """Tell whether the field is more than about 1e-5 mm anywhere in a box."""
        apart = np.maximum(np.maximum(low - self.center, self.center - high), 0)
        return bool(np.square(apart / self.sigma).sum() < REACH_SIGMA**2)

    def displacement(self, points: Points) -> Points:
        """Evaluate the field, mm for a coefficient of 1."""
        offset = points - self.center
        window = np.exp(-0.5 * (np.square(offset) @ (1 / np.square(self.sigma))))
        moved = self.shift + offset @ self.matrix.T
        if self.bow.any():
            moved += np.square(offset @ self.axis)[:, None] * self.bow
        return np.asarray(window[:, None] * moved)


def _push(name: str, center: object, sigma: object, shift: object) -> Mode:
    return Mode(name, _vector(center), _vector(sigma), shift=_vector(shift))


def _stretch(name: str, center: object, sigma: object, matrix: object) -> Mode:
    return Mode(name, _vector(center), _vector(sigma), matrix=np.asarray(matrix, dtype=float))


def _vector(values: object) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (3,)).copy()


def _along(axis: np.ndarray, amount: float) -> np.ndarray:
    return amount * np.outer(axis, axis)


def _body_modes() -> list[Mode]:
    wide = 1e4  # a window this wide is none
    return [
        _stretch("body:width", 0, wide, np.diag([0.035, 0, 0])),
        _stretch("body:depth", 0, wide, np.diag([0, 0.045, 0])),
        _stretch("body:length", 0, wide, np.diag([0, 0, 0.030])),
        _push("body:breathing", (0, 0, -90), (wide, wide, 70), (0, 0, 8)),
        _push("body:scoliosis", (0, 0, 20), (wide, wide, 90), (5, 0, 0)),
        _push("body:heart place", (10, -15, -20), (70, 70, 70), (4, 0, 0)),
        _stretch("body:heart size", (5, -10, -20), 62, 0.07 * np.eye(3)),
        _stretch("body:heart turn", (5, -10, -20), 62, [[0, 0.11, 0], [-0.11, 0, 0], [0, 0, 0]]),
    ]


def _heart_modes() -> list[Mode]:
    long, septal, across = HEART_AXES.T
    apex, free_wall = heart_point(42, 0, 0), heart_point(-4, 52, -2)
    outflow = heart_point(-20, 20, -48)
    left_atrium, right_atrium = (8, 18, -4), (-36, -10, -18)
    return [
        _stretch("heart_ventricle_left:size", heart_point(0, 0, 0), 30, 0.10 * np.eye(3)),
        _stretch("heart_ventricle_left:length", heart_point(0, 0, 0), 36, _along(long, 0.13)),
        _stretch("heart_ventricle_left:flatness", heart_point(0, -6, 0), 30, _along(across, 0.13)),
        _push("heart_ventricle_left:apex", apex, 24, 3.5 * across),
        _push("heart_ventricle_right:free wall", free_wall, (28, 28, 28), 4.0 * septal),
        _stretch("heart_ventricle_right:length", heart_point(0, 30, 0), 36, _along(long, 0.12)),
        _push("heart_ventricle_right:outflow", outflow, 26, -4.0 * across),
        _stretch("heart_ventricle_right:height", heart_point(0, 35, 0), 34, _along(across, 0.11)),
        _stretch("heart_atrium_left:size", left_atrium, 28, 0.11 * np.eye(3)),
        _stretch("heart_atrium_left:width", left_atrium, 32, np.diag([0.13, 0, 0])),
        _stretch("heart_atrium_left:depth", left_atrium, 28, np.diag([0, 0.13, 0])),
        _push("heart_atrium_left:appendage", (42, -2, 14), 20, (2.0, -2.0, 3.0)),
        _stretch("heart_atrium_right:size", right_atrium, 30, 0.11 * np.eye(3)),
        _stretch("heart_atrium_right:height", right_atrium, 34, np.diag([0, 0, 0.13])),
        _push("heart_atrium_right:appendage", (-18, -44, 6), 20, (-2.0, -3.0, 2.0)),
        _push("heart_atrium_right:free wall", (-60, -8, -18), 22, (-3.5, 0, 0)),
    ]


def _lung_modes() -> list[Mode]:
    modes = []
    for side, name in ((1, "lung_upper_lobe_left"), (-1, "lung_upper_lobe_right")):
        tilt = np.zeros((3, 3))
        tilt[2, 1] = 0.10  # the fissure's back rises against its front
        modes += [
            _push(f"{name}:apex", (side * 60, 0, 120), (50, 50, 45), (0, 0, 7)),
            _stretch(f"{name}:fissure tilt", (side * 75, 0, 0), (55, 70, 60), tilt),
            _push(f"{name}:fissure height", (side * 80, -15, 5), (50, 60, 50), (0, 0, 7)),
            _push(f"{name}:front", (side * 55, -70, 20), (40, 40, 50), (0, -5, 0)),
            _push(f"{name}:mediastinum", (side * 25, -20, 65), (28, 45, 45), (side * 5, 0, 0)),
        ]
    return modes


def _spleen_modes() -> list[Mode]:
    center = np.array([100.0, 37.0, -138.0])
    along = np.array([-0.62, 0.74, 0.26])
    along /= np.linalg.norm(along)
    outward = np.array([0.76, 0.65, 0.0])
    upward = np.cross(outward, along)
    upward *= np.sign(upward[2])
    bend = Mode(
        "spleen:bend",
        center,
        np.full(3, 48.0),
        bow=0.0030 * outward,
        axis=along,
        shift=-2 * outward,
    )
    return [
        _stretch("spleen:size", center, 42, 0.12 * np.eye(3)),
        _stretch("spleen:length", center, 46, _along(along, 0.14)),
        _stretch("spleen:height", center, 42, _along(upward, 0.14)),
        bend,
        _push("spleen:tip", center - 42 * along, 26, 5.0 * upward),
    ]


MODES: tuple[Mode, ...] = (*_body_modes(), *_heart_modes(), *_lung_modes(), *_spleen_modes())
MODE_NAMES: tuple[str, ...] = tuple(mode.name for mode in MODES)


def draw_coefficients(random: np.random.Generator, spread: float) -> Float[np.ndarray, " K"]:
    """Draw one coefficient per mode: standard normal, cut off, times ``spread``."""
    values = random.standard_normal(len(MODES))
    while (outside := np.abs(values) > COEFFICIENT_LIMIT).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    return spread * values


def deform(points: Points, coefficients: Float[np.ndarray, " K"]) -> Points:
    """Move atlas points to where they lie in a subject's body, mm."""
    moved = np.array(points, dtype=np.float64)
    for first in range(0, len(points), CHUNK):
        part = points[first : first + CHUNK]
        low, high = part.min(axis=0), part.max(axis=0)
        for mode, amount in zip(MODES, coefficients, strict=True):
            if mode.reaches(low, high):
                moved[first : first + CHUNK] += amount * mode.displacement(part)
    return moved


@dataclass(frozen=True)
class Inverse:
    """The way back from a subject's body to the atlas, tabulated on a coarse grid.

    Attributes:
        low: Body coordinates of the grid's first node, mm.
        step_mm: Distance of its nodes, mm.
        shift: What to add to a body point to get to the atlas, at each node, axes z, y, x.
    """

    low: Float[np.ndarray, "3"]
    step_mm: float
    shift: Float[np.ndarray, "D H W 3"]

    def __call__(self, points: Points) -> Points:
        """Carry body points to the atlas; outside the grid its border's shift is used."""
        index = ((points - self.low) / self.step_mm).T[::-1]
        columns = [
            map_coordinates(self.shift[..., axis], index, order=1, mode="nearest")
            for axis in range(3)
        ]
        return np.asarray(points + np.stack(columns, axis=1))


def invert(
    coefficients: Float[np.ndarray, " K"],
    low: Float[np.ndarray, "3"],
    high: Float[np.ndarray, "3"],
    step_mm: float,
    iterations: int = 6,
) -> Inverse:
    """Invert the deformation inside a box of body coordinates by fixed-point iteration.

    Chen et al., "A simple fixed-point approach to invert a deformation field", Medical Physics
    35(1), 2008: ``x <- y - u(x)`` converges where the field does not fold.
    """
    counts = np.ceil((high - low) / step_mm).astype(int) + 1
    axes = [low[i] + step_mm * np.arange(counts[i]) for i in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    body = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    atlas = body.copy()
    for _ in range(iterations):
        atlas += body - deform(atlas, coefficients)
    shift = (atlas - body).reshape(*x.shape, 3).astype(np.float32)
    return Inverse(low, step_mm, shift)
