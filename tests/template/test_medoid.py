"""The medoid is the subject nearest to the average, if its mesh is sound."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from massm.template.medoid import find_medoid
from tests.template.shapes import ellipsoid, pierced


@pytest.fixture
def population():
    """Ellipsoids that grow from a to e, each in its own image frame, and the way back."""
    surfaces, transforms = {}, {}
    for place, name in enumerate("abcde"):
        to_image = np.eye(4)
        to_image[:3, :3] = Rotation.from_euler(
            "xyz", [10 * place, 5, -20], degrees=True
        ).as_matrix()
        to_image[:3, 3] = [100 * place, -50, 30]
        surfaces[name] = ellipsoid(10 + 2 * place, 8, 7).transformed(to_image)
        transforms[name] = np.linalg.inv(to_image)
    return surfaces, transforms


def test_the_middle_subject_is_found_and_given_in_image_space(population):
    surfaces, transforms = population

    medoid = find_medoid(surfaces, transforms, spacing_mm=1.5)

    assert medoid.subject == "c"
    assert medoid.mesh is surfaces["c"]
    assert next(iter(medoid.distances)) == "c"
    assert medoid.distances["c"] < 0.4 < medoid.distances["a"]
    assert medoid.rejected == {}


def test_a_self_intersecting_mesh_gives_way_to_the_next(population):
    surfaces, transforms = population
    surfaces["c"] = pierced(surfaces["c"])

    medoid = find_medoid(surfaces, transforms, spacing_mm=1.5)

    assert medoid.subject in ("b", "d")
    assert "self-intersecting" in medoid.rejected["c"]


def test_no_sound_mesh_is_refused(population):
    surfaces, transforms = population
    spoiled = {name: pierced(mesh) for name, mesh in surfaces.items()}

    with pytest.raises(ValueError, match=r"none of 5 .* self-intersecting"):
        find_medoid(spoiled, transforms, spacing_mm=2.0)
