"""Shapes that networks cannot use are refused."""

import numpy as np
import pytest

from massm.geometry.particles import ParticleSet
from massm.io.errors import DataError
from massm.tensors.template import refuse_scaled


def population(scale, mirrored=False):
    turn = np.eye(4)
    turn[:2, :2] = [[0.6, -0.8], [0.8, 0.6]]
    turn[:3, 3] = [5.0, -2.0, 40.0]
    scaled = turn @ np.diag([-scale if mirrored else scale, scale, scale, 1.0])
    points = np.zeros((2, 4, 3))
    return ParticleSet(("s0", "s1"), ("train", "test"), points, points, np.stack([turn, scaled]))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_population_scaled_to_a_common_size_is_refused(mirrored):
    refuse_scaled("spleen", population(1.0, mirrored))
    with pytest.raises(DataError, match=r"spleen: .* s1 are scaled by 0\.800.*entropy\.scale"):
        refuse_scaled("spleen", population(0.8, mirrored))
