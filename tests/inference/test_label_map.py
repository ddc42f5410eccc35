"""Which voxels belong to which anatomy, on grids of any orientation."""

from dataclasses import replace

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.label_map import label_map
from massm.inference.shapes import ScanShapes
from tests.inference.scan_shapes import (
    LIVER,
    LIVER_RADII,
    SPLEEN,
    SPLEEN_RADII,
    middle_of,
    oblique_scan,
    scan_shapes,
)


def inside(volume, center, radii):
    """Voxels whose centers lie in an ellipsoid, by its formula."""
    z, y, x = np.indices(volume.array.shape)
    points = volume.index_to_point(np.stack([x, y, z], -1).astype(float))
    return (((points - center) / radii) ** 2).sum(-1)


def test_voxels_of_an_oblique_grid_are_those_whose_centers_lie_inside():
    volume = oblique_scan()
    labels = label_map(scan_shapes(volume))
    depth = inside(volume, middle_of(volume), LIVER_RADII)
    found = labels.volume.array == 1
    certain = np.abs(depth - 1) > 0.02  # the polyhedron lies a little inside the ellipsoid
    np.testing.assert_array_equal(found[certain], (depth < 1)[certain])
    assert certain.mean() > 0.98
    assert labels.voxels[LIVER] == found.sum() > 3500


def test_the_volume_of_the_voxels_is_that_of_the_surface():
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    labels = label_map(shapes)
    for name in (LIVER,):
        filled = labels.voxels[name] * labels.volume.voxel_ml
        assert filled == pytest.approx(shapes[name].volume_ml, rel=0.01)


def test_the_label_map_lies_on_the_grid_of_the_scan():
    volume = oblique_scan()
    found = label_map(scan_shapes(volume)).volume
    assert found.size == volume.size
    assert found.array.dtype == np.uint8
    np.testing.assert_array_equal(found.affine, volume.affine)


def test_a_contested_voxel_goes_to_the_anatomy_in_which_it_lies_deeper_and_is_counted():
    volume = oblique_scan()
    shapes = scan_shapes(volume, apart_mm=15.0)
    labels = label_map(shapes)
    liver = inside(volume, middle_of(volume), LIVER_RADII) < 1
    center = middle_of(volume) + volume.direction[:, 0] * 15.0
    spleen = inside(volume, center, SPLEEN_RADII) < 1
    both = liver & spleen
    assert labels.overlaps == {(LIVER, SPLEEN): pytest.approx(both.sum(), rel=0.05)}
    # The middle of the spleen lies deep in it alone; the middle of the liver in the liver.
    given = {label: (labels.volume.array[both] == label).sum() for label in (0, 1, 3)}
    assert given[1] > 0.1 * both.sum()
    assert given[3] > 0.1 * both.sum()
    assert given[0] < 0.05 * both.sum()
    turned_round = ScanShapes(
        shapes.name, shapes.grid, dict(reversed(list(shapes.anatomies.items())))
    )
    np.testing.assert_array_equal(label_map(turned_round).volume.array, labels.volume.array)


def test_what_lies_outside_of_the_scan_has_no_voxel():
    labels = label_map(scan_shapes(oblique_scan(), apart_mm=500.0))
    assert labels.voxels[SPLEEN] == 0
    assert set(np.unique(labels.volume.array)) == {0, 1}


def test_storage_order_changes_nothing():
    volume = oblique_scan()
    shapes = scan_shapes(volume)
    last = volume.size[0] - 1
    flipped = Volume(
        volume.array[:, :, ::-1].copy(),
        volume.spacing,
        volume.index_to_point(np.array([last, 0, 0.0])),
        volume.direction * [-1, 1, 1],
    )
    other = scan_shapes(flipped)
    same = ScanShapes(
        "ct7",
        other.grid,
        {n: replace(shape, surface=shapes[n].surface) for n, shape in other.anatomies.items()},
    )
    np.testing.assert_array_equal(
        label_map(same).volume.array[:, :, ::-1], label_map(shapes).volume.array
    )


def test_a_surface_with_a_hole_is_refused():
    shapes = scan_shapes(oblique_scan())
    mesh = shapes[LIVER].surface
    shapes.anatomies[LIVER] = replace(shapes[LIVER], surface=Mesh(mesh.vertices, mesh.faces[1:]))
    with pytest.raises(ValueError, match="not closed"):
        label_map(shapes)
