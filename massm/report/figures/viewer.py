"""What the page's scripts need: surfaces, modes and slices as plain data."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.report.figures.gallery import gray_picture
from massm.report.figures.plates import error_limit
from massm.report.figures.slices import Frame, Plane, best_position, outlines, slice_pixels
from massm.report.naming import anatomy_label
from massm.report.shapes.cases import Case
from massm.report.shapes.modes import ShapeModes


def encoded(array: np.ndarray, kind: str) -> str:
    """Write an array as base64 of little-endian numbers, such as ``<f4``."""
    return base64.b64encode(np.ascontiguousarray(array).astype(kind).tobytes()).decode()


def hundredths(lengths_mm: Float[np.ndarray, " n"]) -> str:
    """Write lengths as base64 of 16-bit numbers, in hundredths of a millimeter; at most 655 mm."""
    return encoded(np.clip(np.rint(100 * lengths_mm), 0, 2**16 - 1), "<u2")


def mesh_data(mesh: Mesh) -> dict[str, Any]:
    """Write a mesh: single precision is enough for the eye, two bytes for most vertex numbers."""
    wide = len(mesh.vertices) > 2**16
    return {
        "points": encoded(mesh.vertices, "<f4"),
        "faces": encoded(mesh.faces, "<u4" if wide else "<u2"),
        "wide": wide,
    }


def case_data(cases: Sequence[Case]) -> dict[str, Any]:
    """Write the cases of an anatomy for the viewer that turns."""
    return {
        "limit": error_limit([case.error for case in cases]),
        "cases": [
            {
                "rank": case.rank,
                "subject": case.subject,
                "distance": round(case.distance_mm, 2),
                "true": mesh_data(case.true),
                "predicted": mesh_data(case.predicted),
                "error": encoded(case.error, "<f4"),
            }
            for case in cases
        ],
    }


def mode_data(modes: ShapeModes, deviations: float) -> dict[str, Any]:
    """Write the shape modes of an anatomy for the sliders."""
    outward = [modes.outward(i) for i in range(len(modes.displacements))]
    largest = max((float(np.abs(deviations * move).max()) for move in outward), default=1.0)
    return {
        "mean": mesh_data(modes.mean),
        "range": deviations,
        "limit": max(0.1, round(largest, 1)),
        "modes": [
            {
                "share": round(float(share), 6),
                "move": encoded(move, "<f4"),
                "outward": encoded(along, "<f4"),
            }
            for share, move, along in zip(modes.shares, modes.displacements, outward, strict=True)
        ],
    }


@dataclass(frozen=True)
class OutlineLook:
    """What an outline is called, and how it is drawn: color, and dashes as SVG writes them."""

    label: str
    color: str
    dashes: str = ""


def anatomy_outlines(colors: Mapping[str, str]) -> dict[str, OutlineLook]:
    """Draw each anatomy in its color."""
    return {n: OutlineLook(anatomy_label(n), color) for n, color in colors.items()}


def scroll_data(
    volume: Volume,
    true: Mapping[str, Mesh],
    predicted: Mapping[str, Mesh],
    *,
    frame: Frame,
    lines: Mapping[str, OutlineLook],
    window_hu: tuple[float, float],
    slices: int,
) -> dict[str, Any]:
    """Write axial slices to scroll through, and one coronal and one sagittal beside them.

    Args:
        volume: CT, HU.
        true: Segmentation's surface by anatomy, image frame.
        predicted: Predicted surface by anatomy, or by whose it is, image frame.
        frame: The part of space to show.
        lines: How each predicted outline is drawn and called.
        window_hu: Shown as black and as white.
        slices: Number of axial slices, from below the lowest anatomy to above the highest.
    """
    surfaces = [*true.values(), *predicted.values()]
    low = min(float(mesh.vertices[:, 2].min()) for mesh in surfaces)
    high = max(float(mesh.vertices[:, 2].max()) for mesh in surfaces)
    margin = 0.06 * (high - low)
    heights = np.linspace(
        max(low - margin, frame.low[2]), min(high + margin, frame.high[2]), slices
    )
    middle = best_position(surfaces, "axial")

    def one(plane: Plane, position: float) -> dict[str, Any]:
        picture = slice_pixels(volume, plane, position, frame, window_hu)
        return {
            "position": round(position, 1),
            "picture": gray_picture(Image.fromarray(picture)),
            "predicted": {n: _path(m, plane, position, frame) for n, m in predicted.items()},
            "true": {n: _path(m, plane, position, frame) for n, m in true.items()},
        }

    sides: tuple[Plane, ...] = ("coronal", "sagittal")
    return {
        "start": int(np.argmin(np.abs(heights - middle))),
        "size": {plane: frame.size(plane) for plane in ("axial", *sides)},
        "top": round(float(frame.high[2]), 2),
        "pixel": frame.pixel_mm,
        "axial": [one("axial", float(z)) for z in heights],
        **{plane: one(plane, best_position(surfaces, plane)) for plane in sides},
        "lines": {name: asdict(look) for name, look in lines.items() if name in predicted},
    }


def _path(mesh: Mesh, plane: Plane, position: float, frame: Frame) -> str:
    """Write outlines as an SVG path."""
    parts = []
    for line in outlines(mesh, plane, position, frame, tolerance_pixels=0.25):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line[:-1])
        parts.append(f"M{points}Z")
    return "".join(parts)
