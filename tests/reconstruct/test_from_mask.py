"""Predicted masks become surfaces in image space."""

import numpy as np
import pytest

from massm.config.groom import SurfaceConfig
from massm.geometry.boxes import box_of
from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.reconstruct.from_mask import surface_of_mask, surface_of_probability

CENTER = np.array([40.0, -20.0, 500.0])


@pytest.fixture
def probability():
    """A soft ball of 15 mm, sure in the middle."""
    grid = Volume(np.zeros((20, 20, 20)), np.full(3, 3.0), CENTER - 28.5)
    index = np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T
    distance = np.linalg.norm(grid.index_to_point(index) - CENTER, axis=1)
    return grid.with_array(1 / (1 + np.exp(distance - 15)).reshape(grid.array.shape))


def test_a_probability_map_gives_its_half_level(probability):
    surface = surface_of_probability(probability)

    assert surface.is_closed
    np.testing.assert_allclose(box_of(surface.vertices)[0], CENTER, atol=0.05)
    assert np.linalg.norm(surface.vertices - CENTER, axis=1).mean() == pytest.approx(15, abs=0.2)


def test_a_mask_is_groomed_as_the_reference_is(probability):
    config = SurfaceConfig(
        spacing_mm=2.0,
        antialias_iterations=5,
        handle_mm=0.0,
        smoothing_voxels=7.0,
        faces=1000,
        hole_mm=0.0,
    )
    mask = probability.with_array(probability.array > 0.5)

    surface = surface_of_mask(mask, config)

    assert surface.volume_ml == pytest.approx(mask.array.sum() * mask.voxel_ml, rel=1e-3)
    np.testing.assert_allclose(box_of(surface.vertices)[0], CENTER, atol=0.5)


def test_an_empty_prediction_is_refused(probability):
    nothing = probability.with_array(np.zeros_like(probability.array))
    with pytest.raises(DataError, match="no surface"):
        surface_of_probability(nothing)
    with pytest.raises(DataError, match="not finite"):
        surface_of_probability(probability.with_array(probability.array * np.nan))
