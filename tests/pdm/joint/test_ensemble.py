"""The joint ensemble term is the ensemble term of the concatenated shapes."""

import numpy as np
import pytest
import torch

from massm.geometry.mesh import Mesh
from massm.pdm.entropy import ensemble_energy
from massm.pdm.joint.blocks import BlockSet
from massm.pdm.joint.ensemble import gram_of_others, optimize_jointly
from massm.pdm.joint.model import fit_joint_model
from massm.pdm.population import Ensemble
from massm.pdm.start import even_particles
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings, sphere

FRACTION = 0.05


@pytest.fixture
def anatomies():
    """Two anatomies of seven subjects, of different size and number of particles."""
    generator = torch.Generator().manual_seed(0)

    def draw(count, size):
        return size * torch.randn(7, count, 3, generator=generator, dtype=torch.float64)

    return draw(12, 1.0), draw(20, 3.0)


def concatenated(first, second):
    """Shapes whose Gram matrix is that of the first plus the second's of equal variance."""

    def variance(points):
        return (points - points.mean(0)).square().sum((1, 2)).mean() / points.shape[1]

    ratio = (variance(first) / variance(second)).sqrt()
    # ensemble_energy divides by all particles; the joint Gram matrix by each anatomy's own
    total = first.shape[1] + second.shape[1]
    weights = [(total / part.shape[1]) ** 0.5 for part in (first, second)]
    return torch.cat([weights[0] * first, weights[1] * ratio.detach() * second], 1)


def others(first, second):
    points = torch.cat([first, second], 1).detach().numpy()
    counts = (first.shape[1], second.shape[1])
    blocks = BlockSet(("a", "b"), counts, tuple("abcdefg"), points)
    return torch.from_numpy(gram_of_others(blocks, "a"))


def test_its_energy_is_that_of_the_concatenated_shapes(anatomies):
    pull = Ensemble(others=others(*anatomies), scale=False).pull(anatomies[0], FRACTION)
    joint = ensemble_energy(concatenated(*anatomies), pull.regularization)
    torch.testing.assert_close(pull.energy, pull.regularization * joint.energy)
    torch.testing.assert_close(pull.gram, joint.gram)


def test_its_gradient_is_that_of_the_joint_energy(anatomies):
    first, second = anatomies
    pull = Ensemble(others=others(first, second), scale=False).pull(first, FRACTION)
    gram = pull.gram.clone()
    free = first.clone().requires_grad_()
    centered = (free - free.mean(0)).flatten(1)
    own = centered @ centered.T / free[..., 0].numel()
    joined = own + gram - own.detach()
    energy = (
        pull.regularization
        * torch.linalg.slogdet(torch.eye(7) + joined / pull.regularization).logabsdet
        / 2
    )
    (exact,) = torch.autograd.grad(energy, free)
    torch.testing.assert_close(exact * free[..., 0].numel(), pull.gradient)
    free = first.clone().requires_grad_()
    whole = ensemble_energy(
        torch.cat(
            [
                concatenated(first, second)[:, :12] / first[:, :12] * free,
                concatenated(first, second)[:, 12:],
            ],
            1,
        ),
        pull.regularization,
    )
    (exact,) = torch.autograd.grad(pull.regularization * whole.energy, free)
    torch.testing.assert_close(exact * free[..., 0].numel(), pull.gradient)


def test_without_others_it_is_the_ensemble(anatomies):
    shapes, none = anatomies[0], torch.zeros(7, 7, dtype=torch.float64)
    joint = Ensemble(others=none, scale=False).pull(shapes, FRACTION)
    alone = Ensemble(scale=False).pull(shapes, FRACTION)
    torch.testing.assert_close(joint.energy, alone.energy)
    torch.testing.assert_close(joint.gradient, alone.gradient)
    torch.testing.assert_close(joint.soften(shapes, 2.0), alone.soften(shapes, 2.0))


def test_others_that_vary_alike_change_no_direction(anatomies):
    shapes = anatomies[0]
    centered = (shapes - shapes.mean(0)).flatten(1)
    same = centered @ centered.T / shapes[..., 0].numel()
    joint = Ensemble(others=same, scale=False).pull(shapes, FRACTION)
    torch.testing.assert_close(
        joint.gradient, Ensemble(scale=False).pull(shapes, FRACTION).gradient
    )


@pytest.fixture(scope="module")
def surfaces():
    """Two ellipsoids of eight subjects with the same stretch; one subject lacks the second."""
    base = sphere(3)
    stretch = np.linspace(0.8, 1.2, 8)
    names = [f"s{row}" for row in range(8)]

    def stretched(radii, axis):
        meshes = []
        for factor in stretch:
            scale = np.array(radii, float)
            scale[axis] *= factor
            meshes.append(Mesh(base.vertices * scale, base.faces))
        return meshes

    return {
        "liver": SurfaceSet(stretched((20, 14, 10), 0), names),
        "spleen": SurfaceSet(stretched((8, 12, 9), 1)[1:], names[1:]),
    }


def test_a_joint_round_makes_the_joint_model_more_compact(surfaces):
    config = engine_settings().entropy
    start = {}
    for anatomy, ready in surfaces.items():
        particles = torch.from_numpy(even_particles(ready.take([3]), 40, 0))
        size = torch.from_numpy(ready.areas / ready.areas[3]).sqrt()[:, None, None]
        noise = torch.randn(
            len(ready), 40, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64
        )
        start[anatomy] = ready.project(size * particles + noise)

    def compactness(outcomes):
        points = np.full((8, 80, 3), np.nan)
        for anatomy, rows, part in (
            ("liver", slice(0, 8), slice(0, 40)),
            ("spleen", slice(1, 8), slice(40, 80)),
        ):
            points[rows, part] = outcomes[anatomy]
        names = tuple(surfaces["liver"].names)
        blocks = BlockSet(("liver", "spleen"), (40, 40), names, points)
        return fit_joint_model(blocks, 5).compactness[0]

    found = optimize_jointly(surfaces, start, config, modes=3, rounds=1)
    before = compactness({name: points.points.numpy() for name, points in start.items()})
    after = compactness({name: one.particles.points.numpy() for name, one in found.items()})
    assert after > before
    for anatomy, ready in surfaces.items():
        distance = ready.project(found[anatomy].particles.points).distance
        assert float(distance.max()) < 1e-6
