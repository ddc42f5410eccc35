"""Surface meshes: ``.vtp`` for our own, also ``.ply .stl .vtk .obj`` of others, through vtk."""

from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkCleanPolyData, vtkTriangleFilter
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
from vtkmodules.vtkIOLegacy import vtkPolyDataReader
from vtkmodules.vtkIOPLY import vtkPLYReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader, vtkXMLPolyDataWriter

from massm.geometry.mesh import Mesh
from massm.io.atomic import replacing
from massm.io.errors import DataError

_READERS = {
    ".vtp": vtkXMLPolyDataReader,
    ".ply": vtkPLYReader,
    ".stl": vtkSTLReader,
    ".vtk": vtkPolyDataReader,
    ".obj": vtkOBJReader,
}
SUFFIXES = tuple(_READERS)


def read(path: Path) -> Mesh:
    """Read a surface; polygons are cut into triangles, equal points merged. Points are LPS mm.

    Raises:
        DataError: If the file is missing, damaged, or holds no surface.
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{path}: a mesh ends in one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    reader = _READERS[path.suffix.lower()]()
    reader.SetFileName(str(path))
    triangles, clean = vtkTriangleFilter(), vtkCleanPolyData()
    triangles.SetInputConnection(reader.GetOutputPort())
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    clean.SetInputConnection(triangles.GetOutputPort())
    clean.PointMergingOn()
    clean.ConvertPolysToLinesOff()
    clean.Update()
    mesh = from_vtk(clean.GetOutput())
    if len(mesh.faces) == 0:
        raise DataError(f"{path}: no triangles found; the file is empty or damaged")
    if not np.isfinite(mesh.vertices).all():
        raise DataError(f"{path}: a vertex is not a finite number")
    return mesh


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
