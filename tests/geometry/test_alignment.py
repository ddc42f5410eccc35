"""Similarity fits and generalized Procrustes alignment."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from massm.geometry.alignment import (
    Similarity,
    apply_transform,
    fit_similarity,
    generalized_procrustes,
    invert_transform,
)


@pytest.fixture
def particles():
    """Four anisotropic clouds of 64 particles, mm."""
    generator = torch.Generator().manual_seed(0)
    extent = torch.tensor([30.0, 20.0, 10.0], dtype=torch.float64)
    return torch.randn(4, 64, 3, generator=generator, dtype=torch.float64) * extent


def rotations(count, largest_degrees, seed=0):
    """Random proper rotations by the exponential of a skew matrix."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    angle = torch.rand(count, 1, generator=generator, dtype=torch.float64)
    x, y, z = (axis / axis.norm(dim=1, keepdim=True) * angle * np.deg2rad(largest_degrees)).T
    zero = torch.zeros_like(x)
    rows = [torch.stack(r, -1) for r in ([zero, -z, y], [z, zero, -x], [-y, x, zero])]
    return torch.matrix_exp(torch.stack(rows, -2))


def test_recovers_a_known_similarity(particles):
    known = Similarity(
        torch.full((4,), 1.5).double(),
        rotations(4, 180),
        torch.tensor([5.0, -3, 2]).double().expand(4, 3),
    )

    found = fit_similarity(particles, known.apply(particles))

    for value, expected in zip(found, known, strict=True):
        torch.testing.assert_close(value, expected)


def test_without_scale_the_scale_stays_one(particles):
    found = fit_similarity(particles, 2 * particles, allow_scale=False)
    torch.testing.assert_close(found.scale, torch.ones(4).double())


def test_never_returns_a_reflection(particles):
    mirrored = particles * torch.tensor([-1.0, 1, 1])
    assert torch.det(fit_similarity(particles, mirrored).rotation).gt(0).all()


def test_no_small_change_of_the_fit_is_better(particles):
    source, target = particles[:1], particles[1:2]
    best = fit_similarity(source, target)
    error = (best.apply(source) - target).square().sum()

    for turn in rotations(20, 2, seed=1):
        other = Similarity(best.scale * 1.001, turn @ best.rotation, best.translation + 0.01)
        assert (other.apply(source) - target).square().sum() > error


def test_gradient_matches_finite_differences(particles):
    source, target = particles[0, :5].clone().requires_grad_(), particles[1, :5]
    assert torch.autograd.gradcheck(lambda x: fit_similarity(x, target).apply(x), source)


def test_two_points_are_refused(particles):
    with pytest.raises(ValueError, match="at least 3 points, got 2"):
        fit_similarity(particles[:, :2], particles[:, :2])


def test_the_matrix_moves_points_as_the_similarity_does(particles):
    similarity = fit_similarity(particles, particles.flip(0))
    by_matrix = apply_transform(similarity.matrix()[2].numpy(), particles[2].numpy())
    assert_allclose(by_matrix, similarity.apply(particles)[2].numpy(), atol=1e-9)


def test_an_inverted_transform_brings_points_back(particles):
    matrix = fit_similarity(particles, particles.flip(0)).matrix()[0].numpy()
    points = particles[0].numpy()
    back = apply_transform(invert_transform(matrix), apply_transform(matrix, points))
    assert_allclose(back, points, atol=1e-9)


def test_moved_copies_of_one_shape_fall_together(particles):
    shift = torch.linspace(-300, 500, 18).double().view(6, 1, 3)
    copies = particles[0] @ rotations(6, 40).mT + shift

    aligned, matrices = generalized_procrustes(copies)

    torch.testing.assert_close(aligned, aligned[:1].expand_as(aligned), atol=1e-6, rtol=0)
    torch.testing.assert_close(aligned.mean((0, 1)), torch.zeros(3).double(), atol=1e-9, rtol=0)
    for copy, matrix, moved in zip(copies, matrices, aligned, strict=True):
        assert_allclose(apply_transform(matrix.numpy(), copy.numpy()), moved.numpy(), atol=1e-9)


def test_matrices_are_proper_and_rigid_without_scale(particles):
    _, matrices = generalized_procrustes(particles)
    linear = matrices[:, :3, :3]
    torch.testing.assert_close(linear @ linear.mT, torch.eye(3).double().expand(4, 3, 3))
    assert torch.det(linear).gt(0).all()


def test_scale_keeps_the_size_of_the_population(particles):
    sizes = torch.tensor([0.5, 1.0, 2.0, 1.0]).double()
    _, matrices = generalized_procrustes(sizes[:, None, None] * particles[0], allow_scale=True)
    scales = torch.det(matrices[:, :3, :3]).pow(1 / 3)
    torch.testing.assert_close(scales.log().mean().exp(), torch.tensor(1.0).double())
    torch.testing.assert_close(scales * sizes, torch.ones(4).double())


def test_the_order_of_subjects_does_not_change_the_frame():
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(64, 3, generator=generator, dtype=torch.float64) * torch.tensor([30, 20, 10])
    noise = torch.randn(5, 64, 3, generator=generator, dtype=torch.float64)
    shapes = (base + noise) @ rotations(5, 20).mT

    forward, _ = generalized_procrustes(shapes, tolerance=1e-14)
    backward, _ = generalized_procrustes(shapes.flip(0), tolerance=1e-14)

    torch.testing.assert_close(forward, backward.flip(0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_shapes_half_a_turn_apart_are_turned_onto_each_other(particles, order):
    """Their mean is a line, onto which a mirror image would fit as well."""
    half_turn = torch.tensor([-1.0, -1, 1]).double()
    shapes = torch.stack([particles[0], particles[0] * half_turn])[order]

    aligned, matrices = generalized_procrustes(shapes)

    torch.testing.assert_close(torch.det(matrices[:, :3, :3]), torch.ones(2).double())
    torch.testing.assert_close(aligned[0], aligned[1])
