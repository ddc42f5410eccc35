"""Damaged images: nothing but an error that names the file, and no wrong voxel where a sum is."""

import itk
import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.images import read_scan, write_image

COMPRESSED = ("nii.gz", "nrrd", "mha")
PLAIN = ("nii", "raw.nrrd", "raw.mha")


def written(path, rng):
    values = rng.integers(-1000, 1000, (7, 8, 9)).astype(np.int16)
    write_image(Volume(values, np.array([1.0, 2, 3])), path)
    if path.name.endswith(("raw.nrrd", "raw.mha")):
        itk.imwrite(itk.imread(str(path)), str(path), compression=False)
    return values


def outcome(path):
    try:
        return read_scan(path).volume.array
    except DataError as error:
        said = str(error)
    assert path.name in said
    assert "\n" not in said
    return None


@pytest.mark.parametrize("suffix", COMPRESSED + PLAIN)
def test_every_truncation_is_refused(tmp_path, rng, suffix):
    path = tmp_path / f"ct.{suffix}"
    written(path, rng)
    content = path.read_bytes()
    for length in rng.integers(0, len(content) - 1, 40).tolist() + [len(content) - 1]:
        path.write_bytes(content[:length])
        assert outcome(path) is None, length


@pytest.mark.parametrize("suffix", COMPRESSED + PLAIN)
def test_flipped_bits_are_refused_or_change_no_voxel(tmp_path, rng, suffix):
    path = tmp_path / f"ct.{suffix}"
    values = written(path, rng)
    content = path.read_bytes()
    places = np.concatenate(
        [rng.integers(0, min(400, len(content)), 60), rng.integers(0, len(content), 60)]
    )
    refused = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        found = outcome(path)
        refused += found is None
        if suffix in COMPRESSED and found is not None:
            np.testing.assert_array_equal(found, values)
    assert refused > 0


@pytest.mark.parametrize("suffix", COMPRESSED)
def test_a_stretch_of_other_bytes_is_refused(tmp_path, rng, suffix):
    path = tmp_path / f"ct.{suffix}"
    written(path, rng)
    content = bytearray(path.read_bytes())
    content[-200:-100] = rng.bytes(100)
    path.write_bytes(content)
    assert outcome(path) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"II*\0" + b"\0" * 500, "TIFF image, which does not say how far its slices lie apart"),
        (b"\x89PNG\r\n", "PNG image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html>", "web page"),
        (b"", "is empty"),
        (b"hello", "no image format known here"),
    ],
)
def test_what_is_no_image_is_named(tmp_path, content, words):
    (tmp_path / "ct.nii.gz").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_scan(tmp_path / "ct.nii.gz")
