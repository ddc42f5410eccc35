"""Particles as text and as a set."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.io.particles import (
    load_arrays,
    load_set,
    load_subjects,
    read_text,
    save_arrays,
    save_set,
    write_text,
)


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


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("wanted", [{"0002"}, {"s1", "0002"}, {"unknown"}, set()])
def test_some_subjects_are_read_as_if_taken_from_all(tmp_path, particles, wanted, order):
    stored = replace(particles, local=np.asarray(particles.local, order=order))
    save_set(stored, tmp_path / "a.npz")
    found = load_subjects(tmp_path / "a.npz", wanted)
    rows = [row for row, name in enumerate(particles.subjects) if name in wanted]
    expected = particles.take(rows)
    assert (found.subjects, found.splits) == (expected.subjects, expected.splits)
    for name in ("local", "world", "transforms"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)


@pytest.mark.parametrize("read", [load_set, lambda path: load_subjects(path, {"s1"})])
@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_truncated_set_is_refused(tmp_path, particles, kept, read):
    path = tmp_path / "a.npz"
    save_set(particles, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="run its stage again"):
        read(path)


def test_a_damaged_set_is_refused_before_its_rows_are_used(tmp_path, particles):
    save_set(particles, tmp_path / "a.npz")
    damaged = bytearray((tmp_path / "a.npz").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        place = archive.getinfo("local.npy").header_offset + 150
    damaged[place : place + 8] = bytes(8)
    (tmp_path / "a.npz").write_bytes(damaged)
    with pytest.raises(DataError, match="run its stage again"):
        load_subjects(tmp_path / "a.npz", {"s1"})


def test_other_arrays_are_no_particle_set(tmp_path, rng):
    save_arrays({"weights": rng.normal(size=(4, 2))}, tmp_path / "a.npz")
    assert load_arrays(tmp_path / "a.npz").keys() == {"weights"}
    with pytest.raises(DataError, match="not a particle set"):
        load_set(tmp_path / "a.npz")
    with pytest.raises(DataError, match="not a particle set"):
        load_subjects(tmp_path / "a.npz", {"s1"})


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", subjects=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        load_arrays(tmp_path / "a.npz")
