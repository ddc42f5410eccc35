"""Pictures of surfaces without a graphics card: sorted, shaded triangles on a matplotlib axes."""

from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, TriMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.tri import Triangulation

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh

# Light to dark, so that it reads in gray and with every kind of color vision.
ERROR_COLORS = ("#e4e8ed", "#f6d9a6", "#f0a04b", "#d9542b", "#93173b", "#3f0a3d")
ERROR_MAP = LinearSegmentedColormap.from_list("error", list(ERROR_COLORS))
CHANGE_COLORS = ("#0b5394", "#7fb3d9", "#dfe4e9", "#f0b37e", "#b04a00")
CHANGE_MAP = LinearSegmentedColormap.from_list("change", list(CHANGE_COLORS))

FRONT_AND_BACK = (("front", 0.0, 8.0), ("back", 180.0, 8.0))  # name, azimuth, elevation

_LIGHT = np.array([-0.35, -0.8, 0.55]) / np.linalg.norm([-0.35, -0.8, 0.55])  # right, back, up
_AMBIENT = 0.5  # share of light that comes from everywhere
_CORNERS = 14  # of a particle's disk
_LEAST_SLOPE = 0.12  # cosine to the viewer below which a disk is seen from its edge


def view(azimuth_deg: float, elevation_deg: float) -> Float[np.ndarray, "3 3"]:
    """Turn LPS points to (right, away, up) of a picture.

    Azimuth 0 looks at the patient's front: the patient's left is on the right, up is the head.
    """
    turn, tilt = np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg)
    around = np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]]
    )
    over = np.array(
        [[1.0, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    return np.asarray(over @ around)


def draw_mesh(
    axes: Axes,
    mesh: Mesh,
    colors: Float[np.ndarray, "V c"],
    *,
    direction: Float[np.ndarray, "3 3"],
) -> None:
    """Draw a closed surface, smoothly shaded, orthographic, nearest triangles last.

    Args:
        axes: Where to; its frame is removed and its aspect made equal.
        mesh: The surface, LPS mm.
        colors: RGB or RGBA of each vertex.
        direction: From :func:`view`.
    """
    points = (mesh.vertices - mesh.vertices.mean(0)) @ direction.T
    seen = (mesh.face_normals @ direction.T)[:, 1] < 0  # of a closed surface the far side is hidden
    faces = mesh.faces[seen]
    faces = faces[np.argsort(-points[faces, 1].mean(1))]
    light = _AMBIENT + (1 - _AMBIENT) * np.clip(mesh.vertex_normals @ direction.T @ _LIGHT, 0, 1)
    shaded = np.clip(colors[:, :3] * light[:, None] * 1.12, 0, 1)
    triangles = TriMesh(Triangulation(points[:, 0], points[:, 2], faces), rasterized=True)
    # One color for each vertex: matplotlib's stubs know lists of tuples alone.
    triangles.set_facecolor(cast(Any, np.hstack([shaded, np.ones((len(shaded), 1))])))
    axes.add_collection(triangles, autolim=False)
    axes.set_aspect("equal")
    axes.set_axis_off()
    low, high = points.min(0), points.max(0)
    margin = 0.03 * (high - low).max()
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[2] - margin, high[2] + margin)


def draw_particles(
    axes: Axes,
    particles: Float[np.ndarray, "M 3"],
    colors: Float[np.ndarray, "M c"],
    mesh: Mesh,
    *,
    direction: Float[np.ndarray, "3 3"],
    radius_mm: float,
) -> None:
    """Draw the particles that are in sight as disks that lie on a surface.

    Colors stay as they are, whatever the light, so that one place has one color in all pictures.

    Args:
        axes: Where :func:`draw_mesh` has drawn ``mesh``.
        particles: On the surface, LPS mm.
        colors: RGB or RGBA of each particle.
        mesh: The surface.
        direction: The same as the surface's.
        radius_mm: Of the disks.
    """
    nearest = SurfaceIndex(mesh).closest(particles)
    normals = mesh.vertex_normals[mesh.faces[nearest.face]].mean(1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    slope = -(normals @ direction.T)[:, 1]
    shown = np.flatnonzero((slope > _LEAST_SLOPE) & in_sight(particles, mesh, direction))
    shown = shown[np.argsort(slope[shown])]
    helper = np.eye(3)[np.abs(normals).argmin(1)]
    first = np.cross(normals, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    around = (
        np.cos(angle)[:, None] * first[shown, None] + np.sin(angle)[:, None] * second[shown, None]
    )
    disks = particles[shown, None] + radius_mm * around
    flat = (disks - mesh.vertices.mean(0)) @ direction.T
    axes.add_collection(
        PolyCollection(
            list(flat[..., [0, 2]]),
            facecolors=colors[shown],
            edgecolors="#1d2733",
            linewidths=0.25,
            zorder=3,
            rasterized=True,
        ),
        autolim=False,
    )


def in_sight(
    points: Float[np.ndarray, "M 3"], mesh: Mesh, direction: Float[np.ndarray, "3 3"]
) -> Bool[np.ndarray, " M"]:
    """Say which points of a surface no other part of it hides.

    Triangles count as in front from a thirtieth of the surface's size on: a point does not hide
    behind its own neighborhood.
    """
    corners = (mesh.vertices @ direction.T)[mesh.faces]
    corners = corners[(mesh.face_normals @ direction.T)[:, 1] < 0]
    a, b, c = (corners[:, i] for i in range(3))
    twice_area = _cross(b - a, c - a)
    keep = np.abs(twice_area) > 1e-9
    a, b, c, twice_area = a[keep], b[keep], c[keep], twice_area[keep]
    reach = np.ptp(mesh.vertices, axis=0).max() / 30
    free = np.empty(len(points), bool)
    for row, point in enumerate(points @ direction.T):
        weight_a = _cross(b - point, c - point) / twice_area
        weight_b = _cross(c - point, a - point) / twice_area
        weight_c = 1 - weight_a - weight_b
        inside = (weight_a >= 0) & (weight_b >= 0) & (weight_c >= 0)
        depth = weight_a * a[:, 1] + weight_b * b[:, 1] + weight_c * c[:, 1]
        free[row] = not (inside & (depth < point[1] - reach)).any()
    return free


def _cross(a: Float[np.ndarray, "n 3"], b: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Cross product in the plane of the picture, whose second axis points away."""
    return np.asarray(a[:, 0] * b[:, 2] - a[:, 2] * b[:, 0])
