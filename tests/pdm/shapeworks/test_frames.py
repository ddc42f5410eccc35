"""Particles of a project in massm's frames."""

import numpy as np
import pytest

from massm.geometry.alignment import apply_transform, invert_transform
from massm.io.errors import DataError
from massm.pdm.shapeworks.frames import to_shape

ALIGNMENT = np.array([[0.0, -1, 0, 90], [1, 0, 0, -30], [0, 0, 1, 7], [0, 0, 0, 1]])
PROCRUSTES = np.array([[0, 0, 1.1, 3], [1.1, 0, 0, 2], [0, 1.1, 0, 1], [0, 0, 0, 1]])
MIRROR = np.diag([-1.0, 1, 1, 1])


@pytest.fixture
def config(settings):
    return settings.project


@pytest.fixture
def surface(ellipsoids):
    return ellipsoids[0]


@pytest.fixture
def local(surface):
    """Particles of the aligned surface, in the image frame."""
    return apply_transform(invert_transform(ALIGNMENT), surface.vertices[::7])


@pytest.mark.parametrize("given", [None, PROCRUSTES @ ALIGNMENT, np.eye(4)])
def test_local_goes_to_the_aligned_frame_and_the_rest_is_procrustes(config, surface, local, given):
    world = apply_transform(PROCRUSTES @ ALIGNMENT, local)
    shape = to_shape(local, world, given, surface, ALIGNMENT, config)
    np.testing.assert_allclose(shape.local, surface.vertices[::7], atol=1e-9)
    np.testing.assert_array_equal(shape.world, world)
    np.testing.assert_allclose(shape.procrustes, PROCRUSTES, atol=1e-9)
    moved = apply_transform(shape.procrustes, shape.local)
    np.testing.assert_allclose(moved, shape.world, atol=1e-9)


def test_what_six_digits_leave_is_enough(config, surface, local):
    matrix = np.round(PROCRUSTES @ ALIGNMENT, 6)
    world = np.round(apply_transform(PROCRUSTES @ ALIGNMENT, local), 3)
    shape = to_shape(np.round(local, 3), world, matrix, surface, ALIGNMENT, config)
    np.testing.assert_allclose(shape.procrustes, PROCRUSTES, atol=1e-4)


def test_another_alignment_of_shapeworks_changes_nothing_but_procrustes(config, surface, local):
    own = np.array([[1.0, 0, 0, -40], [0, 0, -1, 5], [0, 1, 0, 6], [0, 0, 0, 1]])
    world = apply_transform(PROCRUSTES @ own, local)
    shape = to_shape(local, world, PROCRUSTES @ own, surface, ALIGNMENT, config)
    np.testing.assert_allclose(shape.local, surface.vertices[::7], atol=1e-9)
    np.testing.assert_allclose(apply_transform(shape.procrustes, shape.local), world, atol=1e-9)


def test_a_mirrored_subject_is_refused(config, surface, local):
    matrix = PROCRUSTES @ MIRROR @ ALIGNMENT
    world = apply_transform(matrix, local)
    with pytest.raises(DataError, match="mirrors it and groom.alignment does not"):
        to_shape(local, world, matrix, surface, ALIGNMENT, config)


def test_both_mirrored_is_no_contradiction(config, surface, local):
    mirrored = surface.transformed(MIRROR)
    world = apply_transform(PROCRUSTES @ MIRROR @ ALIGNMENT, local)
    matrix = PROCRUSTES @ MIRROR @ ALIGNMENT
    shape = to_shape(local, world, matrix, mirrored, MIRROR @ ALIGNMENT, config)
    np.testing.assert_allclose(shape.procrustes, PROCRUSTES, atol=1e-9)


def test_particles_of_different_runs_are_refused(config, surface, local, rng):
    world = local + rng.normal(size=local.shape)
    with pytest.raises(DataError, match=r"no similarity carries .* mm; the two are of different"):
        to_shape(local, world, None, surface, ALIGNMENT, config)
