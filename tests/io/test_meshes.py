"""Surface meshes as files."""

import gzip

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.io import meshes, suffixes
from massm.io.errors import DataError
from massm.io.meshes import from_vtk, is_mesh, read, to_vtk, write


def test_a_mesh_comes_back(tmp_path, cube):
    write(cube, tmp_path / "a.vtp")
    found = read(tmp_path / "a.vtp")
    assert found.is_closed
    assert found.volume == pytest.approx(cube.volume)
    np.testing.assert_allclose(
        np.sort(found.vertices, axis=0), np.sort(cube.vertices, axis=0), atol=1e-5
    )


def test_coordinates_far_from_the_origin_keep_their_precision(tmp_path, cube):
    far = cube.transformed(np.block([[np.eye(3), np.full((3, 1), 1234.56789)], [0, 0, 0, 1]]))
    write(far, tmp_path / "a.vtp")
    apart = np.sort(read(tmp_path / "a.vtp").vertices, axis=0) - np.sort(far.vertices, axis=0)
    assert np.abs(apart).max() < 1e-3


def test_a_mesh_goes_through_vtk_unchanged(cube):
    found = from_vtk(to_vtk(cube))
    np.testing.assert_array_equal(found.vertices, cube.vertices)
    np.testing.assert_array_equal(found.faces, cube.faces)


def test_values_at_vertices_are_written(cube):
    data = to_vtk(cube, {"error_mm": np.arange(8.0)})
    assert data.GetPointData().GetArray("error_mm").GetTuple1(7) == 7


def test_quads_of_an_obj_are_cut_into_triangles(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n")
    found = read(tmp_path / "a.obj")
    assert found.faces.shape == (2, 3)
    assert found.area == pytest.approx(1)


def test_corners_that_an_stl_repeats_are_merged(tmp_path, cube):
    lines = ["solid a"]
    for corners in cube.vertices[cube.faces]:
        lines += ["facet normal 0 0 0", "outer loop"]
        lines += [f"vertex {x} {y} {z}" for x, y, z in corners]
        lines += ["endloop", "endfacet"]
    (tmp_path / "a.stl").write_text("\n".join([*lines, "endsolid a"]))
    found = read(tmp_path / "a.stl")
    assert found.vertices.shape == (8, 3)
    assert found.is_closed


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.vtp: no such file"):
        read(tmp_path / "a.vtp")


@pytest.mark.parametrize("suffix", [".vtp", ".ply", ".stl", ".vtk", ".obj"])
def test_an_empty_file_is_refused(tmp_path, suffix):
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(DataError, match="not readable as a surface, .*; export it again"):
        read(tmp_path / f"a{suffix}")


def test_a_truncated_file_is_refused(tmp_path, cube):
    path = tmp_path / "a.vtp"
    write(cube, path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(DataError, match=r"a\.vtp"):
        read(path)


def test_a_vertex_that_is_no_number_is_refused(tmp_path, cube):
    vertices = cube.vertices.copy()
    vertices[0, 0] = np.nan
    write(Mesh(vertices, cube.faces), tmp_path / "a.vtp")
    with pytest.raises(DataError, match="not a finite number"):
        read(tmp_path / "a.vtp")


def test_another_format_is_refused(tmp_path, cube):
    with pytest.raises(DataError, match="a mesh ends in"):
        read(tmp_path / "a.step")
    with pytest.raises(DataError, match="meshes are written as"):
        write(cube, tmp_path / "a.stl")


def test_the_content_tells_what_is_a_mesh_where_it_is_certain(tmp_path, cube):
    write(cube, tmp_path / "cube.vtp")
    content = (tmp_path / "cube.vtp").read_bytes()
    binary = bytes(80) + len(cube.faces).to_bytes(4, "little")
    for corners in cube.vertices[cube.faces].astype("<f4"):
        binary += bytes(12) + corners.tobytes() + bytes(2)
    for name, stored in (
        ("organ", content),
        ("1.2.3", binary),
        ("organ.nii.gz", gzip.compress(content)),
        ("organ.mha", binary),
    ):
        path = tmp_path / name
        path.write_bytes(stored)
        assert is_mesh(path), name
        assert read(path).volume == pytest.approx(cube.volume)
    for name, stored in (
        ("image.stl", b"NRRD0005\n"),
        ("image.vtp", bytes(128) + b"DICM"),
        ("image.ply", b"\x5c\x01\x00\x00" + bytes(344)),
        ("mask.nii.gz", gzip.compress(bytes(400))),
        ("notes.txt", b"v 1 2 3, and other words"),
    ):
        path = tmp_path / name
        path.write_bytes(stored)
        assert not is_mesh(path), name
    assert is_mesh(tmp_path / "not there.STL.gz")
    assert not is_mesh(tmp_path / "not there.nii")
    assert not is_mesh(tmp_path)


def test_every_ending_of_a_mesh_has_a_reader():
    assert tuple(meshes._PARSERS) == suffixes.MESHES
