"""Damaged files end in an error that names them, or in a mesh: never in a crash or a trace."""

import tracemalloc

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.meshes import read, read_surface
from tests.io.mesh_formats.files import ball, every_format
from tests.io.mesh_formats.test_formats import STYLES

ROUNDS = 48


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return every_format(tmp_path_factory.mktemp("formats"), ball())


def damaged(content, rng, way):
    """Cut a file, turn bits in it or its header, overwrite a stretch, or change a digit."""
    if way == 0:
        return content[: rng.integers(len(content))]
    changed = bytearray(content)
    if way == 1:
        changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    elif way == 2:
        for place in rng.integers(len(changed), size=8):
            changed[place] ^= 1 << rng.integers(8)
    elif way == 3:
        changed[rng.integers(min(400, len(changed)))] ^= 1 << rng.integers(8)
    elif way == 4:
        place = rng.integers(len(changed))
        changed[place : place + 20] = rng.bytes(20)
    else:
        digits = [place for place in range(min(1500, len(changed))) if 48 <= changed[place] <= 57]
        place = digits[rng.integers(len(digits))] if digits else 0
        changed[place : place + 1] = (b"9999999999", b"-", b"", b"0")[rng.integers(4)]
    return bytes(changed)


@pytest.mark.parametrize("style", STYLES)
def test_damage_ends_in_an_error_that_names_the_file_or_in_a_mesh(files, tmp_path, style):
    rng = np.random.default_rng(STYLES.index(style))
    content = files[style].read_bytes()
    path = tmp_path / style
    refused = []
    for turn in range(ROUNDS):
        path.write_bytes(damaged(content, rng, turn % 6))
        try:
            found = read_surface(path)
        except DataError as error:
            refused.append(str(error))
        else:
            mesh = found.mesh
            assert np.isfinite(mesh.vertices).all()
            assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
    assert len(refused) >= ROUNDS // 6
    assert all(reason.startswith(f"{path}: ") for reason in refused)


@pytest.mark.parametrize("style", [style for style in STYLES if not style.endswith(".obj")])
def test_a_cut_file_is_refused(files, tmp_path, style):
    content = files[style].read_bytes().rstrip()
    for share in (0.05, 0.3, 0.6, 0.95):
        path = tmp_path / style
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(DataError, match=str(path)):
            read(path)


PLY = "ply\nformat {}\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
PLY += "element face {}\nproperty list {} int vertex_indices\nend_header\n"
VTK = "# vtk DataFile Version {}\na\n{}\nDATASET POLYDATA\nPOINTS {} float\n"
VTP = '<VTKFile type="PolyData" header_type="UInt64" byte_order="LittleEndian"{}><PolyData><Piece '
VTP += 'NumberOfPoints="{}" NumberOfPolys="{}"><Points><DataArray type="Float32" '
VTP += 'NumberOfComponents="3" format="appended" offset="0"/></Points></Piece></PolyData>'
VTP += '<AppendedData encoding="raw">_'
HUGE = 2_000_000_000


def packed(*numbers):
    return np.array(numbers, "<u8").tobytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", PLY.format("ascii 1.0", HUGE, 1, "uchar").encode() + b"0 0 0\n"),
        ("b.ply", PLY.format("binary_little_endian 1.0", 1, HUGE, "uchar").encode() + bytes(50)),
        ("c.ply", PLY.format("binary_big_endian 1.0", 1, 1, "uint").encode() + b"\x7f" * 99),
        ("d.ply", PLY.format("ascii 1.0", 1, 1, "uint").encode() + b"0 0 0 4e9 0 0 0\n"),
        ("e.ply", PLY.format("ascii 1.0", "9" * 5000, 1, "uchar").encode() + b"0 0 0\n"),
        ("a.stl", bytes(80) + b"\xff\xff\xff\x7f" + bytes(500)),
        ("a.vtk", VTK.format("4.2", "BINARY", HUGE).encode() + bytes(100)),
        ("b.vtk", VTK.format("4.2", "ASCII", HUGE).encode() + b"1 2 3\n"),
        (
            "c.vtk",
            VTK.format("5.1", "ASCII", 1).encode() + b"0 0 0\nPOLYGONS 9000000000 9\nOFFSETS ",
        ),
        (
            "d.vtk",
            VTK.format("4.2", "ASCII", 1).encode() + b"0 0 0\nFIELD a 1\nb 1 9000000000 string\n",
        ),
        ("a.obj", b"v 0 0 0\nf 1 2 99999999999999999999\n"),
        (
            "a.vtp",
            VTP.format("", HUGE, 1).encode() + packed(HUGE * 12) + b"</AppendedData></VTKFile>",
        ),
        (
            "b.vtp",
            VTP.format(' compressor="vtkZLibDataCompressor"', HUGE, 1).encode()
            + packed(HUGE, HUGE, HUGE)
            + b"</AppendedData></VTKFile>",
        ),
        (
            "c.vtp",
            VTP.format(' compressor="vtkLZ4DataCompressor"', 10, 1).encode()
            + packed(1, 1 << 40, 0, 8, 0)
            + b"</AppendedData></VTKFile>",
        ),
    ],
)
def test_sizes_that_a_header_only_claims_take_no_memory(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError, match=name):
        read(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "the corner 3, but there are 3 points"),
        ("b.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -4\n", "the corner -1"),
        ("c.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "the corner 0"),
        ("d.obj", "v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n", "not a finite number"),
        ("e.obj", "v 0 0 0\nv 1 0 x\nv 0 1 0\nf 1 2 3\n", "'x' stands where a number belongs"),
        ("f.obj", "v 0 0 0\nq 1 0 0\nf 1 2 3\n", "'q', which is no word of OBJ"),
        ("g.obj", "v 0 0 0\nv 1 0 0\nv 0 3e38 0\nf 1 2 3\n", "farther than a body"),
        (
            "a.ply",
            PLY.format("ascii 1.0", 3, 1, "uchar") + "0 0 0 1 0 0 0 1 0\n3 0 1 2\n3 0 1 2\n",
            "4 words follow",
        ),
        ("b.ply", PLY.format("ascii 1.0", 3, 1, "uchar") + "0 0 0 1 0 0\n", "ends early"),
        (
            "a.vtk",
            "# vtk DataFile Version 4.2\na\nASCII\nDATASET UNSTRUCTURED_GRID\n",
            "UNSTRUCTURED_GRID'; a surface is POLYDATA",
        ),
        (
            "b.vtk",
            VTK.format("4.2", "ASCII", 3) + "0 0 0 1 0 0 0 1 0\nPOLYGONS 1 4\n4 0 1 2\n",
            "do not fit",
        ),
        (
            "c.vtk",
            VTK.format("5.1", "ASCII", 3) + "0 0 0 1 0 0 0 1 0\nPOLYGONS 2 3\n"
            "OFFSETS vtktypeint64\n0 9\nCONNECTIVITY vtktypeint64\n0 1 2\n",
            "do not lead from 0 to 3",
        ),
        ("a.vtp", '<VTKFile type="UnstructuredGrid"></VTKFile>', "UnstructuredGrid; a surface is"),
        ("b.vtp", '<VTKFile type="PolyData"><PolyData></VTKFile>', "XML is broken"),
    ],
)
def test_the_error_says_what_is_wrong(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert words in str(caught.value)
