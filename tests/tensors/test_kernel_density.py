"""Bandwidths of training scores, by hand."""

import pytest
import torch

from massm.tensors.kernel_density import bandwidths

MODES = torch.zeros(1, 3, 2, 3)
MODES[0, 0, 0, 0] = 5.0  # one standard deviation: 5 mm of the first coordinate
MODES[0, 1, 1, 2] = 0.5  # and 0.5 mm of the last; the third mode is not there


def shapes(*scores):
    return torch.einsum("nj,kjmc->nkmc", torch.tensor(scores), MODES[:, :2]) + 7.0


def test_it_is_the_distance_to_the_nearest_neighbor_in_standard_deviations():
    world = shapes([0.0, 0.0], [0.0, 1.0], [4.0, 1.0])
    there = torch.ones(3, 1, dtype=torch.bool)
    # nearest neighbors are 1, 1 and 4 away; two modes
    expected = ((1 + 1 + 16) / 3 / 2) ** 0.5
    assert float(bandwidths(world, there, MODES)) == pytest.approx(expected, rel=1e-5)


def test_absent_shapes_do_not_count():
    world = torch.cat([shapes([0.0, 0.0], [0.0, 1.0]), torch.full((1, 1, 2, 3), torch.nan)])
    there = torch.tensor([[True], [True], [False]])
    assert float(bandwidths(world, there, MODES)) == pytest.approx(0.5**0.5, rel=1e-5)


def test_one_shape_or_no_mode_has_none():
    there = torch.ones(1, 1, dtype=torch.bool)
    assert bandwidths(shapes([0.0, 0.0]), there, MODES).tolist() == [0.0]
    two = torch.ones(2, 1, dtype=torch.bool)
    assert bandwidths(shapes([0.0, 1.0], [2.0, 2.0]), two, MODES * 0).tolist() == [0.0]
