"""What an anatomy was given as makes no difference to where its groomed surface lies."""

import numpy as np
import pytest

from massm.geometry.isosurface import isosurface
from massm.groom.shapes import groom_shape, shape_in
from massm.io.images import Segmentation
from tests.groom.shapes import draw

CENTER, RADIUS_MM = np.array([5.0, -7, 30]), 18.0


def test_a_mask_a_distance_and_a_mesh_of_one_ball_are_groomed_alike(surface_config):
    distance = draw(
        lambda p: RADIUS_MM - np.linalg.norm(p, axis=1), spacing=(2, 2, 2), center=CENTER
    )
    mask = distance.with_array(distance.array > 0)
    shapes = (
        shape_in(Segmentation(mask, False, ())),
        shape_in(Segmentation(distance, True, ())),
        isosurface(distance, 0.0),
    )
    for shape in shapes:
        surface = groom_shape(shape, surface_config).surface
        away = np.linalg.norm(surface.vertices - CENTER, axis=1)
        assert away.mean() == pytest.approx(RADIUS_MM, abs=0.4)
        assert away.std() < 0.3
        assert surface.is_closed


def test_of_an_image_no_more_is_kept_than_the_anatomy(surface_config):
    small = draw(lambda p: np.linalg.norm(p, axis=1) < 6, spacing=(2, 2, 2), center=CENTER)
    kept = shape_in(Segmentation(small, False, ()))
    assert kept.array.size < small.array.size / 20
    assert kept.array.sum() == small.array.sum()
    assert not np.shares_memory(kept.array, small.array)
