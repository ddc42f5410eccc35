"""Scenes of colored surfaces as binary glTF 2.0 (``.glb``).

glTF wants meters, y up and z to the front: the file's root node turns and shrinks LPS millimeters
so that the patient stands upright and looks at the viewer. Its meshes keep their LPS millimeters.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from massm.geometry.mesh import Mesh
from massm.io.atomic import replacing

# x: left; y: up, LPS' z; z: to the front, against LPS' y. A turn about x by -90 degrees.
_ROTATION = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]
_METERS = 0.001
_FLOAT, _UNSIGNED = 5126, 5125
_VERTICES, _FACES = 34962, 34963  # what a buffer view is for


class ColoredMesh(NamedTuple):
    """A surface with its color.

    Attributes:
        mesh: Closed surface, LPS mm.
        color: Red, green and blue, 0 to 1 (sRGB).
    """

    mesh: Mesh
    color: tuple[float, float, float]


def write_glb(surfaces: Mapping[str, ColoredMesh], path: Path) -> None:
    """Write a scene, a named node with a named material for each surface; whole or not at all."""
    buffer = _Buffer()
    nodes: list[dict[str, Any]] = [
        {
            "name": "LPS millimeters",
            "rotation": _ROTATION,
            "scale": [_METERS] * 3,
            "children": list(range(1, len(surfaces) + 1)),
        }
    ]
    if not surfaces:
        del nodes[0]["children"]  # must not be empty
    meshes, materials = [], []
    for number, (name, surface) in enumerate(surfaces.items()):
        nodes.append({"name": name, "mesh": number})
        meshes.append({"name": name, "primitives": [_primitive(surface.mesh, number, buffer)]})
        materials.append(_material(name, surface.color))
    document = {
        "asset": {"version": "2.0", "generator": "massm"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": materials,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.content)}],
    }
    with replacing(path) as temporary:
        temporary.write_bytes(_container(document if surfaces else _empty(document), buffer))


class _Buffer:
    """Arrays one after the other, and what says where they are."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, array: np.ndarray, component: int, kind: str, target: int) -> int:
        """Append an array of four-byte numbers; return the number of its accessor."""
        view = {"buffer": 0, "byteOffset": len(self.content), "byteLength": array.nbytes}
        self.content += array.tobytes()
        self.views.append({**view, "target": target})
        accessor = {
            "bufferView": len(self.views) - 1,
            "componentType": component,
            "count": len(array),
            "type": kind,
        }
        if target == _VERTICES:
            accessor |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _primitive(mesh: Mesh, material: int, buffer: _Buffer) -> dict[str, Any]:
    vertices, normals = (each.astype("<f4") for each in (mesh.vertices, mesh.vertex_normals))
    corners = mesh.faces.astype("<u4").reshape(-1)
    return {
        "attributes": {
            "POSITION": buffer.add(vertices, _FLOAT, "VEC3", _VERTICES),
            "NORMAL": buffer.add(normals, _FLOAT, "VEC3", _VERTICES),
        },
        "indices": buffer.add(corners, _UNSIGNED, "SCALAR", _FACES),
        "material": material,
    }


def _material(name: str, color: tuple[float, float, float]) -> dict[str, Any]:
    return {
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*(_linear(part) for part in color), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.6,
        },
    }


def _linear(part: float) -> float:
    """Carry a part of an sRGB color to linear light (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _empty(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out lists that must not be empty."""
    left = ("asset", "scene", "scenes", "nodes")
    return {name: document[name] for name in left}


def _container(document: dict[str, Any], buffer: _Buffer) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if buffer.content:
        chunks += struct.pack("<I4s", len(buffer.content), b"BIN\0") + bytes(buffer.content)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
