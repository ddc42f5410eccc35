"""Populations: a frozen model acts on a new shape as the ensemble would."""

import numpy as np
import pytest
import torch

from massm.pdm.embedded.ensemble import TrainingEnsemble
from massm.pdm.embedded.entropy import ensemble_energy
from massm.pdm.embedded.frozen import FrozenEnsemble
from massm.pdm.fixed import FrozenModel
from massm.pdm.shape_model import fit_shape_model

FRACTION = 0.05


@pytest.fixture
def shapes():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(1, 12, 3, generator=generator, dtype=torch.float64)
    return mean + 0.3 * torch.randn(7, 12, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def frozen(shapes):
    count = shapes.shape[1]
    normals = np.tile([0.0, 0.0, 1.0], (count, 1))
    none = np.zeros((1, 3))
    model = FrozenModel(
        fit_shape_model(shapes[:6].numpy()), normals, none, none.astype(int), 0 * normals, 1.0
    )
    return FrozenEnsemble(model, scale=False, device=torch.device("cpu"))


def regularization(shapes):
    return FRACTION * float((shapes - shapes.mean(0)).square().sum(-1).mean())


def test_energy_of_a_new_shape_is_the_growth_of_the_ensemble_entropy(shapes, frozen):
    """The training shapes keep their weights: the covariance of all seven, entropy of all seven."""
    train, new = shapes[:6], shapes[6:]
    r = regularization(train)
    joined = ensemble_energy(shapes, r).energy
    # as if the seventh were the mean: it adds nothing but its weight in the covariance
    at_mean = ensemble_energy(torch.cat([train, train.mean(0, keepdim=True)]), r).energy
    energy = frozen.term(new, FRACTION).energy
    np.testing.assert_allclose(float(energy), 7 * r * float(joined - at_mean), rtol=1e-9)


def test_its_gradient_is_exact(shapes, frozen):
    new = shapes[5:].clone().requires_grad_()
    term = frozen.term(new, FRACTION)
    (exact,) = torch.autograd.grad(term.energy, new)
    torch.testing.assert_close(exact * new.shape[0] * new.shape[1], term.gradient)


def test_a_new_shape_feels_the_force_of_a_training_shape(shapes, frozen):
    forces = TrainingEnsemble(scale=False).term(shapes, FRACTION).gradient
    force = frozen.term(shapes[6:], FRACTION).gradient
    # the same up to the regularization, which is a fraction of slightly different variances
    angle = torch.nn.functional.cosine_similarity(forces[6].flatten(), force[0].flatten(), dim=0)
    assert angle > 0.99
    assert 0.8 < float(force[0].norm() / forces[6].norm()) < 1.25


def test_softening_undoes_one_plus_the_curvature(shapes):
    strength = 3.0
    force = torch.randn(shapes.shape, generator=torch.Generator().manual_seed(1)).double()
    preconditioned = (
        TrainingEnsemble(scale=False).term(shapes, FRACTION).precondition(force, strength)
    )
    r = regularization(shapes)
    centered = (shapes - shapes.mean(0)).flatten(1)
    gram = centered @ centered.T / shapes[..., 0].numel()
    curvature = r * torch.linalg.inv(gram + r * torch.eye(7)) - torch.ones(7, 7) / 7
    back = preconditioned.flatten(1) + strength * curvature @ preconditioned.flatten(1)
    torch.testing.assert_close(back, force.flatten(1))


def test_what_all_shapes_share_is_not_softened(shapes):
    shared = torch.ones_like(shapes)
    preconditioned = (
        TrainingEnsemble(scale=False).term(shapes, FRACTION).precondition(shared, 100.0)
    )
    torch.testing.assert_close(preconditioned, shared)


def test_frozen_softening_lets_modes_move_and_holds_the_rest(shapes, frozen):
    mode = torch.from_numpy(fit_shape_model(shapes[:6].numpy()).modes[:1].copy())
    term = frozen.term(shapes[6:], FRACTION)
    along = term.precondition(mode, 10.0)
    across = torch.randn(mode.shape, generator=torch.Generator().manual_seed(2)).double()
    modes = torch.from_numpy(fit_shape_model(shapes[:6].numpy()).modes).flatten(1)
    across = (across.flatten(1) - (across.flatten(1) @ modes.T) @ modes).reshape(mode.shape)
    held = term.precondition(across, 10.0)
    assert float(along.norm() / mode.norm()) > 2 * float(held.norm() / across.norm())
