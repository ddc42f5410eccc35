"""Sets of particles in correspondence."""

import jaxtyping
import numpy as np
import pytest

from massm.geometry.particles import ParticleSet


@pytest.fixture
def particles(rng):
    return ParticleSet(
        ("a", "b", "c"),
        ("train", "test", "train"),
        rng.normal(size=(3, 5, 3)),
        rng.normal(size=(3, 5, 3)),
        np.tile(np.eye(4), (3, 1, 1)),
    )


def test_a_split_keeps_rows_in_order(particles):
    train = particles.of_split("train")
    assert train.subjects == ("a", "c")
    np.testing.assert_array_equal(train.local, particles.local[[0, 2]])
    np.testing.assert_array_equal(train.transforms, particles.transforms[[0, 2]])


def test_a_split_nobody_is_in_is_empty(particles):
    assert particles.of_split("validation").subjects == ()


def test_a_subject_is_found_by_name(particles):
    assert particles.row("b") == 1
    with pytest.raises(KeyError, match="d has no particles"):
        particles.row("d")


def test_a_subject_twice_is_refused(particles):
    with pytest.raises(ValueError, match="occurs twice"):
        particles.take([0, 0])


@pytest.mark.parametrize("field", ["splits", "world", "transforms"])
def test_arrays_of_another_length_are_refused(particles, field, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # it would refuse them first
    values = {name: getattr(particles, name) for name in particles.__dataclass_fields__}
    values[field] = values[field][:2]
    with pytest.raises(ValueError, match=f"particle set: {field} has"):
        ParticleSet(**values)
