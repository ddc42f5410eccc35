"""Signed distances are told from masks, probabilities and scans, and turned inside up."""

import numpy as np
import pytest
from scipy import ndimage

from massm.geometry.isosurface import isosurface
from massm.geometry.signed_distance import signed_distance
from massm.geometry.volume import Volume
from tests.groom.shapes import draw, oblique

CENTER = np.array([-40.0, 12.0, 310.0])
RADIUS = 15.3


def sphere_distance(points):
    return RADIUS - np.linalg.norm(points, axis=1)


@pytest.fixture
def distance():
    """Positive inside, on a turned grid of three spacings."""
    spacing = (0.9, 1.2, 2.5)
    place = {"center": CENTER, "radius_mm": 22.0, "direction": oblique()}
    drawn = draw(lambda points: points[:, 0] > 0, spacing=spacing, **place)
    index = np.indices(drawn.array.shape, float)[::-1].reshape(3, -1).T
    values = sphere_distance(drawn.index_to_point(index) - CENTER)
    return drawn.with_array(values.reshape(drawn.array.shape).astype(np.float32))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_zero_level_is_the_sphere_whatever_the_sign_of_its_inside(distance, sign):
    found = signed_distance(distance.with_array(sign * distance.array))
    np.testing.assert_array_equal(found.array, distance.array)
    surface = isosurface(found)
    away = np.linalg.norm(surface.vertices - CENTER, axis=1) - RADIUS
    assert np.abs(away).max() < 0.1 * distance.spacing.min()
    assert surface.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)


def test_distances_between_voxel_centers_blurred_and_clipped_ones_are_known(distance):
    inside = distance.array > 0
    sampling = distance.spacing[::-1]
    between = ndimage.distance_transform_edt(inside, sampling=sampling)
    between -= ndimage.distance_transform_edt(~inside, sampling=sampling)
    for array in (between, ndimage.gaussian_filter(-between, 1), np.clip(distance.array, -4, 4)):
        found = signed_distance(distance.with_array(array.astype(np.float32)))
        assert (found.array > 0).mean() == pytest.approx(inside.mean(), rel=0.05)


@pytest.mark.parametrize("values", [(0, 1), (-1024, 1), (0, 0.004), (0, 0)])
def test_two_values_are_a_mask(distance, values):
    mask = np.where(distance.array > 0, values[1], values[0]).astype(np.float32)
    assert signed_distance(distance.with_array(mask)) is None


def test_whole_numbers_are_a_label_map(distance, rng):
    labels = rng.integers(0, 5, distance.array.shape) + np.float32(1e-4)
    assert signed_distance(distance.with_array(labels.astype(np.float32))) is None


def scan(distance, rng):
    inside = ndimage.gaussian_filter((distance.array > 0).astype(float), 1)
    return 1050 * inside - 1000 + rng.normal(0, 20, inside.shape)


def standardized(distance, rng):
    values = scan(distance, rng)
    return (values - values.mean()) / values.std()


def probability(distance, rng):
    return ndimage.gaussian_filter((distance.array > 0).astype(float), 1)


def in_voxels(distance, rng):
    return distance.array / 2.5


def plane(distance, rng):
    apart = (np.arange(24) - 11.5) * distance.spacing[0]
    return np.broadcast_to(apart, (20, 20, 24))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (scan, r"real numbers from -1\d+ to .* neither a mask nor a signed .* Give the anatomy's"),
        (standardized, r"neither .* which changes by 1 per mm .*found"),
        (probability, r"from 0 to 1 are neither .*of a probability .* above 0\.5 as a mask"),
        (in_voxels, r"found 0\.[34]\d+ .*or the distance in millimeters"),
        (lambda distance, rng: np.abs(distance.array), "takes both signs"),
        (lambda distance, rng: np.where(distance.array > 14, np.nan, distance.array), "no number"),
        (plane, "whose inside can be told: 50% of the grid's border"),
    ],
    ids=["scan", "standardized", "probability", "voxels", "unsigned", "nan", "border"],
)
def test_what_is_neither_is_refused_with_what_was_found(distance, rng, image, message):
    array = image(distance, rng).astype(np.float32)
    with pytest.raises(ValueError, match=message):
        signed_distance(Volume(array, distance.spacing))
