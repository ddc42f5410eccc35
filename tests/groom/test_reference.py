"""The reference is the most typical surface."""

import numpy as np
import pytest

from massm.groom.cloud import Cloud
from massm.groom.reference import choose_reference


def ellipsoid_cloud(rng, *radii):
    normals = rng.normal(size=(400, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Cloud(normals * radii + 50, normals, np.full(3, 50.0))


def test_the_middle_of_a_range_is_chosen(rng):
    sizes = {"s1": 10, "s2": 14, "s3": 18, "s4": 22, "s5": 26}
    clouds = {name: ellipsoid_cloud(rng, size, 12, 9) for name, size in sizes.items()}

    assert choose_reference(clouds, candidates=5) == "s3"


def test_an_outlier_among_few_candidates_is_not_chosen(rng):
    clouds = {f"s{i}": ellipsoid_cloud(rng, 20 + i, 12, 9) for i in range(5)}
    clouds["a_giant"] = ellipsoid_cloud(rng, 60, 40, 30)

    assert choose_reference(clouds, candidates=2) != "a_giant"


def test_nobody_to_choose_from_is_refused():
    with pytest.raises(ValueError, match="there is none"):
        choose_reference({}, candidates=3)
