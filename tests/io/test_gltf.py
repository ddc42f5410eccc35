"""Scenes of surfaces: glTF 2.0 as its specification wants it."""

import json
import struct

import numpy as np
import pytest

from massm.io.gltf import ColoredMesh, write_glb


def to_gltf_frame(points):
    """LPS millimeters where a viewer has them: meters; x left, y to the head, z to the front."""
    x, y, z = points.T / 1000
    return np.stack([x, z, -y], 1)


@pytest.fixture
def parsed(cube, tmp_path):
    """The document and the bytes of a scene of two cubes."""
    scene = {"one": ColoredMesh(cube, (1.0, 0.5, 0.0)), "two": ColoredMesh(cube, (0.0, 0.0, 1.0))}
    write_glb(scene, tmp_path / "a.glb")
    content = (tmp_path / "a.glb").read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    size, kind = struct.unpack_from("<I4s", content, 12)
    assert (size % 4, kind) == (0, b"JSON")
    binary, kind = struct.unpack_from("<I4s", content, 20 + size)
    assert (binary % 4, kind) == (0, b"BIN\0")
    assert 28 + size + binary == len(content)
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def test_views_follow_each_other_and_fill_the_buffer(parsed):
    document, content = parsed
    ends = 0
    for view in document["bufferViews"]:
        assert view["byteOffset"] == ends
        ends += view["byteLength"]
    assert ends == len(content) == document["buffers"][0]["byteLength"]


def test_positions_have_their_bounds_and_normals_are_units(parsed, cube):
    document, content = parsed
    for mesh in document["meshes"]:
        attributes = mesh["primitives"][0]["attributes"]
        accessor = document["accessors"][attributes["POSITION"]]
        np.testing.assert_allclose(accessor["min"], cube.vertices.min(0))
        np.testing.assert_allclose(accessor["max"], cube.vertices.max(0))
        normal = document["accessors"][attributes["NORMAL"]]
        view = document["bufferViews"][normal["bufferView"]]
        values = np.frombuffer(content, "<f4", 3 * normal["count"], view["byteOffset"])
        np.testing.assert_allclose(np.linalg.norm(values.reshape(-1, 3), axis=1), 1, atol=1e-6)


def test_the_root_carries_lps_millimeters_to_meters_with_y_up(parsed):
    document, _ = parsed
    root = document["nodes"][document["scenes"][0]["nodes"][0]]
    x, y, z, w = root["rotation"]
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    points = np.array([[10.0, 20, 30], [-1, 5, 2000]])
    expected = points @ turn.T * root["scale"]
    np.testing.assert_allclose(to_gltf_frame(points), expected, atol=1e-12)
    assert [document["nodes"][k]["name"] for k in root["children"]] == ["one", "two"]


def test_colors_are_linear_light(parsed):
    document, _ = parsed
    found = document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"]
    np.testing.assert_allclose(found, [1, 0.2140, 0, 1], atol=1e-4)


def test_a_scene_of_nothing_is_a_scene(tmp_path):
    write_glb({}, tmp_path / "a.glb")
    content = (tmp_path / "a.glb").read_bytes()
    document = json.loads(content[20:])
    assert document["scenes"] == [{"nodes": [0]}]
    assert not {"meshes", "buffers", "accessors"} & document.keys()
