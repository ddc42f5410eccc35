"""Surfaces for programs that do not read ``.vtp``: ``.stl``, ``.ply``, ``.obj``.

Each says in its header that its points are LPS, as 3D Slicer writes and reads it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from massm.geometry.mesh import Mesh
from massm.io.atomic import replacing
from massm.io.errors import DataError

_SPACE = b"SPACE=LPS"
_STL = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_PLY_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


def write_for_others(mesh: Mesh, path: Path) -> None:
    """Write a surface in the format that the ending names, whole or not at all.

    Points of ``.stl`` and ``.ply`` have single precision, those of ``.obj`` six decimals.

    Args:
        mesh: The surface, LPS mm.
        path: Ends in one of ``.stl .ply .obj``.

    Raises:
        DataError: For another ending.
        OSError: If the file cannot be written.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise DataError(f"{path}: a surface is written as {', '.join(_WRITERS)} or .vtp")
    with replacing(path) as temporary:
        temporary.write_bytes(writer(mesh))


def _stl(mesh: Mesh) -> bytes:
    triangles = np.zeros(len(mesh.faces), _STL)
    triangles["normal"] = mesh.face_normals
    triangles["corners"] = mesh.vertices[mesh.faces]
    count = np.array(len(triangles), "<u4")
    return _SPACE.ljust(80) + count.tobytes() + triangles.tobytes()


def _ply(mesh: Mesh) -> bytes:
    faces = np.zeros(len(mesh.faces), _PLY_FACE)
    faces["count"] = 3
    faces["corners"] = mesh.faces
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment {_SPACE.decode()}\n"
        f"element vertex {len(mesh.vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    return header.encode() + mesh.vertices.astype("<f4").tobytes() + faces.tobytes()


def _obj(mesh: Mesh) -> bytes:
    lines = [f"# {_SPACE.decode()}"]
    lines += ["v {:.6f} {:.6f} {:.6f}".format(*point) for point in mesh.vertices.tolist()]
    lines += ["f {} {} {}".format(*corners) for corners in (mesh.faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


_WRITERS: dict[str, Callable[[Mesh], bytes]] = {".stl": _stl, ".ply": _ply, ".obj": _obj}
