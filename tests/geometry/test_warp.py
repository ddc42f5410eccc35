"""The warp runs through the particles and moves with them."""

import numpy as np
import pytest

from massm.geometry.warp import warp_weights


@pytest.fixture
def particles(rng):
    return rng.normal(size=(60, 3)) * [30, 20, 10] + [100, -200, 700]


@pytest.fixture
def vertices(rng):
    return rng.normal(size=(300, 3)) * [30, 20, 10] + [100, -200, 700]


def test_template_particles_give_the_template(particles, vertices):
    weights = warp_weights(vertices, particles)
    np.testing.assert_allclose(weights @ particles, vertices, atol=1e-9)


def test_a_vertex_at_a_particle_follows_it(particles, rng):
    weights = warp_weights(particles, particles)
    moved = particles + rng.normal(size=particles.shape) * 5
    np.testing.assert_allclose(weights @ moved, moved, atol=1e-8)


@pytest.mark.parametrize("regularization", [0.0, 3.0])
def test_affine_motions_move_the_mesh_in_the_same_way(particles, vertices, rng, regularization):
    weights = warp_weights(vertices, particles, regularization=regularization)
    matrix, shift = rng.normal(size=(3, 3)), rng.normal(size=3) * 100

    np.testing.assert_allclose(
        weights @ (particles @ matrix.T + shift), vertices @ matrix.T + shift, atol=1e-8
    )


def test_a_motion_of_new_particles_moves_their_mesh(particles, vertices, rng):
    weights = warp_weights(vertices, particles)
    other = particles + rng.normal(size=particles.shape) * 4
    matrix, shift = rng.normal(size=(3, 3)), rng.normal(size=3) * 100

    np.testing.assert_allclose(
        weights @ (other @ matrix.T + shift), (weights @ other) @ matrix.T + shift, atol=1e-8
    )


def test_smooth_motion_is_followed_between_the_particles(particles, vertices):
    weights = warp_weights(vertices, particles)

    def bend(points):
        local = (points - [100, -200, 700]) / 40
        return points + 3 * np.sin(local[:, [1, 2, 0]])

    error = np.linalg.norm(weights @ bend(particles) - bend(vertices), axis=1)
    still = np.linalg.norm(vertices - bend(vertices), axis=1)
    assert np.median(error) < 0.1 * np.median(still)


def test_regularization_smooths_noise(particles, rng):
    moved = particles + rng.normal(size=particles.shape)
    exact = warp_weights(particles, particles) @ moved - particles
    smooth = warp_weights(particles, particles, regularization=50.0) @ moved - particles

    assert np.square(smooth).sum() < 0.7 * np.square(exact).sum()


def test_what_determines_no_warp_is_refused(particles, vertices):
    flat = particles * [1, 1, 0]
    twin = particles.copy()
    twin[1] = twin[0]
    with pytest.raises(ValueError, match="at least 4 particles, got 3"):
        warp_weights(vertices, particles[:3])
    with pytest.raises(ValueError, match="one plane"):
        warp_weights(vertices, flat)
    with pytest.raises(ValueError, match="share one place"):
        warp_weights(vertices, twin)
