"""Tilted gantries: slices that move within their plane."""

import numpy as np
import pytest
from scipy import ndimage

from massm.io.dicom import describe_series, read_series
from massm.io.errors import DataError
from tests.io.dicom.files import slice_of, stack, write


def linear(points):
    """Values linear in LPS millimeters, which linear interpolation reproduces."""
    return np.rint(1000 + points @ np.array([8.0, 16.0, -4.0])).astype(np.int16)


def tilted(angle_degrees, count=6, table=4.0, rows=12, columns=10):
    """Make slices of a tilted gantry: the table moves along z, the planes stand oblique."""
    angle = np.radians(angle_degrees)
    column = np.array([0, np.cos(angle), np.sin(angle)])
    v, u = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    slices = []
    for k in range(count):
        position = np.array([-10.0, 20.0, 100.0 + table * k])
        points = (
            position + u[..., None] * 0.5 * np.array([1.0, 0, 0]) + v[..., None] * 0.75 * column
        )
        slices.append(
            slice_of(
                linear(points),
                position,
                ImageOrientationPatient=[1.0, 0, 0, *column],
                RescaleSlope=1,
            )
        )
    return slices


@pytest.mark.parametrize("angle", [20, -12.5])
def test_a_tilted_series_is_put_on_perpendicular_axes_where_it_lies(tmp_path, angle):
    found = read_series(write(tmp_path, tilted(angle)))
    volume = found.volume
    np.testing.assert_allclose(volume.direction.T @ volume.direction, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(
        volume.spacing, [0.5, 0.75, 4 * np.cos(np.radians(angle))], rtol=1e-4
    )
    index = np.stack(np.meshgrid(*map(np.arange, volume.size), indexing="ij"), -1)
    points = volume.index_to_point(index.astype(float)).transpose(2, 1, 0, 3)
    along_y = np.ones((1, 3, 1), bool)  # at the borders values are mixed with air
    inside = ndimage.binary_erosion(volume.array > -1000, along_y)
    assert inside.sum() > 6 * 10 * 9
    np.testing.assert_allclose(volume.array[inside], linear(points)[inside], atol=1.1)
    assert f"gantry tilted by {abs(angle):.1f} degrees: resampled" in found.notes[0]


def test_what_a_tilted_series_does_not_cover_is_air(tmp_path):
    volume = read_series(write(tmp_path, tilted(20))).volume
    assert (volume.array[0] == -1024).any()
    assert (volume.array[-1] == -1024).any()
    assert volume.array.dtype == np.float32


def test_parts_of_a_tilted_series_share_its_pixels(tmp_path):
    slices = tilted(20)
    whole = read_series(write(tmp_path / "whole", slices)).volume
    part = read_series(write(tmp_path / "part", slices[2:5])).volume
    offset = whole.point_to_index(part.origin)
    np.testing.assert_allclose(offset, np.rint(offset), atol=1e-6)
    x, y, z = np.rint(offset).astype(int)
    width, height, depth = part.size
    inside = whole.array[z : z + depth, y : y + height, x : x + width]
    np.testing.assert_allclose(inside, part.array, atol=1e-3)


def test_a_tilted_series_is_described_without_pixels(tmp_path):
    folder = write(tmp_path, tilted(20))
    grid, notes = describe_series(folder)
    volume = read_series(folder).volume
    assert grid.size == volume.size
    np.testing.assert_array_equal(grid.origin, volume.origin)
    assert "20.0 degrees" in notes[0]


def test_a_tilted_uneven_series_is_resampled_both_ways(tmp_path):
    slices = tilted(10, count=6)
    at = np.array([0, 4, 8, 13, 18, 23.0])
    for each, z in zip(slices, at, strict=True):
        each.ImagePositionPatient = [-10, 20, 100 + z]
    found = read_series(write(tmp_path, slices))
    assert "resampled linearly to" in found.notes[0]
    assert "10.0 degrees" in found.notes[1]
    assert found.volume.size[2] == 7


def test_an_oblique_series_without_tilt_is_not_resampled(tmp_path):
    turn = [1.0, 0, 0, 0, np.cos(0.3), np.sin(0.3)]
    normal = np.cross(turn[:3], turn[3:])
    planes = np.arange(3 * 4 * 4).reshape(3, 4, 4).astype(np.int16)
    slices = [
        slice_of(plane, np.round(3.0 * k * normal, 3), ImageOrientationPatient=turn)
        for k, plane in enumerate(planes)
    ]
    found = read_series(write(tmp_path, slices))
    np.testing.assert_array_equal(found.volume.array, planes)
    assert found.notes == ()


def test_steeper_than_any_gantry_is_refused(tmp_path):
    with pytest.raises(DataError, match="tilted by 60 degrees, expected at most 45"):
        read_series(write(tmp_path, tilted(60)))


def test_parts_of_one_plane_are_refused(tmp_path):
    slices = stack(np.zeros((4, 4, 4), np.int16), [0, 3, 6, 6])
    slices[3].ImagePositionPatient = [30, 20, 106]
    with pytest.raises(DataError, match="002.dcm and 003.dcm lie 40 mm apart in one plane"):
        read_series(write(tmp_path, slices))
