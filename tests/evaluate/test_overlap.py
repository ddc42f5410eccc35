import igl
import numpy as np
import pytest

from massm.evaluate.overlap import mask_dice, voxelize
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from tests.evaluate.synthetic import closed_sphere


def placed(volume, mesh):
    inside, start = voxelize(mesh, volume)
    array = np.zeros(volume.array.shape, bool)
    window = tuple(slice(a, a + n) for a, n in zip(start, inside.shape, strict=True))
    array[window] = inside
    return array


@pytest.fixture
def turned():
    """An oblique, mirrored grid."""
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1.0]]
    )
    return Volume(
        np.zeros((20, 24, 28), bool), np.array([1.5, 1.25, 2.0]), np.array([-3.0, 7, 11]), turn
    )


def test_voxels_inside_are_those_with_winding_number_one(turned):
    center = turned.index_to_point(np.array([14.2, 11.7, 9.4]))
    mesh = closed_sphere(300)
    mesh = Mesh(center + mesh.vertices * [13.0, 10, 15], mesh.faces)
    z, y, x = np.meshgrid(*map(np.arange, turned.array.shape), indexing="ij")
    points = turned.index_to_point(np.stack([x, y, z], -1).reshape(-1, 3).astype(float))
    winding = np.asarray(igl.fast_winding_number(mesh.vertices, mesh.faces, points))
    expected = (winding > 0.5).reshape(turned.array.shape)
    assert expected.sum() > 500
    np.testing.assert_array_equal(placed(turned, mesh), expected)


def test_voxel_count_approaches_the_volume():
    grid = Volume(np.zeros((60, 60, 60), bool), np.full(3, 0.5))
    mesh = closed_sphere(2000)
    mesh = Mesh(mesh.vertices * 11 + 14.6, mesh.faces)
    assert placed(grid, mesh).sum() * 0.125 == pytest.approx(mesh.volume, rel=0.01)


def test_dice_of_two_boxes_is_the_one_by_hand(cube):
    mask = Volume(np.zeros((40, 40, 40), bool), np.full(3, 0.1), np.array([8.05, 18.05, 28.05]))
    mask.array[10:30, 10:30, 10:30] = True  # 20 voxels of 0.1 mm: the cube itself
    assert mask_dice(cube, mask) == pytest.approx(1)
    moved = Mesh(cube.vertices + [0.5, 0, 0], cube.faces)
    assert mask_dice(moved, mask) == pytest.approx(0.75)


def test_what_lies_beyond_the_grid_is_left_out(turned):
    mesh = closed_sphere(200)
    far = Mesh(mesh.vertices + 5000, mesh.faces)
    inside, _ = voxelize(far, turned)
    assert inside.size == 0
    turned.array[:] = True
    assert mask_dice(far, turned) == 0


def test_an_open_surface_and_an_empty_mask_are_refused(cube, turned):
    with pytest.raises(ValueError, match="not closed"):
        voxelize(Mesh(cube.vertices, cube.faces[1:]), turned)
    with pytest.raises(ValueError, match="mask is empty"):
        mask_dice(cube, turned)
