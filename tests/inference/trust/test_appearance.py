"""HU beside a surface and over a whole scan, where they are known."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.inference.trust.appearance import hu_beside, scale_of
from tests.inference.scan_shapes import ellipsoid, turned
from tests.inference.trust.scenes import scene


def ball(inside=70.0, outside=20.0, direction=None):
    """A ball of 15 mm in the middle of a scan of 1 mm voxels."""
    grid = Volume(np.zeros((60, 60, 60)), np.ones(3), np.array([5.0, -9, 70]))
    if direction is not None:
        grid = Volume(grid.array, grid.spacing, grid.origin, direction)
    middle = grid.index_to_point(np.full(3, 29.5))
    away = np.linalg.norm(np.indices((60, 60, 60)) - 29.5, axis=0)
    scan = grid.with_array(np.where(away < 15, inside, outside).astype(np.int16))
    return scan, ellipsoid(middle, np.full(3, 15.0))


@pytest.mark.parametrize("direction", [None, turned()])
def test_both_sides_of_a_surface_are_measured_along_its_normals(direction):
    found = hu_beside(ball(direction=direction)[1], ball(direction=direction)[0])
    assert found.mean == pytest.approx(70, abs=0.5)
    assert found.spread < 3
    assert found.contrast == pytest.approx(50, abs=1)


def test_what_lies_outside_of_the_scan_is_left_out():
    scan, mesh = ball()
    half = Volume(scan.array[:30], scan.spacing, scan.origin)
    assert hu_beside(mesh, half).contrast == pytest.approx(50, abs=1)
    away = Volume(scan.array, scan.spacing, scan.origin + 500)
    assert np.isnan(hu_beside(mesh, away)).all()


def test_shares_and_the_peak_are_those_of_the_bodys_voxels():
    array = np.full((10, 10, 20), -1000.0)
    array[:, :, 10:] = -100  # 1000 voxels of body
    array[:, :, 12:] = 42
    array[:, :, 19:] = 700
    found = scale_of(Volume(array.astype(np.int16), np.ones(3)))
    assert found.air == -1000
    assert found.peak == 45
    assert found.fat == pytest.approx(0.2)
    assert found.soft == pytest.approx(0.7)
    assert found.bone == pytest.approx(0.1)
    assert found.grain == 0


def test_padding_is_air_and_air_has_nothing_else():
    found = scale_of(Volume(np.full((5, 5, 5), -3024, np.int16), np.ones(3)))
    assert found.air == -1024
    assert np.isnan(found[1:]).all()


def test_grain_is_the_noise_along_the_smoothest_axis_however_it_is_stored():
    draw = np.random.default_rng(0)
    array = 40 + draw.normal(0, 10, (40, 40, 40))
    # The median of a half-normal with standard deviation sqrt(2) 10.
    assert scale_of(Volume(array, np.ones(3))).grain == pytest.approx(0.6745 * 14.14, rel=0.03)
    smooth = np.repeat(array[:10], 4, axis=0)
    for axes in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        assert scale_of(Volume(smooth.transpose(axes), np.ones(3))).grain == 0


def test_a_large_scan_is_described_by_a_part_of_it():
    scan, _ = scene(0)
    large = Volume(np.tile(scan.array, (3, 3, 3)), scan.spacing)
    one, other = scale_of(scan), scale_of(large)
    np.testing.assert_allclose(one, other, rtol=0.05, atol=0.02)


def test_a_shifted_scale_shows_in_air_and_peak():
    scan, _ = scene(1)
    usual = scale_of(scan)
    shifted = scale_of(scan.with_array(scan.array + 300))
    assert shifted.air - usual.air == pytest.approx(300, abs=1)
    assert shifted.peak - usual.peak == pytest.approx(300)
