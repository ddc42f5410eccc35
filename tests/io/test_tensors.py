"""Named arrays in safetensors files."""

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.io.tensors import load, save


@pytest.fixture
def arrays(rng):
    return {
        "image": rng.integers(-1024, 3000, (4, 5, 6)).astype(np.int16),
        "center": rng.normal(size=(2, 3)),
        "presence": np.array([1, -1], np.int8),
    }


def test_arrays_come_back(tmp_path, arrays):
    save(arrays, tmp_path / "a.safetensors")
    found = load(tmp_path / "a.safetensors")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_a_transposed_array_comes_back_in_its_own_order(tmp_path, rng):
    array = rng.normal(size=(3, 4)).T
    save({"a": array}, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "a.safetensors")["a"], array)


def test_one_array_can_be_read_alone(tmp_path, arrays):
    save(arrays, tmp_path / "a.safetensors")
    assert load(tmp_path / "a.safetensors", ["center"]).keys() == {"center"}


def test_a_missing_array_is_named(tmp_path, arrays):
    save(arrays, tmp_path / "a.safetensors")
    with pytest.raises(DataError, match="radius"):
        load(tmp_path / "a.safetensors", ["radius"])


@pytest.mark.parametrize("kept", [0, 4, 60, 300])
def test_a_truncated_file_is_refused(tmp_path, arrays, kept):
    path = tmp_path / "a.safetensors"
    save(arrays, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="delete the file and run its stage again"):
        load(path)
