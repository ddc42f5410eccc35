"""Nearest rotations, against singular value decompositions."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from massm.geometry.rotation import nearest_rotations


def decomposed(matrices):
    u, _, v_transposed = torch.linalg.svd(matrices)
    flip = torch.det(u @ v_transposed).sign()
    u[:, :, 2] *= flip[:, None]
    return u @ v_transposed


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_it_is_what_a_singular_value_decomposition_gives(scale):
    generator = torch.Generator().manual_seed(0)
    matrices = scale * torch.randn(500, 3, 3, generator=generator, dtype=torch.float64)
    found = nearest_rotations(matrices)
    torch.testing.assert_close(found, decomposed(matrices), rtol=0, atol=1e-8)


def test_a_rotation_is_its_own(rng):
    rotations = torch.from_numpy(Rotation.random(50, random_state=rng).as_matrix())
    torch.testing.assert_close(nearest_rotations(3 * rotations), rotations)


def test_half_a_turn_and_none():
    rotations = torch.from_numpy(
        Rotation.from_euler(
            "xyz", [[0, 0, 0], [180, 0, 0], [0, 180, 0], [0, 0, 180]], degrees=True
        ).as_matrix()
    )
    torch.testing.assert_close(nearest_rotations(rotations), rotations)


def test_where_several_are_equally_near_it_gives_one_of_them(rng):
    lines = np.einsum("na,nb->nab", rng.normal(size=(20, 3)), rng.normal(size=(20, 3)))
    mirrors = -np.eye(3)[None]
    matrices = torch.from_numpy(np.concatenate([lines, mirrors, np.zeros((1, 3, 3))]))
    found = nearest_rotations(matrices)
    identity = torch.eye(3, dtype=torch.float64).expand_as(found)
    torch.testing.assert_close(found @ found.mT, identity)
    torch.testing.assert_close(torch.det(found), torch.ones(22, dtype=torch.float64))
    traces = (found * matrices).sum((1, 2))
    torch.testing.assert_close(traces, (decomposed(matrices) * matrices).sum((1, 2)))


def test_it_runs_in_single_precision():
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(100, 3, 3, generator=generator)
    found = nearest_rotations(matrices)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, decomposed(matrices), rtol=0, atol=1e-2)
