"""What cannot be a template is named."""

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.template.soundness import fault_of
from tests.template.shapes import ellipsoid, pierced


@pytest.fixture
def mesh():
    return ellipsoid(8, 7, 6)


def test_a_sound_mesh_has_no_fault(mesh):
    assert fault_of(mesh) == ""


def test_faults_are_named(mesh):
    twice = Mesh(
        np.vstack([mesh.vertices, mesh.vertices + 50]),
        np.vstack([mesh.faces, mesh.faces + len(mesh.vertices)]),
    )
    a, b, _ = mesh.faces[0]
    fin = Mesh(
        np.vstack([mesh.vertices, [[0.0, 0, 30], [0, 1, 30]]]),
        np.vstack([mesh.faces, [[a, b, len(mesh.vertices)]]]),
    )
    mixed = mesh.faces.copy()
    mixed[0] = mixed[0, ::-1]

    assert "3 edges belong to one triangle" in fault_of(Mesh(mesh.vertices, mesh.faces[1:]))
    assert "one triangle" in fault_of(fin)
    assert fault_of(twice) == "in 2 pieces"
    assert "turn the same way" in fault_of(Mesh(mesh.vertices, mixed))
    assert "turn inward" in fault_of(Mesh(mesh.vertices, mesh.faces[:, ::-1].copy()))
    assert "self-intersecting" in fault_of(pierced(mesh))
