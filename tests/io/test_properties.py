"""What is written comes back: tables, images, arrays and particles, tried on drawn ones."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from massm.geometry.volume import Volume
from massm.io import tensors
from massm.io.images import read_image, read_segmentation, write_image
from massm.io.meshes import read as read_mesh
from massm.io.meshes import write as write_mesh
from massm.io.particles import load_arrays, read_text, save_arrays, write_text
from massm.io.tables import read_table, write_table
from tests.geometry.test_properties import convex_meshes, numbers, rotations, vectors

ODD = [
    *("", " ", "NA", "nan", "None", "null", "0012", "1e5", "-0", "true", "#1", "=1+1", "all"),
    *("a\tb", "a,b", "a;b", 'say "x"', "it's", "two\nlines", "a\\b", "%s", "{x}", "'; ls", "$HOME"),
    *("Müller", "e\u0301", "李", "🫀", "\u00a0", "\ufeff", "a" * 300),
]
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
names = texts.filter(str.strip)  # a row without any text is none
finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


@pytest.fixture(scope="module", params=[".tsv", ".csv"])
def table_suffix(request):
    return request.param


def written(write, read, value, suffix):
    """Write a value to a file of its own and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        write(value, path)
        return read(path)


@given(st.lists(st.tuples(names, texts, texts), min_size=1, max_size=5))
def test_texts_of_a_table_come_back_letter_by_letter(table_suffix, rows):
    table = pd.DataFrame(rows, columns=["subject", "anatomy", "reason"], dtype=object)
    found = written(write_table, read_table, table, table_suffix)
    assert list(found.columns) == list(table.columns)
    assert found.to_numpy().tolist() == table.to_numpy().tolist()


@given(
    st.lists(st.tuples(names, finite, st.integers(-(2**53), 2**53)), min_size=1, max_size=5),
    st.booleans(),
)
def test_numbers_of_a_table_come_back_exactly(table_suffix, rows, missing):
    table = pd.DataFrame(rows, columns=["subject", "value", "count"])
    if missing:
        table.loc[0, "value"] = np.nan
    found = written(write_table, read_table, table, table_suffix)
    np.testing.assert_array_equal(found["value"].to_numpy(float), table["value"])
    np.testing.assert_array_equal(found["count"], table["count"])


@st.composite
def volumes(draw):
    dtype = draw(st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32]))
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=6))
    limit = 1000 if np.dtype(dtype).kind == "f" else min(np.iinfo(dtype).max, 2**24)
    low = 0 if np.dtype(dtype).kind == "u" else -limit
    values = st.integers(low, limit).map(dtype)
    turn = draw(rotations()) * draw(st.sampled_from([1.0, -1.0]))  # left-handed axes exist too
    array = draw(arrays(dtype, shape, elements=values))
    return Volume(array, draw(vectors(0.2, 8)), draw(vectors(-900, 900)), turn)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".mha", ".nrrd"])
@given(volume=volumes())
def test_an_image_comes_back_at_its_place(suffix, volume):
    found = written(write_image, read_image, volume, suffix)
    np.testing.assert_array_equal(found.array, volume.array.astype(np.float32))
    np.testing.assert_allclose(found.spacing, volume.spacing, rtol=1e-5)
    np.testing.assert_allclose(found.corners(), volume.corners(), atol=1e-3)


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha"])
@given(volume=volumes())
def test_a_mask_comes_back_voxel_by_voxel(suffix, volume):
    array = volume.array > np.median(volume.array)
    array[0, 0, 0], array[-1, -1, -1] = False, True
    found = written(write_image, read_segmentation, volume.with_array(array), suffix)
    np.testing.assert_array_equal(found.inside.array, array, strict=True)


@given(convex_meshes())
def test_a_mesh_comes_back(mesh):
    found = written(write_mesh, read_mesh, mesh, ".vtp")
    assert found.is_closed
    assert len(found.faces) == len(mesh.faces)
    assert found.volume == pytest.approx(mesh.volume, rel=1e-4)
    assert found.area == pytest.approx(mesh.area, rel=1e-4)


named_arrays = st.dictionaries(
    st.sampled_from(["image", "center", "world_cvae", "present", "x"]),
    st.sampled_from([np.int16, np.int64, np.float32, np.float64, np.bool_]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    ),
    min_size=1,
)


@pytest.mark.parametrize(
    ("save", "load", "suffix"),
    [(tensors.save, tensors.load, ".safetensors"), (save_arrays, load_arrays, ".npz")],
    ids=["safetensors", "npz"],
)
@given(content=named_arrays)
def test_named_arrays_come_back_bit_by_bit(save, load, suffix, content):
    found = written(save, load, content, suffix)
    assert found.keys() == content.keys()
    for name, array in content.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@given(arrays(float, st.tuples(st.integers(1, 9), st.just(3)), elements=numbers(-900, 900)))
def test_particles_come_back_from_text(points):
    np.testing.assert_allclose(written(write_text, read_text, points, ".particles"), points)
