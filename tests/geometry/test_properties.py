"""What holds for any volume, box, transform and mesh, tried on drawn ones."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull, QhullError

from massm.geometry.alignment import (
    apply_transform,
    fit_similarity,
    generalized_procrustes,
    invert_transform,
)
from massm.geometry.boxes import box_iou, box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.rotation import nearest_rotations
from massm.geometry.volume import Volume
from tests.winding import signed_distance


def numbers(low, high):
    """Decimal numbers of two digits, so that examples stay readable."""
    return st.integers(round(100 * low), round(100 * high)).map(lambda value: value / 100)


def vectors(low, high, count=None):
    return arrays(float, 3 if count is None else (count, 3), elements=numbers(low, high))


@st.composite
def rotations(draw):
    quaternion = draw(arrays(float, 4, elements=numbers(-1, 1)))
    assume(np.linalg.norm(quaternion) > 0.1)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


@st.composite
def rigid_matrices(draw):
    matrix = np.eye(4)
    matrix[:3, :3] = draw(rotations())
    matrix[:3, 3] = draw(vectors(-500, 500))
    return matrix


@st.composite
def volumes(draw):
    shape = draw(st.tuples(*[st.integers(1, 5)] * 3))
    turn = draw(rotations()) * draw(st.sampled_from([1.0, -1.0]))  # left-handed axes exist too
    return Volume(np.zeros(shape), draw(vectors(0.1, 6)), draw(vectors(-900, 900)), turn)


@st.composite
def clouds(draw, count=8):
    """Points that span space, none of whose axes nearly vanish."""
    points = draw(vectors(-20, 20, count))
    assume(np.linalg.svd(points - points.mean(0), compute_uv=False)[2] > 1)
    return points


@st.composite
def convex_meshes(draw):
    points = draw(clouds(10))
    try:
        hull = ConvexHull(points)
    except QhullError:
        assume(False)
    assume(hull.volume > 100)
    used, faces = np.unique(hull.simplices, return_inverse=True)
    vertices, faces = points[used], faces.reshape(-1, 3)
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = (normal * (corners.mean(1) - vertices.mean(0))).sum(1) < 0
    faces[inward] = faces[inward, ::-1]
    mesh = Mesh(vertices, faces)
    assume(mesh.is_closed)
    return mesh


@given(volumes(), vectors(-50, 50, 4))
def test_an_index_comes_back_from_its_point(volume, index):
    point = volume.index_to_point(index)
    np.testing.assert_allclose(volume.point_to_index(point), index, atol=1e-8)
    np.testing.assert_allclose(apply_transform(volume.affine, index), point, atol=1e-9)


@given(volumes(), vectors(-900, 900, 4))
def test_a_point_comes_back_from_its_index(volume, point):
    back = volume.index_to_point(volume.point_to_index(point))
    np.testing.assert_allclose(back, point, atol=1e-3)


@given(volumes())
def test_a_voxel_holds_the_volume_that_its_axes_span(volume):
    spanned = abs(np.linalg.det(volume.affine[:3, :3])) / 1000
    assert volume.voxel_ml == pytest.approx(spanned, rel=1e-9)


boxes = st.tuples(vectors(-30, 30), vectors(0, 20))


@given(boxes, boxes, vectors(-500, 500), numbers(0.1, 9))
def test_overlap_is_symmetric_in_range_and_moves_along(first, second, shift, scale):
    iou = float(box_iou(*first, *second))
    assert 0 <= iou <= 1
    assert float(box_iou(*second, *first)) == iou
    moved = [(scale * center + shift, scale * radius) for center, radius in (first, second)]
    assert float(box_iou(*moved[0], *moved[1])) == pytest.approx(iou, abs=1e-6)


@given(boxes)
def test_a_box_overlaps_itself_wholly_and_one_beside_it_not_at_all(box):
    center, radius = box
    assume((radius > 0).all())
    assert float(box_iou(center, radius, center, radius)) == pytest.approx(1)
    beside = center + np.array([2 * radius[0] + 0.01, 0, 0])
    assert float(box_iou(center, radius, beside, radius)) == 0


@given(vectors(-30, 30, 6), vectors(-500, 500))
def test_the_box_of_points_holds_them_tightly(points, shift):
    center, radius = box_of(points)
    inside = np.abs(points - center) <= radius + 1e-9
    assert inside.all()
    np.testing.assert_allclose(np.abs(points - center).max(0), radius, atol=1e-9)
    moved = box_of(points + shift)
    np.testing.assert_allclose(moved[0], center + shift, atol=1e-9)
    np.testing.assert_allclose(moved[1], radius, atol=1e-9)


@given(rigid_matrices(), vectors(-500, 500, 5))
def test_a_transform_is_undone_by_its_inverse(matrix, points):
    back = apply_transform(invert_transform(matrix), apply_transform(matrix, points))
    np.testing.assert_allclose(back, points, atol=1e-8)


@given(clouds(), rigid_matrices(), numbers(0.2, 5))
def test_a_similarity_is_found_again(points, matrix, scale):
    moved = apply_transform(matrix, scale * points)
    fit = fit_similarity(*map(torch.from_numpy, (points, moved)))
    assert float(fit.scale) == pytest.approx(scale, rel=1e-8)
    np.testing.assert_allclose(fit.rotation.numpy(), matrix[:3, :3], atol=1e-7)
    np.testing.assert_allclose(fit.translation.numpy(), matrix[:3, 3], atol=1e-6)


@given(clouds(), clouds(), rigid_matrices())
def test_a_fit_turns_with_its_target(source, target, matrix):
    plain = fit_similarity(*map(torch.from_numpy, (source, target))).apply(torch.from_numpy(source))
    moved = fit_similarity(*map(torch.from_numpy, (source, apply_transform(matrix, target))))
    residual = np.linalg.norm(plain.numpy() - target)
    again = moved.apply(torch.from_numpy(source)).numpy() - apply_transform(matrix, target)
    assert np.linalg.norm(again) == pytest.approx(residual, rel=1e-6)
    assert float(torch.linalg.det(moved.rotation)) == pytest.approx(1)
    assert residual <= np.linalg.norm(target - target.mean(0)) + 1e-9  # no worse than a point


@given(clouds(), st.lists(rigid_matrices(), min_size=2, max_size=4), st.booleans())
def test_moved_copies_of_a_shape_are_aligned_to_one(points, matrices, allow_scale):
    copies = np.stack([apply_transform(matrix, points) for matrix in matrices])
    aligned, found = generalized_procrustes(torch.from_numpy(copies), allow_scale=allow_scale)
    np.testing.assert_allclose(aligned.numpy(), aligned[:1].expand_as(aligned), atol=1e-4)
    np.testing.assert_allclose(aligned.mean(1).numpy(), 0, atol=1e-6)
    for matrix, copy, result in zip(found.numpy(), copies, aligned.numpy(), strict=True):
        np.testing.assert_allclose(apply_transform(matrix, copy), result, atol=1e-6)
        assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1, abs=1e-6)


@given(arrays(float, (3, 3), elements=numbers(-5, 5)), rotations())
def test_the_nearest_rotation_is_proper_and_none_is_nearer(matrix, other):
    assume(np.linalg.norm(matrix) > 0.1)
    found = nearest_rotations(torch.from_numpy(matrix[None]))[0].numpy()
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(found) == pytest.approx(1, abs=1e-6)
    assert np.trace(found.T @ matrix) >= np.trace(other.T @ matrix) - 1e-6 * np.abs(matrix).sum()


@given(rotations(), numbers(0.1, 9))
def test_a_rotation_is_its_own_nearest(rotation, scale):
    found = nearest_rotations(torch.from_numpy(scale * rotation[None]))[0].numpy()
    np.testing.assert_allclose(found, rotation, atol=1e-7)


@given(convex_meshes(), rigid_matrices())
def test_area_and_volume_stay_when_a_mesh_is_moved(mesh, matrix):
    moved = mesh.transformed(matrix)
    assert mesh.volume == pytest.approx(ConvexHull(mesh.vertices).volume)
    assert moved.volume == pytest.approx(mesh.volume, rel=1e-9)
    assert moved.area == pytest.approx(mesh.area, rel=1e-9)
    assert moved.is_closed
    assert moved.euler_characteristic == 2


@given(convex_meshes(), numbers(0.1, 9), st.sampled_from([0, 1, 2]))
def test_a_mirrored_mesh_stays_outward_and_a_scaled_one_grows_by_the_cube(mesh, scale, axis):
    mirror = np.eye(4)
    mirror[axis, axis] = -scale
    for other in {0, 1, 2} - {axis}:
        mirror[other, other] = scale
    assert mesh.transformed(mirror).volume == pytest.approx(scale**3 * mesh.volume)
    assert mesh.transformed(mirror).area == pytest.approx(scale**2 * mesh.area)


@given(convex_meshes(), rigid_matrices(), vectors(-40, 40, 6))
def test_distances_to_a_surface_stay_when_all_is_moved(mesh, matrix, points):
    before = SurfaceIndex(mesh).closest(points)
    after = SurfaceIndex(mesh.transformed(matrix)).closest(apply_transform(matrix, points))
    np.testing.assert_allclose(after.distance, before.distance, atol=1e-6)
    apart = np.linalg.norm(points - before.point, axis=1)
    np.testing.assert_allclose(apart, before.distance, atol=1e-6)
    nearest_vertex = np.linalg.norm(points[:, None] - mesh.vertices, axis=2).min(1)
    assert (before.distance <= nearest_vertex + 1e-6).all()


@given(convex_meshes())
def test_the_middle_of_a_convex_mesh_is_inside(mesh):
    assert signed_distance(mesh, mesh.vertices.mean(0)[None])[0] < 0
