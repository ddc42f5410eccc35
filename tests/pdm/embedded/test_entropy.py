import math

import pytest
import torch

from massm.pdm.embedded.entropy import (
    LATTICE,
    ensemble_energy,
    sampling_energy,
)
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.neighbors import find_neighbors, gather


@pytest.fixture
def shapes():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 12, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def spacing():
    return torch.tensor([1.0, 0.7, 1.4, 0.9], dtype=torch.float64)


def differentiated(shapes, neighbors, spacing, density=None):
    """The energy written down plainly, and its gradient by autograd."""
    points = shapes.clone().requires_grad_()
    density = torch.ones(shapes.shape[1]).to(shapes) if density is None else density
    pairs = (density[:, None] + density[neighbors]) / 2
    distance = (gather(points, neighbors) - points[:, :, None]).norm(dim=-1)
    scaled = distance * pairs / spacing[:, None, None]
    lattice = 6 * math.exp(-(LATTICE**2) / 2 / TUNING.sampling_bandwidth**2)
    wide = torch.exp(-((scaled / TUNING.sampling_bandwidth) ** 2) / 2)
    narrow = torch.exp(-((scaled / TUNING.core_bandwidth) ** 2) / 2)
    energy = ((wide + TUNING.core_share * narrow) / lattice).sum(2).mean(1)
    (gradient,) = torch.autograd.grad(energy.sum(), points)
    return energy.detach(), gradient


def test_sampling_gradient_is_exact(shapes, spacing):
    neighbors = find_neighbors(shapes, 6)
    energy, gradient = sampling_energy(shapes, neighbors, spacing)
    plain, expected = differentiated(shapes, neighbors, spacing)
    torch.testing.assert_close(energy, plain)
    torch.testing.assert_close(gradient, 12 * expected)
    step = torch.zeros_like(shapes)
    step[2, 5, 1] = 1e-5
    ends = [sampling_energy(shapes + end, neighbors, spacing)[0].sum() for end in (step, -step)]
    assert float(ends[0] - ends[1]) / 2e-5 == pytest.approx(float(gradient[2, 5, 1]) / 12, rel=1e-5)


def test_sampling_gradient_is_exact_where_density_varies(shapes, spacing):
    neighbors = find_neighbors(shapes, 6)
    density = torch.linspace(0.6, 1.8, 12, dtype=torch.float64)
    energy, gradient = sampling_energy(shapes, neighbors, spacing, density)
    plain, expected = differentiated(shapes, neighbors, spacing, density)
    torch.testing.assert_close(energy, plain)
    torch.testing.assert_close(gradient, 12 * expected)
    even, _ = sampling_energy(shapes, neighbors, spacing)
    same, _ = sampling_energy(shapes / 2, neighbors, spacing, torch.full_like(density, 2.0))
    torch.testing.assert_close(same, even)


def test_the_narrow_kernel_acts_on_close_pairs_alone():
    def force(distance):
        pair = torch.tensor([[[0.0, 0, 0], [distance, 0, 0]]], dtype=torch.float64)
        one = torch.ones(1, dtype=torch.float64)
        return sampling_energy(pair, find_neighbors(pair, 1), one)[1][0, 1, 0]

    def wide(distance):
        lattice = 6 * math.exp(-(LATTICE**2) / 2 / TUNING.sampling_bandwidth**2)
        return (
            -2
            * distance
            / TUNING.sampling_bandwidth**2
            * math.exp(-(distance**2) / 2 / TUNING.sampling_bandwidth**2)
            / lattice
        )

    assert force(LATTICE) / wide(LATTICE) == pytest.approx(1, abs=0.01)
    assert force(0.6) / wide(0.6) > 2


def test_ensemble_gradient_is_exact(shapes):
    points = shapes.clone().requires_grad_()
    energy, gradient, _ = ensemble_energy(points, 0.2)
    (expected,) = torch.autograd.grad(energy, points)
    torch.testing.assert_close(gradient, 4 * 12 * expected)
    assert torch.autograd.gradcheck(lambda x: ensemble_energy(x, 0.2)[0], points)


def test_a_hexagonal_lattice_has_a_sampling_energy_of_one():
    rows, columns = torch.meshgrid(torch.arange(31.0), torch.arange(31.0), indexing="ij")
    x = LATTICE * (columns + rows / 2)
    y = LATTICE * rows * math.sqrt(3) / 2
    points = torch.stack([x, y, 0 * x], -1).reshape(1, -1, 3).double()
    neighbors = find_neighbors(points, 18)
    one = torch.ones(1, dtype=torch.float64)
    energy, _ = sampling_energy(points, neighbors, one)
    assert 0.9 < float(energy) < 1.02


def test_sampling_energy_does_not_depend_on_the_unit(shapes, spacing):
    neighbors = find_neighbors(shapes, 6)
    in_mm, force_mm = sampling_energy(shapes, neighbors, spacing)
    in_cm, force_cm = sampling_energy(shapes / 10, neighbors, spacing / 10)
    torch.testing.assert_close(in_mm, in_cm)
    torch.testing.assert_close(force_mm, force_cm / 10)


def test_ensemble_energy_with_large_regularization_is_half_the_relative_variance(shapes):
    variance = (shapes - shapes.mean(0)).square().sum(-1).mean()
    energy = ensemble_energy(shapes, 1e4).energy
    torch.testing.assert_close(energy, variance / 2e4, rtol=1e-3, atol=0)


def test_equal_shapes_have_no_ensemble_energy(shapes):
    energy, gradient, _ = ensemble_energy(shapes[:1].repeat(3, 1, 1), 0.1)
    assert abs(float(energy)) < 1e-9
    assert float(gradient.abs().max()) < 1e-9
