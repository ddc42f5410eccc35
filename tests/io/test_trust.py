"""The file of what is usual."""

import numpy as np
import pytest

from massm.inference.trust.places import arrangement_of
from massm.inference.trust.usual import usual
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.trust import read_trust, write_trust
from tests.inference.trust.test_usual import subjects


@pytest.fixture
def path(tmp_path):
    write_trust(tables(), tmp_path / "trust.npz")
    return tmp_path / "trust.npz"


def tables():
    places = arrangement_of(("a", "b"), np.zeros((0, 2, 3)))
    return usual(subjects(12), places, 0.05, "validation split")


def test_what_was_written_is_read(path):
    found, expected = read_trust(path), tables()
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": np.array(9)}, "schema 9, this massm reads 1"),
        ({"red": np.array("x")}, "red is of kind U"),
        ({"amber": np.ones(3)}, r"amber is \(3,\), expected 2"),
    ],
)
def test_what_is_no_such_file_is_named(path, changes, message):
    save_arrays(load_arrays(path) | changes, path)
    with pytest.raises(DataError, match=message):
        read_trust(path)


def test_no_subject_is_in_it(path):
    assert not {"names", "subject", "values"} & load_arrays(path).keys()
    assert read_trust(path).quantiles.shape[-1] == 101
