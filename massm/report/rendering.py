"""Pictures of surfaces without a graphics card: sorted, shaded triangles on a matplotlib axes."""

from typing import Any, cast

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.tri import Triangulation

from massm.geometry.mesh import Mesh

# Light to dark, so that it reads in gray and with every kind of color vision.
ERROR_COLORS = ("#e4e8ed", "#f6d9a6", "#f0a04b", "#d9542b", "#93173b", "#3f0a3d")
ERROR_MAP = LinearSegmentedColormap.from_list("error", list(ERROR_COLORS))
CHANGE_COLORS = ("#0b5394", "#7fb3d9", "#dfe4e9", "#f0b37e", "#b04a00")
CHANGE_MAP = LinearSegmentedColormap.from_list("change", list(CHANGE_COLORS))

_LIGHT = np.array([-0.35, -0.8, 0.55]) / np.linalg.norm([-0.35, -0.8, 0.55])  # right, back, up
_AMBIENT = 0.5  # share of light that comes from everywhere


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
