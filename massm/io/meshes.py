"""Surface meshes: ``.vtp`` for our own, also ``.ply .stl .vtk .obj`` of others.

What a file holds is decided by its content where that is certain, by its ending otherwise.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from massm.geometry.mesh import Mesh
from massm.io import suffixes
from massm.io.atomic import replacing
from massm.io.errors import DataError
from massm.io.mesh_formats import legacy_vtk, obj, ply, stl, vtp
from massm.io.mesh_formats.polygons import Polygons, triangulated

Parser = Callable[[bytes], Polygons]

_PARSERS: dict[str, Parser] = {
    ".vtp": vtp.parse,
    ".ply": ply.parse,
    ".stl": stl.parse,
    ".vtk": legacy_vtk.parse,
    ".obj": obj.parse,
}
SUFFIXES = suffixes.MESHES
_GZIP = b"\x1f\x8b"
_HEAD = 1000  # bytes that tell what a file is
_MOST_BYTES = 2**31  # of a file, also after it is unpacked: forty million triangles as STL
_TURN = np.diag([-1.0, -1.0, 1.0, 1.0])  # between RAS and LPS
# Marks at the beginning of files that are given by mistake.
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"\x5c\x6e\x01\x00": "a NIfTI image",
    b"\x5c\x01\x00\x00": "a NIfTI image",
    b"NRRD0": "an NRRD image",
    b"ObjectType": "a MetaImage",
    b"\x89HDF": "an HDF5 file",
    b"glTF": "a glTF scene",
    b"OFF": "an OFF mesh",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself (git lfs pull)",
    b"<!DOCTYPE html": "a web page",
    b"<html": "a web page",
}


@dataclass(frozen=True)
class FoundSurface:
    """A surface as read.

    Attributes:
        mesh: Its triangles, LPS mm; equal points are one.
        notes: What is odd about the file and was set right.
    """

    mesh: Mesh
    notes: tuple[str, ...] = ()


def is_mesh(path: Path) -> bool:
    """Tell whether a file is a surface: by its content where that is certain, else by its ending.

    A file that is not there, or cannot be opened, is judged by its ending; case does not matter.
    """
    path = Path(path)
    is_named = _suffix(path) in SUFFIXES
    if not path.is_file():
        return is_named
    try:
        with path.open("rb") as file:
            start, size = file.read(_HEAD), path.stat().st_size
        if start.startswith(_GZIP):
            with gzip.open(path) as packed:
                start, size = packed.read(_HEAD), -1  # how large it is unpacked nobody has said
    except (EOFError, OSError, zlib.error):
        return is_named
    return _marked(start, size) is not None or (is_named and _other(start) is None)


def read(path: Path) -> Mesh:
    """Read a surface; polygons are cut into triangles, equal points merged. Points are LPS mm.

    Raises:
        DataError: If the file is missing, damaged, or holds no surface.
    """
    return read_surface(path).mesh


def read_surface(path: Path) -> FoundSurface:
    """Read a surface, and say what is odd about its file.

    A file that says to be RAS, as those of 3D Slicer do, is turned to LPS.

    Raises:
        DataError: If the file is missing, damaged, or holds no surface.
    """
    path = Path(path)
    if _suffix(path) not in SUFFIXES and not is_mesh(path):
        raise DataError(
            f"{path}: no mesh by its content, and a mesh ends in one of {', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.stat().st_size > _MOST_BYTES:
        raise DataError(
            f"{path}: {path.stat().st_size} bytes are too many for the surface of an anatomy"
        )
    try:
        return _parsed(path.read_bytes(), _suffix(path))
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: not readable as a surface, {error}; export it again, as triangles"
        ) from error


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


def _parsed(content: bytes, suffix: str) -> FoundSurface:
    notes = []
    if content.startswith(_GZIP):
        content = _unpacked(content)
    if not content.strip():
        raise ValueError("it holds nothing")
    kind = _kind(content, suffix)
    if kind != suffix:
        notes.append(f"is {kind[1:].upper()} by its content, whatever its name ends in")
    polygons = _PARSERS[kind](content)
    mesh, thin = triangulated(polygons)
    if len(mesh.faces) == 0:
        raise ValueError("no triangles found")
    if thin:
        notes.append(f"{thin} polygons without area dropped")
    if polygons.space == "RAS":
        mesh = mesh.transformed(_TURN)
        notes.append("turned from RAS, as its header says, to LPS")
    return FoundSurface(mesh, tuple(notes))


def _kind(content: bytes, suffix: str) -> str:
    """Tell the format by the content; by the ending where the content has no mark."""
    marked = _marked(content, len(content))
    if marked is not None:
        return marked
    other = _other(content)
    if other is not None:
        raise ValueError(f"it is {other}, expected one of {', '.join(SUFFIXES)}")
    if suffix == ".obj" or (suffix != ".stl" and obj.is_text(content)):
        return ".obj"
    if suffix != ".stl":
        raise ValueError(f"it does not begin as {suffix} does: {content[:12]!r}")
    return suffix


def _marked(start: bytes, size: int) -> str | None:
    """Tell the format by what is certain: marks, and the size of a binary STL.

    Args:
        start: The first bytes.
        size: How many there are in all.
    """
    text = start.lstrip()
    if start[:4] in (b"ply\n", b"ply\r", b"ply "):
        return ".ply"
    if start.startswith(legacy_vtk.MARK):
        return ".vtk"
    if text.startswith((b"<?xml", b"<VTKFile")):
        return ".vtp"
    return ".stl" if stl.is_binary(start, size) or stl.is_text(start) else None


def _other(start: bytes) -> str | None:
    """Name what a file is that was given by mistake, if its beginning says so."""
    if start[128:132] == b"DICM":
        return "a DICOM file"
    return next((name for mark, name in _OTHERS.items() if start.startswith(mark)), None)


def _unpacked(content: bytes) -> bytes:
    try:
        with gzip.open(BytesIO(content)) as file:
            found = file.read(_MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"its gzip is cut or damaged ({error})") from error
    if len(found) > _MOST_BYTES:
        raise ValueError(f"it unpacks to more than {_MOST_BYTES} bytes")
    return found


def write(mesh: Mesh, path: Path, point_data: dict[str, np.ndarray] | None = None) -> None:
    """Write a surface, whole or not at all.

    Args:
        mesh: The surface, LPS mm.
        path: Ends in ``.vtp``.
        point_data: Arrays with one row for each vertex.

    Raises:
        DataError: For another ending.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".vtp":
        raise DataError(f"{path}: meshes are written as .vtp")
    data = to_vtk(mesh, point_data)
    with replacing(path) as temporary:
        writer = vtkXMLPolyDataWriter()
        writer.SetFileName(str(temporary))
        writer.SetInputData(data)
        if not writer.Write():
            raise OSError(None, f"vtk could not write {temporary}")


def to_vtk(mesh: Mesh, point_data: dict[str, np.ndarray] | None = None) -> vtkPolyData:
    """Hand a mesh to vtk (arrays are copied)."""
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(mesh.vertices), deep=True))
    cells = vtkCellArray()
    connectivity = np.hstack([np.full((len(mesh.faces), 1), 3), mesh.faces]).astype(np.int64)
    cells.ImportLegacyFormat(numpy_to_vtkIdTypeArray(connectivity.ravel(), deep=True))
    data = vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    for name, values in (point_data or {}).items():
        array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    return data


def from_vtk(data: vtkPolyData) -> Mesh:
    """Take the triangles of vtk poly data (arrays are copied)."""
    if data.GetNumberOfPoints() == 0 or data.GetNumberOfPolys() == 0:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    vertices = vtk_to_numpy(data.GetPoints().GetData()).astype(np.float64)
    connectivity = vtk_to_numpy(data.GetPolys().GetConnectivityArray())
    return Mesh(vertices, connectivity.reshape(-1, 3).astype(np.int64))
