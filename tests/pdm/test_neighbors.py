import pytest
import torch

from massm.pdm.neighbors import find_neighbors, gather


@pytest.fixture
def shapes():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 12, 3, generator=generator, dtype=torch.float64)


def test_neighbors_are_the_nearest_and_never_oneself(shapes):
    neighbors = find_neighbors(shapes, 3)
    distance = torch.cdist(shapes, shapes) + 1e9 * torch.eye(12)
    assert torch.equal(neighbors[..., 0], distance.argmin(-1))
    assert not (neighbors == torch.arange(12)[:, None]).any()


def test_gathered_values_are_those_of_each_shapes_own_neighbors(shapes):
    neighbors = find_neighbors(shapes, 3)
    gathered = gather(shapes, neighbors)
    assert gathered.shape == (4, 12, 3, 3)
    assert torch.equal(gathered[2, 5, 1], shapes[2, neighbors[2, 5, 1]])
