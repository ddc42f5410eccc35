"""Every format gives the surface that was written, and says what is odd about its file."""

import gzip

import numpy as np
import pytest
import trimesh
from vtkmodules.vtkCommonCore import vtkStringArray
from vtkmodules.vtkIOLegacy import vtkPolyDataWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from massm.io.errors import DataError
from massm.io.meshes import read, read_surface, to_vtk
from tests.io.mesh_formats.files import ball, every_format

STYLES = ["ascii.ply", "binary.ply", "big.ply", "ascii.stl", "binary.stl", "a.obj"]
STYLES += ["ASCII42.vtk", "ASCII51.vtk", "Binary42.vtk", "Binary51.vtk", "strips.vtk"]
STYLES += ["ascii.vtp", "inline.vtp", "inline-plain.vtp", "appended.vtp", "raw.vtp"]
STYLES += ["raw-lz4.vtp", "lzma.vtp", "strips.vtp"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return every_format(tmp_path_factory.mktemp("formats"), ball())


@pytest.mark.parametrize("style", STYLES)
def test_each_style_gives_the_same_closed_surface(files, style):
    found = read_surface(files[style])

    assert found.notes == ()
    assert found.mesh.is_closed
    assert len(found.mesh.faces) == 320
    assert found.mesh.volume == pytest.approx(ball().volume, rel=1e-5)
    np.testing.assert_allclose(
        np.sort(found.mesh.vertices, axis=0), np.sort(ball().vertices, axis=0), atol=1e-4
    )


def test_all_styles_are_looked_at(files):
    assert sorted(files) == sorted(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_the_content_decides_and_not_the_ending(files, tmp_path, style):
    suffix = ".obj" if style.endswith(".stl") else ".STL"
    path = tmp_path / f"a{suffix}"
    path.write_bytes(files[style].read_bytes())
    if style == "a.obj":
        path = path.rename(tmp_path / "a.PLY")  # plain text has no mark; only where STL cannot be

    found = read_surface(path)

    assert found.mesh.is_closed
    assert f"is {style.rsplit('.', 1)[1].upper()} by its content" in found.notes[0]


@pytest.mark.parametrize("name", ["a.stl.gz", "a.stl"])
def test_a_packed_mesh_is_read_whatever_its_name(files, tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(files["binary.stl"].read_bytes()))
    assert read(tmp_path / name).is_closed


def test_a_packed_mesh_that_is_cut_is_refused(files, tmp_path):
    packed = gzip.compress(files["binary.stl"].read_bytes())
    (tmp_path / "a.stl").write_bytes(packed[:-20])
    with pytest.raises(
        DataError, match=r"a\.stl: not readable as a surface, its gzip is cut or damaged"
    ):
        read(tmp_path / "a.stl")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(100), "a zip archive"),
        (b"NRRD0004\ntype: short\n", "an NRRD image"),
        (bytes(128) + b"DICM" + bytes(40), "a DICOM file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<html><body>Not found</body></html>", "a web page"),
        (b"OFF\n3 1 0\n", "an OFF mesh"),
    ],
)
@pytest.mark.parametrize("suffix", [".stl", ".ply", ".vtk"])
def test_other_files_are_called_by_their_name(tmp_path, content, words, suffix):
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read(tmp_path / f"a{suffix}")


# ---- frames ----


def with_space(files, tmp_path, style, space):
    """Write a file anew whose header names a frame, as 3D Slicer does."""
    content = files[style].read_bytes()
    mark = f"3D Slicer output. SPACE={space}".encode()
    if style == "binary.stl":
        content = mark.ljust(80) + content[80:]
    elif style == "ascii.stl":
        content = b"solid " + mark + content[content.index(b"\n") :]
    elif style.endswith(".ply"):
        content = content.replace(b"element vertex", b"comment " + mark + b"\nelement vertex", 1)
    elif style.endswith(".vtk"):
        content = content.replace(b"vtk output", mark, 1)
    else:
        content = b"# " + mark + b"\n" + content
    path = tmp_path / f"space-{style}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "style",
    ["binary.stl", "ascii.stl", "ascii.ply", "big.ply", "ASCII51.vtk", "Binary42.vtk", "a.obj"],
)
def test_a_file_that_says_to_be_ras_is_turned_to_lps(files, tmp_path, style):
    turned = read_surface(with_space(files, tmp_path, style, "RAS"))
    same = read_surface(with_space(files, tmp_path, style, "LPS"))

    assert turned.notes == ("turned from RAS, as its header says, to LPS",)
    assert same.notes == ()
    assert turned.mesh.volume == pytest.approx(ball().volume, rel=1e-5)  # still faces outward
    np.testing.assert_allclose(turned.mesh.vertices, same.mesh.vertices * [-1, -1, 1])
    np.testing.assert_allclose(same.mesh.vertices.mean(0), [5, -7, 30], atol=0.01)


