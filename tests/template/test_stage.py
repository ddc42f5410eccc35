"""The template stage as the workflow runs it."""

import numpy as np
import pytest

from massm.config.template import TemplateConfig
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.particles import save_set
from massm.stages import template
from tests.template.shapes import ellipsoid, pierced


@pytest.fixture
def results(tmp_path):
    """Six subjects; c is the middle of the training split but spoiled, f is a test subject."""
    moves = []
    for place, name in enumerate("abcdef"):
        mesh = ellipsoid(10 + place, 8, 7)
        moves.append(np.eye(4))
        moves[-1][:3, 3] = [0, 0, -100.0 * place]
        image = (pierced(mesh) if name == "c" else mesh).transformed(np.linalg.inv(moves[-1]))
        meshes.write(image, tmp_path / "groom" / "surfaces" / name / "spleen.vtp")
    particles = np.zeros((6, 6, 3))
    save_set(
        ParticleSet(
            tuple("abcdef"), ("train",) * 5 + ("test",), particles, particles, np.array(moves)
        ),
        tmp_path / "correspond" / "spleen.npz",
    )
    return tmp_path


def run(results):
    template.run(
        TemplateConfig(spacing_mm=1.5),
        anatomy="spleen",
        particles_file=results / "correspond" / "spleen.npz",
        results=results,
        mesh=results / "template" / "spleen.vtp",
        record=results / "template" / "spleen.json",
    )


def test_writes_the_medoid_and_why_nearer_ones_were_rejected(results):
    run(results)

    record = read_json(results / "template" / "spleen.json")
    assert record["subject"] in ("b", "d")
    shift = 100.0 * "abcdef".index(record["subject"])
    assert set(record["distances"]) == set("abcde")  # no test subject has a say
    assert "self-intersecting" in record["rejected"]["c"]
    assert np.array(record["transform"]).reshape(4, 4)[2, 3] == -shift
    mesh = meshes.read(results / "template" / "spleen.vtp")
    np.testing.assert_allclose(mesh.vertices.mean(0), [0, 0, shift], atol=0.5)


def test_a_missing_surface_is_named(results):
    (results / "groom" / "surfaces" / "b" / "spleen.vtp").unlink()
    with pytest.raises(DataError, match=r"b/spleen\.vtp"):
        run(results)
