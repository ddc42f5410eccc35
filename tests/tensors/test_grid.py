"""Grids speak millimeters; warps go there and back."""

import torch

from massm.tensors.grid import Grid
from massm.tensors.warp import GridWarp


def coordinate_grid():
    """A grid whose three channels hold the position of each voxel."""
    origin = torch.tensor([[-100.0, 20.0, 700.0], [3.0, 4.0, 5.0]])
    grid = Grid(torch.zeros(2, 1, 6, 7, 8), origin, 3.0)
    return grid.with_values(grid.points().movedim(-1, 1))


def test_sampling_a_coordinate_image_returns_the_points():
    grid = coordinate_grid()
    unit = torch.rand(2, 50, 3, generator=torch.Generator().manual_seed(0))
    points = grid.to_point(unit * (grid.size - 1))
    torch.testing.assert_close(grid.sample(points).mT, points, atol=1e-3, rtol=0)


def test_image_grid_and_back_stays_within_a_thousandth_of_a_millimeter():
    grid = coordinate_grid()
    points = grid.origin[:, None] + 20 * torch.rand(2, 100, 3)
    assert (grid.to_point(grid.to_index(points)) - points).abs().max() < 1e-3


def test_outside_the_border_value_counts():
    grid = coordinate_grid()
    far = grid.origin[:, None] - 50
    torch.testing.assert_close(grid.sample(far)[..., 0], grid.origin, atol=1e-3, rtol=0)


def test_cell_j_of_a_strided_map_lies_at_voxel_stride_times_j():
    grid = coordinate_grid()
    coarse = grid.with_values(torch.zeros(2, 1, 3, 4, 4), stride=2)
    torch.testing.assert_close(coarse.points(), grid.points()[:, ::2, ::2, ::2])


def test_a_warp_is_inverted():
    generator = torch.Generator().manual_seed(1)
    lattice = Grid(2.0 * torch.randn(1, 3, 5, 5, 5, generator=generator), torch.zeros(1, 3), 20.0)
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, 0.1, 0], [-0.1, 0, 0.2], [0, -0.2, 0]]))
    warp = GridWarp(1.1 * turn[None], torch.tensor([[4.0, -3, 2]]), lattice)
    points = 80 * torch.rand(1, 200, 3, generator=generator)
    torch.testing.assert_close(warp.source(warp.target(points)), points, atol=1e-3, rtol=0)
