"""Surfaces for other programs."""

import numpy as np
import pytest

from massm.io import meshes
from massm.io.errors import DataError
from massm.io.mesh_writers import write_for_others


@pytest.mark.parametrize("ending", [".stl", ".ply", ".obj", ".STL"])
def test_a_surface_comes_back_as_it_was(cube, tmp_path, ending):
    write_for_others(cube, tmp_path / f"a{ending}")
    found = meshes.read_surface(tmp_path / f"a{ending}")
    assert found.notes == ()
    assert found.mesh.volume == pytest.approx(cube.volume)
    assert found.mesh.is_closed
    np.testing.assert_allclose(found.mesh.vertices.max(0), cube.vertices.max(0))


def test_another_ending_is_refused(cube, tmp_path):
    with pytest.raises(DataError, match=r"a.off: a surface is written as \.stl, \.ply, \.obj"):
        write_for_others(cube, tmp_path / "a.off")
    assert not list(tmp_path.iterdir())
