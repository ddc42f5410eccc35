"""The common body frame."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from massm.geometry.alignment import generalized_procrustes
from massm.pdm.joint.frames import BodyFrame, WorldFrames


def posed(blocks, rng):
    """Move every subject to a place and an attitude of its own."""
    transforms = np.tile(np.eye(4), (len(blocks.subjects), 1, 1))
    transforms[:, :3, :3] = Rotation.from_rotvec(
        0.3 * rng.normal(size=(len(transforms), 3))
    ).as_matrix()
    transforms[:, :3, 3] = 50 * rng.normal(size=(len(transforms), 3))
    return blocks.moved(transforms)


def test_it_is_generalized_procrustes_where_nothing_is_missing(complete, rng):
    same = replace(
        complete, particles=(20, 20, 20), points=complete.points[:, :60], anatomies=tuple("abc")
    )
    moved = posed(same, rng)
    frame = BodyFrame(moved)
    found = moved.moved(frame.place(moved)).points
    expected = generalized_procrustes(torch.from_numpy(moved.points), tolerance=1e-12)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_pose_of_a_subject_does_not_matter(gaps, rng):
    moved = posed(gaps, rng)
    frame = BodyFrame(moved)
    again = posed(moved, rng)
    np.testing.assert_allclose(
        again.moved(frame.place(again)).points, moved.moved(frame.place(moved)).points, atol=1e-8
    )


def test_gaps_hardly_move_the_frame(gaps, complete, rng):
    moved = posed(complete, rng)
    holes = replace(moved, points=np.where(np.isnan(gaps.points), np.nan, moved.points))
    whole, partial = BodyFrame(moved), BodyFrame(holes)
    turn = partial.mean.T @ whole.mean
    u, _, v_transposed = np.linalg.svd(turn)
    assert np.abs(partial.mean @ u @ v_transposed - whole.mean).max() < 2.0
    assert np.abs(whole.mean).max() > 40


def test_every_anatomy_weighs_the_same(complete, rng):
    """Twice the particles at the same places change nothing."""
    moved = posed(complete, rng)
    doubled = replace(
        moved,
        particles=(40, 12, 30),
        points=np.concatenate([moved.points[:, :20], moved.points], 1),
    )
    np.testing.assert_allclose(BodyFrame(doubled).mean[20:], BodyFrame(moved).mean, atol=1e-6)


def test_motions_are_proper_and_rigid(gaps, rng):
    moved = posed(gaps, rng)
    rotation = BodyFrame(moved).place(moved)[:, :3, :3]
    np.testing.assert_allclose(np.linalg.det(rotation), 1)
    np.testing.assert_allclose(
        rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (len(rotation), 1, 1)), atol=1e-9
    )


def test_anatomies_that_never_meet_have_no_common_frame(complete):
    points = complete.points.copy()
    points[:20, complete.slices["kidney"]] = np.nan
    points[20:, : complete.slices["kidney"].start] = np.nan
    with pytest.raises(ValueError, match="no subject has kidney together"):
        BodyFrame(replace(complete, points=points))


def test_an_anatomy_that_only_a_few_have_finds_its_place(complete):
    """The subject that the mean starts from lacks it."""
    points = complete.points.copy()
    points[:30, complete.slices["kidney"]] = np.nan
    points[30:, complete.slices["liver"]] = np.nan
    assert np.isfinite(BodyFrame(replace(complete, points=points)).mean).all()


def test_world_frames_leave_particles_where_they_are(complete):
    moved = complete.moved(WorldFrames().place(complete))
    np.testing.assert_array_equal(moved.points, complete.points)
