from dataclasses import replace

import numpy as np
import pytest

from massm.geometry.particles import ParticleSet
from massm.pdm.joint.blocks import BlockSet, join_blocks


def particle_set(subjects, splits, seed):
    local = np.random.default_rng(seed).normal(size=(len(subjects), 4 + seed, 3))
    transforms = np.tile(np.eye(4), (len(subjects), 1, 1))
    return ParticleSet(subjects, splits, local, local + 1, transforms)


def test_subjects_are_joined_by_name_and_gaps_are_kept():
    sets = {
        "liver": particle_set(("b", "a", "c"), ("train", "train", "test"), 0),
        "spleen": particle_set(("c", "b"), ("test", "train"), 1),
    }
    found = join_blocks(sets, "world")
    assert found.subjects == ("a", "b", "c")
    assert found.particles == (4, 5)
    assert found.present.tolist() == [[True, False], [True, True], [True, True]]
    np.testing.assert_array_equal(found.of("spleen")[1], sets["spleen"].world[1])
    np.testing.assert_array_equal(
        join_blocks(sets, "local", "test").of("liver"), sets["liver"].local[2:]
    )


def test_hiding_takes_one_anatomy_away(complete):
    hidden = complete.hide("spleen")
    assert not hidden.having("spleen").any()
    assert hidden.having("liver").all()
    assert complete.having("spleen").all()


def test_a_subject_without_any_anatomy_is_refused(complete):
    points = complete.points.copy()
    points[4] = np.nan
    with pytest.raises(ValueError, match="s04 has none of liver, spleen, kidney"):
        replace(complete, points=points)


def test_half_an_anatomy_is_refused(complete):
    points = complete.points.copy()
    points[2, 25] = np.nan
    with pytest.raises(ValueError, match="s02: spleen has particles that are not finite"):
        replace(complete, points=points)


def test_a_layout_that_does_not_fit_is_refused(complete):
    with pytest.raises(ValueError, match=r"expected \(40, 61\)"):
        BlockSet(complete.anatomies, (20, 12, 29), complete.subjects, complete.points)
