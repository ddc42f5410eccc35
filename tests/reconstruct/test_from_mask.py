"""Predicted masks and probabilities become surfaces in image space."""

import numpy as np
import pytest

from massm.config.groom import SurfaceConfig
from massm.geometry.boxes import box_of
from massm.geometry.volume import Volume
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.probabilities import in_bytes
from massm.reconstruct.from_mask import (
    surface_of_mask,
    surfaces_of_probability,
    write_probability_surface,
)

CENTER = np.array([40.0, -20.0, 500.0])


@pytest.fixture
def probability():
    """A soft ball of 15 mm, sure in the middle."""
    grid = Volume(np.zeros((20, 20, 20)), np.full(3, 3.0), CENTER - 28.5)
    index = np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T
    distance = np.linalg.norm(grid.index_to_point(index) - CENTER, axis=1)
    return grid.with_array(1 / (1 + np.exp(distance - 15)).reshape(grid.array.shape))


CONFIG = SurfaceConfig(
    spacing_mm=2.0,
    antialias_iterations=5,
    handle_mm=0.0,
    smoothing_voxels=7.0,
    faces=1000,
    hole_mm=0.0,
)


def in_255ths(probability):
    return probability.with_array(in_bytes(probability.array))


def test_a_probability_map_gives_its_half_level_groomed_and_raw(probability):
    surface, raw = surfaces_of_probability(in_255ths(probability), CONFIG, "s1 ball")
    for mesh in (surface, raw):
        assert mesh.is_closed
        np.testing.assert_allclose(box_of(mesh.vertices)[0], CENTER, atol=0.1)
        assert np.linalg.norm(mesh.vertices - CENTER, axis=1).mean() == pytest.approx(15, abs=0.2)
    assert len(surface.faces) == pytest.approx(1000, rel=0.1)


def test_the_raw_surface_has_all_pieces_the_other_the_largest(probability, tmp_path):
    probability.array[1:3, 1:3, 1:3] = 0.9
    flaws = write_probability_surface(
        in_255ths(probability), CONFIG, tmp_path / "a.vtp", tmp_path / "a-raw.vtp", "s1 ball"
    )
    assert flaws == {"folded": 0, "crossing": 0, "pieces": 2}
    surface, raw = (meshes.read(tmp_path / name) for name in ("a.vtp", "a-raw.vtp"))
    far = [np.linalg.norm(mesh.vertices - CENTER, axis=1).max() for mesh in (surface, raw)]
    assert far[0] < 16 < 40 < far[1]


def test_a_mask_is_groomed_as_the_reference_is(probability):
    mask = probability.with_array(probability.array > 0.5)

    surface = surface_of_mask(mask, CONFIG)

    assert surface.volume_ml == pytest.approx(mask.array.sum() * mask.voxel_ml, rel=1e-3)
    np.testing.assert_allclose(box_of(surface.vertices)[0], CENTER, atol=0.5)


def test_an_empty_prediction_is_refused(probability):
    nothing = probability.with_array(np.zeros(probability.array.shape, np.uint8))
    with pytest.raises(DataError, match="s1 ball: no surface in the probabilities"):
        surfaces_of_probability(nothing, CONFIG, "s1 ball")
