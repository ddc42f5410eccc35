"""Small surfaces in every format, written by libraries that massm does not read them with."""

import trimesh
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersCore import vtkStripper
from vtkmodules.vtkIOLegacy import vtkPolyDataWriter
from vtkmodules.vtkIOPLY import vtkPLYWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from massm.geometry.mesh import Mesh
from massm.io.meshes import to_vtk


def ball():
    """A sphere of 20 mm around (5, -7, 30) of 320 triangles."""
    shape = trimesh.creation.icosphere(subdivisions=2, radius=20.0)
    return Mesh(shape.vertices + [5.0, -7.0, 30.0], shape.faces.astype("int64"))


def every_format(folder, mesh):
    """Write a mesh in all formats and styles; return the files by style."""
    shape = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    data = to_vtk(mesh)
    for encoding in ("ascii", "binary"):
        (folder / f"{encoding}.ply").write_bytes(shape.export(file_type="ply", encoding=encoding))
    _write(vtkPLYWriter(), data, folder / "big.ply", lambda w: w.SetDataByteOrderToBigEndian())
    (folder / "binary.stl").write_bytes(shape.export(file_type="stl"))
    (folder / "ascii.stl").write_text(shape.export(file_type="stl_ascii"))
    (folder / "a.obj").write_text(shape.export(file_type="obj"))
    for kind in ("ASCII", "Binary"):
        for version in (42, 51):
            _write(
                vtkPolyDataWriter(), data, folder / f"{kind}{version}.vtk", _legacy(kind, version)
            )
    _write(vtkPolyDataWriter(), strips(data), folder / "strips.vtk", _legacy("Binary", 51))
    for name, source, options in (
        ("ascii", data, ("Ascii", "ZLib", True)),
        ("inline", data, ("Binary", "ZLib", True)),
        ("inline-plain", data, ("Binary", "None", True)),
        ("appended", data, ("Appended", "ZLib", True)),
        ("raw", data, ("Appended", "None", False)),
        ("raw-lz4", data, ("Appended", "LZ4", False)),
        ("lzma", data, ("Appended", "LZMA", True)),
        ("strips", strips(data), ("Appended", "ZLib", False)),
    ):
        _write(vtkXMLPolyDataWriter(), source, folder / f"{name}.vtp", _xml(*options))
    return {path.name: path for path in sorted(folder.iterdir())}


def strips(data) -> vtkPolyData:
    stripper = vtkStripper()
    stripper.SetInputData(data)
    stripper.Update()
    return stripper.GetOutput()


def _legacy(kind, version):
    def prepare(writer):
        writer.SetFileVersion(version)
        getattr(writer, f"SetFileTypeTo{kind}")()

    return prepare


def _xml(mode, compressor, encode):
    def prepare(writer):
        getattr(writer, f"SetDataModeTo{mode}")()
        getattr(writer, f"SetCompressorTypeTo{compressor}")()
        writer.SetEncodeAppendedData(encode)
        writer.SetHeaderTypeToUInt64()
        writer.SetBlockSize(1024)  # several blocks of each array

    return prepare


def _write(writer, data, path, prepare):
    prepare(writer)
    writer.SetInputData(data)
    writer.SetFileName(str(path))
    assert writer.Write()
