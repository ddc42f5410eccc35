"""Labels of voxels: made of masks, distances and surfaces, asked at points, numbered anew."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from massm.geometry.isosurface import isosurface
from massm.geometry.volume import Volume
from massm.io.images import Segmentation
from massm.tensors.label_export import filled, label_map
from massm.tensors.labels import Labels

CENTER = np.array([40.0, -25.0, 310.0])
GRID = Volume(np.zeros((24, 26, 28)), np.full(3, 2.5), CENTER - [34.3, 32.9, 31.1])
RADIUS = 16.0


def depth(volume, center=CENTER, radius=RADIUS):
    """How deep in a ball the voxels lie, mm."""
    index = np.indices(volume.array.shape, float)[::-1].reshape(3, -1).T
    away = np.linalg.norm(volume.index_to_point(index) - center, axis=1)
    return (radius - away).reshape(volume.array.shape)


def drawn(spacing, center=CENTER, radius=RADIUS, turn=0.0):
    """The mask of a ball on a grid of its own, which may be turned."""
    spacing = np.asarray(spacing, float)
    counts = np.ceil(80 / spacing[::-1]).astype(int)
    direction = Rotation.from_rotvec([0.0, 0.0, turn]).as_matrix()
    origin = center - direction @ (spacing * (counts[::-1] - 1) / 2 + 0.3)
    grid = Volume(np.zeros(counts), spacing, origin, direction)
    return grid.with_array(depth(grid, center, radius) > 0)


def mask(*args, **kwargs):
    return Segmentation(drawn(*args, **kwargs), False, ())


@pytest.mark.parametrize(
    ("spacing", "turn"), [((1.0, 1.0, 1.0), 0.0), ((2.5, 2.5, 2.5), 0.4), ((4.0, 4.0, 3.0), 0.2)]
)
def test_a_mask_of_any_resolution_and_direction_keeps_its_volume_and_place(spacing, turn):
    given = mask(spacing, turn=turn)
    labels = label_map(GRID, {3: given})
    assert set(np.unique(labels)) == {0, 3}
    found = np.argwhere(labels == 3)[:, ::-1].astype(float)
    place = GRID.index_to_point(found).mean(axis=0)
    inside = np.argwhere(given.volume.array)[:, ::-1].astype(float)
    own = given.volume.index_to_point(inside).mean(axis=0)
    np.testing.assert_allclose(place, own, atol=0.3)
    volume = len(found) * GRID.voxel_ml
    assert volume == pytest.approx(len(inside) * given.volume.voxel_ml, rel=0.03)


def test_a_coarse_mask_loses_the_steps_of_its_voxels():
    coarse = mask((6.0, 6.0, 6.0))
    labels = label_map(GRID, {1: coarse})
    truth = depth(GRID) > 0
    index = np.indices(GRID.array.shape, float)[::-1].reshape(3, -1).T
    nearest = np.rint(coarse.volume.point_to_index(GRID.index_to_point(index))).astype(int)
    blocky = coarse.volume.array[tuple(nearest[:, ::-1].T)].reshape(truth.shape)
    assert (labels != truth).sum() < 0.7 * (blocky != truth).sum()


def test_mask_distance_and_surface_of_one_shape_say_the_same():
    fine = drawn((1.0, 1.0, 1.0))
    distance = fine.with_array(depth(fine))
    kinds = (mask((1.0, 1.0, 1.0)), Segmentation(distance, True, ()), isosurface(distance))
    first, *others = (label_map(GRID, {1: kind}) for kind in kinds)
    for other in others:
        assert (first != other).mean() < 0.002


def test_the_share_of_a_voxel_is_one_half_at_the_outline():
    box, share = filled(GRID, mask((1.0, 1.0, 1.0)))
    away = depth(GRID)[box]
    near = np.abs(away) < 0.2
    assert share[near].mean() == pytest.approx(0.5, abs=0.05)
    assert (share[away > 3] > 0.99).all()
    assert (share[away < -3] < 0.01).all()


def test_of_anatomies_that_overlap_the_one_that_fills_more_has_the_voxel():
    left, right = (mask((2.5, 2.5, 2.5), CENTER + [x, 0, 0]) for x in (-8.0, 8.0))
    labels = label_map(GRID, {1: left, 2: right})
    x = GRID.index_to_point(np.argwhere(labels == 1)[:, ::-1].astype(float))[:, 0]
    both = depth(GRID, CENTER - [8, 0, 0]) + depth(GRID, CENTER + [8, 0, 0]) > 0
    assert both.any()
    assert x.min() < CENTER[0] - 20
    same = label_map(GRID, {2: left, 1: left})
    assert set(np.unique(same)) == {0, 1}  # equal shares: the lower number


def test_an_anatomy_that_lies_outside_of_the_grid_or_in_part_is_cut():
    away = mask((2.5, 2.5, 2.5), CENTER + [500.0, 0, 0])
    assert not label_map(GRID, {1: away}).any()
    corner = mask((2.5, 2.5, 2.5), GRID.origin)
    labels = label_map(GRID, {1: corner})
    assert labels[0, 0, 0] == 1
    assert labels.sum() * 2.5**3 == pytest.approx(np.pi * RADIUS**3 / 6, rel=0.3)


def test_points_are_told_the_anatomy_of_their_voxel_and_none_outside():
    values = torch.zeros(2, 3, 4, dtype=torch.uint8)
    values[1, 2, 3], values[0, 0, 0] = 2, 1
    labels = Labels(values, torch.tensor([10.0, 20.0, 30.0]), 2.0, torch.tensor([True, True]))
    points = torch.tensor(
        [[16.0, 24.0, 32.0], [16.9, 24.9, 32.9], [17.1, 24, 32], [10, 20, 30], [8.9, 20, 30]]
    )
    assert labels.at(points).tolist() == [2, 2, 0, 1, 0]


def test_of_some_anatomies_labels_are_numbered_as_if_there_were_no_others():
    values = torch.tensor([[[0, 1, 2, 3]]], dtype=torch.uint8)
    labels = Labels(values, torch.zeros(3), 1.0, torch.tensor([True, False, True]))
    taken = labels.take([2, 1])
    assert taken.values.flatten().tolist() == [0, 0, 2, 1]
    assert taken.known.tolist() == [True, False]
    assert (labels.there, taken.there, labels.take([0]).there) == ([1, 2, 3], [1, 2], [1])
    assert labels.take(None) is labels
