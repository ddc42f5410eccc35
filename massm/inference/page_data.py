"""What the page's script draws: a brick of the CT around the anatomies, and their surfaces."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy.ndimage import affine_transform

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.colors import anatomy_colors, anatomy_label
from massm.inference.shapes import Band, ScanGrid, ScanShapes

CENTER_HU, WIDTH_HU = 40.0, 150.0
"""Of the curve ``asinh((HU - center) / width)`` that gives soft tissue most of the gray values."""
LOW_HU, HIGH_HU = -1024.0, 2000.0

_BESIDE_MM = 35.0  # what is shown around the anatomies
_WHOLE_MM = 400.0  # of a scan without anatomies: its middle
_MOST_VOXELS = 3_000_000
_LEAST_PITCH_MM = 1.0
_QUALITY = 82
_BLOCK = 8  # JPEG packs blocks of this side: tiles keep to them
_STEPS = 65535  # of a surface's coordinates: hundredths of a millimeter


@dataclass(frozen=True)
class Brick:
    """A part of the CT on a grid along LPS.

    Attributes:
        codes: Gray values 1 to 255 by the curve, 0 outside of the scan; axes z, y, x.
        low: LPS millimeters of the center of its first voxel.
        pitch_mm: Distance of its voxels.
    """

    codes: UInt8[np.ndarray, "D H W"]
    low: Float[np.ndarray, "3"]
    pitch_mm: float


def page_data(shapes: ScanShapes, volume: Volume) -> dict[str, Any]:
    """Collect what the page's script needs, as JSON takes it.

    Args:
        shapes: What was found in the scan.
        volume: The scan, HU.
    """
    brick = cut_brick(volume, shapes)
    colors = anatomy_colors(tuple(shapes.anatomies))
    return {
        "brick": _brick_data(brick),
        "curve": {"center": CENTER_HU, "width": WIDTH_HU, "low": LOW_HU, "high": HIGH_HU},
        "field": _mesh_data(_field_of_view(shapes.grid)),
        "organs": [
            {
                "name": name,
                "label": anatomy_label(name),
                "color": colors[name],
                "middle": [round(float(x), 2) for x in _middle(mesh.vertices)],
                **_mesh_data(mesh),
                "band": _band_data(shapes[name].band),
            }
            for name, mesh in shapes.surfaces.items()
        ],
    }


def cut_brick(volume: Volume, shapes: ScanShapes) -> Brick:
    """Resample the part of a CT around the anatomies, linearly, to a grid along LPS."""
    low, high = _region(shapes.surfaces, volume)
    finest = max(_LEAST_PITCH_MM, float(volume.spacing.min()))
    pitch = max(finest, float((np.prod(high - low) / _MOST_VOXELS) ** (1 / 3)))
    size = np.maximum(np.ceil((high - low) / pitch).astype(int), 1) + 1
    to_index = np.linalg.inv(volume.direction * volume.spacing)
    order = [2, 1, 0]
    values = affine_transform(
        volume.array,
        (to_index * pitch)[np.ix_(order, order)],
        offset=volume.point_to_index(low)[order],
        output_shape=tuple(size[order].tolist()),
        output=np.float32,
        order=1,
        mode="grid-constant",
        cval=np.nan,
    )
    return Brick(encode(values), low, pitch)


def encode(values: Float[np.ndarray, "D H W"]) -> UInt8[np.ndarray, "D H W"]:
    """Write HU as 1 to 255 by the curve, and nan as 0."""
    ends = np.arcsinh((np.array([LOW_HU, HIGH_HU]) - CENTER_HU) / WIDTH_HU)
    bent = np.arcsinh((np.clip(values, LOW_HU, HIGH_HU) - CENTER_HU) / WIDTH_HU)
    codes = 1 + np.rint(254 * (bent - ends[0]) / (ends[1] - ends[0]))
    return np.asarray(np.nan_to_num(codes, nan=0.0).astype(np.uint8))


def _region(surfaces: Mapping[str, Mesh], volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Choose the box to show, LPS mm: what is beside the anatomies, or the middle of the scan."""
    corners = volume.corners()
    low, high = corners.min(0) - volume.spacing.max(), corners.max(0) + volume.spacing.max()
    if surfaces:
        points = np.concatenate([mesh.vertices for mesh in surfaces.values()])
        ends = points.min(0), points.max(0)
        # Beyond the scan no more than what the anatomies need.
        return (
            np.maximum(ends[0] - _BESIDE_MM, np.minimum(low, ends[0] - 5)),
            np.minimum(ends[1] + _BESIDE_MM, np.maximum(high, ends[1] + 5)),
        )
    middle, half = (low + high) / 2, np.minimum((high - low) / 2, _WHOLE_MM / 2)
    return middle - half, middle + half


def _brick_data(brick: Brick) -> dict[str, Any]:
    """Write the brick as one picture of all its planes, side by side."""
    depth, height, width = brick.codes.shape
    tile_height, tile_width = (-(-side // _BLOCK) * _BLOCK for side in (height, width))
    columns = max(1, round(float(np.sqrt(depth * tile_height / tile_width))))
    rows = -(-depth // columns)
    tiles = np.zeros((rows * columns, tile_height, tile_width), np.uint8)
    tiles[:depth, :height, :width] = brick.codes
    sheet = tiles.reshape(rows, columns, tile_height, tile_width).swapaxes(1, 2)
    buffer = io.BytesIO()
    Image.fromarray(sheet.reshape(rows * tile_height, columns * tile_width)).save(
        buffer, "JPEG", quality=_QUALITY
    )
    return {
        "size": [width, height, depth],
        "tile": [tile_width, tile_height],
        "columns": columns,
        "low": [round(float(x), 4) for x in brick.low],
        "pitch": round(brick.pitch_mm, 5),
        "sheet": f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}",
    }


def _band_data(band: Band | None) -> dict[str, Any] | None:
    """Write the radius at each vertex, hundredths of a millimeter: that of the whole surface."""
    if band is None:
        return None
    radius = band.whole_at_vertices_mm
    is_whole = radius is not None
    if radius is None:
        radius = band.share_at_vertices_mm
    if radius is None:
        return None
    return {"radius": _base64(np.clip(np.rint(100 * radius), 0, _STEPS), "<u2"), "whole": is_whole}


def _field_of_view(grid: ScanGrid) -> Mesh:
    """Make the surface of the scan's grid, half a voxel beyond the outer centers."""
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    index = ends * np.array(grid.size) - 0.5
    corners = index @ (grid.direction * grid.spacing).T + grid.origin
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]
    return Mesh(corners, np.array(faces))


def _mesh_data(mesh: Mesh) -> dict[str, Any]:
    """Write a mesh in two bytes for each number: places between the ends of its box."""
    low = mesh.vertices.min(0)
    extent = np.maximum(np.ptp(mesh.vertices, axis=0), 1e-6)
    places = np.rint((mesh.vertices - low) / extent * _STEPS)
    is_wide = len(mesh.vertices) > _STEPS
    return {
        "low": low.tolist(),
        "extent": extent.tolist(),
        "points": _base64(places, "<u2"),
        "faces": _base64(mesh.faces, "<u4" if is_wide else "<u2"),
        "wide": is_wide,
    }


def _base64(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array).astype(kind).tobytes()).decode()


def _middle(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    return np.asarray((points.min(0) + points.max(0)) / 2)
