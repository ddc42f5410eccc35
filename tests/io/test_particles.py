"""Particles as text and as a set."""

import numpy as np
import pytest

from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.io.particles import load_arrays, load_set, read_text, save_arrays, save_set, write_text


@pytest.fixture
def particles(rng):
    return ParticleSet(
        ("s1", "0002"),
        ("train", "test"),
        rng.normal(size=(2, 5, 3)) * 100,
        rng.normal(size=(2, 5, 3)),
        np.tile(np.eye(4), (2, 1, 1)),
    )


def test_a_set_comes_back(tmp_path, particles):
    save_set(particles, tmp_path / "a.npz")
    found = load_set(tmp_path / "a.npz")
    assert (found.subjects, found.splits) == (particles.subjects, particles.splits)
    for name in ("local", "world", "transforms"):
        np.testing.assert_array_equal(getattr(found, name), getattr(particles, name), strict=True)


def test_text_comes_back_within_a_micrometer(tmp_path, particles):
    write_text(particles.local[0], tmp_path / "s1_local.particles")
    found = read_text(tmp_path / "s1_local.particles")
    np.testing.assert_allclose(found, particles.local[0], atol=1e-3)


def test_text_is_three_numbers_a_line_without_header(tmp_path):
    write_text(np.array([[1.0, -2.5, 3]]), tmp_path / "a.particles")
    assert (tmp_path / "a.particles").read_text(encoding="utf-8") == "1 -2.5 3\n"


@pytest.mark.parametrize("text", ["1 2\n3 4\n", "1 2 3\n4 5\n", "1 2 x\n", "1 2 nan\n", ""])
def test_text_that_is_not_three_finite_numbers_a_line_is_refused(tmp_path, text):
    (tmp_path / "a.particles").write_text(text)
    with pytest.raises(DataError, match=r"a\.particles"):
        read_text(tmp_path / "a.particles")


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_truncated_set_is_refused(tmp_path, particles, kept):
    path = tmp_path / "a.npz"
    save_set(particles, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="run its stage again"):
        load_set(path)


def test_other_arrays_are_no_particle_set(tmp_path, rng):
    save_arrays({"weights": rng.normal(size=(4, 2))}, tmp_path / "a.npz")
    assert load_arrays(tmp_path / "a.npz").keys() == {"weights"}
    with pytest.raises(DataError, match="not a particle set"):
        load_set(tmp_path / "a.npz")


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", subjects=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        load_arrays(tmp_path / "a.npz")
