"""The network grid keeps patient coordinates."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.tensors.resample import body_box, crop, to_grid


def linear_volume(direction, spacing=(0.8, 1.1, 2.5)):
    """A volume whose value is a linear function of the place in mm."""
    empty = Volume(
        np.zeros((14, 26, 34), np.float32),
        np.array(spacing),
        np.array([-100.5, 33.0, -712.25]),
        direction,
    )
    z, y, x = np.meshgrid(*[np.arange(float(n)) for n in empty.array.shape], indexing="ij")
    points = empty.index_to_point(np.stack([x, y, z], axis=-1))
    return empty.with_array((points @ [3.0, -2.0, 1.0] + 900).astype(np.float32))


@pytest.mark.parametrize(
    "direction",
    [
        np.eye(3),
        np.diag([-1.0, -1.0, 1.0]),
        np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]),
    ],
    ids=["LPS", "RAS", "axes exchanged", "oblique"],
)
@pytest.mark.parametrize("spacing_mm", [1.0, 3.0])
def test_values_stay_at_their_place_in_the_scanner(direction, spacing_mm):
    grid = to_grid(linear_volume(direction), spacing_mm, padding_hu=-1024.0)
    z, y, x = np.meshgrid(*[np.arange(float(n)) for n in grid.values.shape], indexing="ij")
    points = grid.origin + spacing_mm * np.stack([x, y, z], axis=-1)
    expected = points @ [3.0, -2.0, 1.0] + 900
    inner = linear_volume(direction).point_to_index(points)
    size = np.array([34, 26, 14])
    # Away from the rim, where smoothing repeats the border, a linear image stays linear.
    safe = ((inner > 3) & (inner < size - 4)).all(axis=-1)
    assert safe.sum() > 10
    assert np.abs(grid.values - expected)[safe].max() <= 1.0


def test_the_grid_covers_the_scan():
    volume = linear_volume(np.diag([-1.0, -1.0, 1.0]))
    grid = to_grid(volume, 3.0, padding_hu=-1024.0)
    corners = volume.corners()
    far = grid.origin + 3.0 * (np.array(grid.values.shape[::-1]) - 1)
    assert np.allclose(grid.origin, corners.min(axis=0))
    assert (corners.max(axis=0) - far < 3.0).all()


def test_a_fine_checkerboard_becomes_its_mean():
    z, y, x = np.meshgrid(*[np.arange(n) for n in (40, 40, 40)], indexing="ij")
    board = Volume(np.where((x + y + z) % 2, 100.0, -100.0).astype(np.float32), np.ones(3))
    grid = to_grid(board, 4.0, padding_hu=0.0)
    assert np.abs(grid.values[2:-2, 2:-2, 2:-2]).max() < 5


def test_a_crop_keeps_patient_coordinates():
    array = np.full((20, 20, 20), -1000.0, np.float32)
    array[5:9, 6:12, 7:15] = 40
    image = to_grid(Volume(array, np.ones(3) * 2, np.array([5.0, 6, 7])), 2.0, padding_hu=-1024.0)
    low, high = body_box(image, above_hu=-500.0, margin_mm=2.0)
    cropped = crop(image, low, high)
    assert cropped.values.shape == (6, 8, 10)
    assert np.allclose(cropped.origin, [5 + 2 * 6, 6 + 2 * 5, 7 + 2 * 4])
    assert cropped.values[1, 1, 1] == 40
    assert cropped.values[0, 0, 0] == -1000


def test_an_empty_image_is_not_cropped():
    image = to_grid(Volume(np.full((5, 6, 7), -1000.0), np.ones(3)), 1.0, padding_hu=-1024.0)
    low, high = body_box(image, above_hu=-500.0, margin_mm=2.0)
    assert crop(image, low, high).values.shape == image.values.shape


@pytest.mark.parametrize("direction", [np.eye(3), np.diag([-1.0, -1.0, 1.0])])
def test_the_rim_of_the_scan_is_no_padding(rng, direction):
    for _ in range(30):
        spacing = rng.uniform(0.5, 5, 3).round(3)
        scan = Volume(np.zeros((8, 9, 10), np.int16), spacing, rng.uniform(-500, 500, 3), direction)
        assert (to_grid(scan, float(spacing.min()), padding_hu=-1024.0).values == 0).all()


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_slab_by_slab_is_the_same_as_at_once(rng, monkeypatch, turn):
    angle = np.deg2rad(turn)
    direction = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    values = rng.integers(-1000, 1000, (40, 30, 20)).astype(np.int16)
    scan = Volume(values, np.array([0.9, 1.1, 1.5]), np.array([5.0, 6, 7]), direction)
    whole = to_grid(scan, 3.0, padding_hu=-1024.0)
    monkeypatch.setattr("massm.tensors.resample._SLAB_VOXELS", 2000)
    np.testing.assert_array_equal(to_grid(scan, 3.0, padding_hu=-1024.0).values, whole.values)
