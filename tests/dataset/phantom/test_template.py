"""The organs' surfaces: closed, one piece, of the right size, apart from each other."""

import numpy as np
import pytest

from massm.dataset.phantom.anatomies import ANATOMIES
from massm.dataset.phantom.template import anatomy_surface
from tests.winding import signed_distance

VOLUMES_ML = {
    "heart_ventricle_left": (60, 150),
    "heart_ventricle_right": (90, 200),
    "heart_atrium_left": (50, 130),
    "heart_atrium_right": (60, 160),
    "lung_upper_lobe_left": (700, 1500),
    "lung_upper_lobe_right": (600, 1300),
    "spleen": (100, 300),
}


def test_all_seven_are_there():
    assert set(ANATOMIES) == set(VOLUMES_ML)


@pytest.mark.parametrize("name", VOLUMES_ML)
def test_a_surface_is_closed_and_of_an_adults_size(atlas, name):
    mesh = atlas.surfaces[name]
    low, high = VOLUMES_ML[name]
    assert mesh.is_closed
    assert mesh.euler_characteristic == 2
    assert low < mesh.volume_ml < high
    assert np.abs(ANATOMIES[name](mesh.vertices)).max() < 0.05


def test_about_as_many_points_as_asked_for(atlas):
    counts = [len(mesh.vertices) for mesh in atlas.surfaces.values()]
    assert min(counts) > 350
    assert max(counts) < 1600  # the lobes, whose thin parts need more
    finer = anatomy_surface(ANATOMIES["spleen"], 1000)
    assert 1.6 < len(finer.vertices) / len(atlas.surfaces["spleen"].vertices) < 2.4


def test_organs_do_not_overlap(atlas):
    for name, mesh in atlas.surfaces.items():
        for other, surface in atlas.surfaces.items():
            if other != name:
                assert signed_distance(mesh, surface.vertices).min() > 0, (name, other)


def test_no_organ_is_an_ellipsoid(atlas):
    for name, mesh in atlas.surfaces.items():
        centered = mesh.vertices - mesh.vertices.mean(axis=0)
        axes = np.linalg.svd(centered, full_matrices=False)[2]
        radii = np.abs(centered @ axes.T).max(axis=0)
        level = np.linalg.norm(centered @ axes.T / radii, axis=1)
        assert level.std() > 0.05, name