@pytest.mark.parametrize("writer", [vtkPolyDataWriter, vtkXMLPolyDataWriter])
@pytest.mark.parametrize("mode", ["text", "binary"])
def test_a_field_of_a_vtk_file_names_the_frame_too(tmp_path, writer, mode):
    data, space = to_vtk(ball()), vtkStringArray()
    space.SetName("SPACE")
    space.InsertNextValue("RAS")
    data.GetFieldData().AddArray(space)
    path = tmp_path / ("a.vtk" if writer is vtkPolyDataWriter else "a.vtp")
    output = writer()
    if writer is vtkPolyDataWriter:
        output.SetFileType(1 if mode == "text" else 2)
    elif mode == "text":
        output.SetDataModeToAscii()
    output.SetFileName(str(path))
    output.SetInputData(data)
    output.Write()

    assert read_surface(path).mesh.vertices.mean(0) == pytest.approx([-5, 7, 30], abs=0.01)


def test_a_header_that_names_both_frames_is_refused(files, tmp_path):
    path = with_space(files, tmp_path, "a.obj", "RAS SPACE=LPS")
    with pytest.raises(DataError, match="both"):
        read(path)


# ---- what people write by hand and other programs write ----


def test_faces_of_an_obj_count_back_from_the_last_position(tmp_path):
    shape = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
    faces = ["1 3 2", "1 2 4", "1 4 3", "2 3 4"]
    back = [" ".join(f"{int(word) - 5}/7/7" for word in face.split()) for face in faces]
    (tmp_path / "a.obj").write_text(shape + "".join(f"f {face}\n" for face in faces))
    (tmp_path / "b.obj").write_text(shape + "".join(f"f {face}\n" for face in back))
    assert read(tmp_path / "a.obj").volume == pytest.approx(1 / 6)
    np.testing.assert_array_equal(read(tmp_path / "a.obj").faces, read(tmp_path / "b.obj").faces)


def test_a_ply_may_mix_triangles_and_quads_beside_other_values(tmp_path):
    header = (
        "ply\r\nformat {}\r\ncomment made by hand\r\nelement vertex 5\r\nproperty uchar red\r\n"
        "property double z\r\nproperty double y\r\nproperty double x\r\nelement face 5\r\n"
        "property list uchar int vertex_indices\r\nproperty float quality\r\nend_header\r\n"
    )
    points = [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0.5, 0.5)]  # z, y, x
    faces = [(0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    text = "".join("9 " + " ".join(map(str, point)) + "\r\n" for point in points)
    text += "".join(f"{len(f)} " + " ".join(map(str, f)) + " 0.5\r\n" for f in faces)
    (tmp_path / "a.ply").write_text(header.format("ascii 1.0") + text)
    data = b"".join(b"\t" + np.array(point, ">f8").tobytes() for point in points)
    for face in faces:
        data += bytes([len(face)]) + np.array(face, ">i4").tobytes() + np.float32(0).tobytes()
    (tmp_path / "b.ply").write_bytes(header.format("binary_big_endian 1.0").encode() + data)

    for name in ("a.ply", "b.ply"):
        mesh = read(tmp_path / name)
        assert mesh.is_closed
        assert mesh.volume == pytest.approx(1 / 3)


def test_polygons_without_area_are_dropped_and_said(tmp_path):
    text = (
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\nf 1 2\nf 3 3 4\n"
    )
    (tmp_path / "a.obj").write_text(text)
    found = read_surface(tmp_path / "a.obj")
    assert found.mesh.is_closed
    assert found.notes == ("2 polygons without area dropped",)


def test_several_solids_of_a_text_stl_are_one_surface(tmp_path):
    shape = trimesh.Trimesh(ball().vertices, ball().faces)
    halves = [
        shape.submesh([range(160)], append=True),
        shape.submesh([range(160, 320)], append=True),
    ]
    text = "".join(half.export(file_type="stl_ascii") for half in halves)
    (tmp_path / "a.stl").write_text(text.replace("solid", "SOLID").replace("vertex", "  Vertex"))
    assert read(tmp_path / "a.stl").is_closed
