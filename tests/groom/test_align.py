"""Alignment finds known motions, mirrors on request, and cannot roll organs over."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from massm.geometry.alignment import apply_transform
from massm.geometry.isosurface import isosurface
from massm.groom.align import align_all, points_needed
from massm.groom.cloud import cloud_of
from tests.groom.shapes import draw


def blob(stretch=1.0):
    """A bent lump without any symmetry."""

    def field(p):
        x, y, z = (p / [22 * stretch, 14, 10]).T
        return 1 - x**2 - (y - 0.4 * x**2) ** 2 - (z + 0.3 * x * y - 0.2 * x) ** 2

    return isosurface(draw(field, spacing=(1.5, 1.5, 1.5)), 0.0)


def rigid(degrees, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture
def shape():
    return blob()


def test_recovers_known_rigid_motions(shape, alignment_config):
    motions = {
        "a": np.eye(4),
        "b": rigid([10, -8, 5], [100, -30, 600]),
        "c": rigid([-6, 12, 15], [-20, 70, -900]),
    }
    clouds = {
        name: cloud_of(shape.transformed(motion), points_needed(alignment_config))
        for name, motion in motions.items()
    }

    result = align_all(clouds, set(motions), alignment_config)

    placed = [
        apply_transform(result.transforms[name] @ motion, shape.vertices)
        for name, motion in motions.items()
    ]
    for points in placed:
        assert np.linalg.norm(points - placed[0], axis=1).max() < 0.3
    reference = placed[list(motions).index(result.reference)]
    assert np.abs(reference.mean(0)).max() < 2.0  # centered at the origin
    for matrix in result.transforms.values():
        np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9)
        assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)


def test_mirrors_left_to_right_when_asked(shape, alignment_config):
    mirror = np.diag([-1.0, 1, 1, 1])
    count = points_needed(alignment_config)
    left = {
        "a": cloud_of(shape, count),
        "b": cloud_of(shape.transformed(rigid([5, 0, 9], [1, 2, 3])), count),
    }

    result = align_all(left, {"a"}, alignment_config, reflect=True)

    assert result.reflected
    for matrix in result.transforms.values():
        assert np.linalg.det(matrix[:3, :3]) == pytest.approx(-1)
    expected = shape.transformed(mirror).vertices
    placed = apply_transform(result.transforms["a"], shape.vertices)
    shift = placed.mean(0) - expected.mean(0)
    np.testing.assert_allclose(placed - shift, expected, atol=1e-9)


def test_a_turn_beyond_the_limit_is_held(shape, alignment_config):
    count = points_needed(alignment_config)
    config = alignment_config.model_copy(update={"max_rotation_deg": 10.0})
    clouds = {
        "a": cloud_of(shape, count),
        "b": cloud_of(shape.transformed(rigid([0, 0, 40], [0, 0, 0])), count),
    }

    turn = align_all(clouds, {"a"}, config).transforms["b"][:3, :3]

    assert np.rad2deg(Rotation.from_matrix(turn).magnitude()) <= 10 + 1e-6


def test_only_training_subjects_can_be_the_reference(shape, alignment_config):
    count = points_needed(alignment_config)
    clouds = {name: cloud_of(shape, count) for name in "abc"}
    clouds["z"] = cloud_of(blob(1.6), count)

    assert align_all(clouds, {"z"}, alignment_config).reference == "z"


def test_order_of_the_subjects_changes_nothing(alignment_config):
    count = points_needed(alignment_config)
    clouds = {f"s{i}": cloud_of(blob(1 + 0.1 * i), count) for i in range(4)}
    backward = dict(reversed(clouds.items()))

    first = align_all(clouds, set(clouds), alignment_config)
    second = align_all(backward, set(clouds), alignment_config)

    assert first.reference == second.reference
    for name in clouds:
        np.testing.assert_array_equal(first.transforms[name], second.transforms[name])


def test_no_training_subject_is_refused(shape, alignment_config):
    clouds = {"a": cloud_of(shape, points_needed(alignment_config))}
    with pytest.raises(ValueError, match="training"):
        align_all(clouds, set(), alignment_config)
