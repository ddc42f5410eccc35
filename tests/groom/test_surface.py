"""Grooming keeps volume, place and thin parts, and gives closed even surfaces."""

import numpy as np
import pytest

from massm.geometry.boxes import box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.groom.surface import groom_mask, groom_mesh
from massm.io.errors import DataError
from tests.groom.shapes import FLIP, draw, ellipsoid, oblique, slab, torus

COARSE = (4.0, 4.0, 2.5)


@pytest.fixture
def ball():
    """A sphere of 20 mm around (5, -7, 30) as a mesh."""
    return groomed_ball(np.array([5.0, -7, 30]))


def groomed_ball(center):
    mask = draw(lambda p: 20 - np.linalg.norm(p, axis=1), spacing=(2, 2, 2), center=center)
    return isosurface(mask, 0.0)


@pytest.mark.parametrize("radii", [(20, 20, 20), (30, 18, 12)])
def test_volume_and_shape_of_an_ellipsoid(surface_config, radii):
    groomed = groom_mask(draw(ellipsoid(*radii), spacing=COARSE), surface_config)

    true_ml = 4 / 3 * np.pi * np.prod(radii) / 1000
    assert groomed.surface.volume_ml == pytest.approx(groomed.source_volume_ml, rel=1e-3)
    assert groomed.surface.volume_ml == pytest.approx(true_ml, rel=0.02)
    assert groomed.surface.is_closed
    assert groomed.genus == 0
    assert len(groomed.surface.faces) == pytest.approx(2000, rel=0.02)
    implicit = np.square(groomed.surface.vertices / np.array(radii)).sum(1)
    assert np.abs(np.sqrt(implicit) - 1).mean() * min(radii) < 0.5  # an eighth of a voxel
    assert groomed.error_mm < 1.0


@pytest.mark.parametrize("direction", [np.eye(3), FLIP, oblique(), oblique() @ FLIP])
def test_surface_lies_where_the_scanner_saw_it(surface_config, direction):
    center = np.array([-60.0, 110.0, -700.0])
    mask = draw(ellipsoid(28, 15, 20), spacing=COARSE, center=center, direction=direction)

    surface = groom_mask(mask, surface_config).surface

    middle, radius = box_of(surface.vertices)
    np.testing.assert_allclose(middle, center, atol=0.7)
    np.testing.assert_allclose(radius, [28, 15, 20], atol=1.2)
    assert surface.volume > 0  # faces outward


def test_a_plate_of_one_voxel_survives_with_its_volume(surface_config):
    mask = draw(slab(25, 25, 1.2), spacing=COARSE)

    groomed = groom_mask(mask, surface_config)

    assert groomed.surface.volume_ml == pytest.approx(groomed.source_volume_ml, rel=1e-3)
    assert groomed.genus == 0
    extent = np.ptp(groomed.surface.vertices, axis=0)
    np.testing.assert_allclose(extent[:2], 52, atol=4)


def test_a_rod_of_one_voxel_stays_in_one_piece(surface_config):
    def rod_with_knobs(points):
        rod = slab(28, 1, 1)(points)
        return (
            rod | ellipsoid(8, 8, 8)(points - [28, 0, 0]) | ellipsoid(8, 8, 8)(points + [28, 0, 0])
        )

    groomed = groom_mask(draw(rod_with_knobs, spacing=(3, 3, 3)), surface_config)

    assert np.ptp(groomed.surface.vertices[:, 0]) > 66
    assert groomed.surface.volume_ml == pytest.approx(groomed.source_volume_ml, rel=1e-3)


def test_small_pieces_and_cavities_do_not_count(surface_config):
    solid = draw(ellipsoid(20, 20, 20), spacing=COARSE)
    array = solid.array.copy()
    array[array.shape[0] // 2, array.shape[1] // 2, array.shape[2] // 2] = False
    array[0, 0, 0] = True

    spoiled = groom_mask(solid.with_array(array), surface_config).surface

    np.testing.assert_array_equal(
        spoiled.vertices, groom_mask(solid, surface_config).surface.vertices
    )


def test_an_organ_at_the_border_of_the_image_is_closed(surface_config):
    mask = draw(ellipsoid(20, 20, 20), spacing=COARSE)
    half = mask.array[mask.array.shape[0] // 2 :]
    cut = type(mask)(half.copy(), mask.spacing, mask.origin, mask.direction)

    assert groom_mask(cut, surface_config).surface.is_closed


def test_a_small_hole_is_filled_and_a_large_one_stays(surface_config):
    small = groom_mask(draw(torus(11, 8), spacing=(2, 2, 2)), surface_config)
    large = groom_mask(draw(torus(22, 8), spacing=(2, 2, 2)), surface_config)

    assert small.genus == 0
    assert large.genus == 1


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (lambda p: np.zeros(len(p), bool), "empty"),
        (
            lambda p: ellipsoid(9, 9, 9)(p - 9) | ellipsoid(9, 9, 9)(p + 9) & (p != 0).all(1),
            "falls apart",
        ),
    ],
)
def test_masks_that_cannot_be_groomed_are_refused(surface_config, inside, reason):
    config = surface_config.model_copy(update={"antialias_iterations": 0})
    mask = draw(inside, spacing=(2, 2, 2))
    if reason == "falls apart":  # two balls that meet in one chain of corners
        mask = draw(ellipsoid(12, 12, 12), spacing=(2, 2, 2))
        array = np.zeros((40, 40, 40), bool)
        array[2:14, 2:14, 2:14] = True
        array[14:26, 14:26, 14:26] = True
        mask = type(mask)(array, mask.spacing)
    with pytest.raises(DataError, match=reason):
        groom_mask(mask, config)


def test_a_mesh_is_remeshed_in_place(surface_config, ball):
    groomed = groom_mesh(ball, surface_config)

    assert groomed.surface.is_closed
    assert groomed.surface.volume_ml == pytest.approx(ball.volume_ml, rel=1e-3)
    assert len(groomed.surface.faces) == pytest.approx(2000, rel=0.02)
    assert groomed.error_mm < 0.05
    sides = np.linalg.norm(
        groomed.surface.vertices[groomed.surface.faces]
        - np.roll(groomed.surface.vertices[groomed.surface.faces], 1, axis=1),
        axis=2,
    )
    assert sides.std() < 0.25 * sides.mean()  # even triangles


def test_inward_and_mixed_faces_are_turned_outward(surface_config, ball):
    inward = Mesh(ball.vertices, ball.faces[:, ::-1].copy())
    mixed = ball.faces.copy()
    mixed[::3] = mixed[::3, ::-1]

    for mesh in (inward, Mesh(ball.vertices, mixed)):
        assert groom_mesh(mesh, surface_config).surface.volume == pytest.approx(
            ball.volume, rel=1e-3
        )


def test_a_small_hole_of_a_mesh_is_closed(surface_config, ball):
    around = np.linalg.norm(ball.vertices[ball.faces].mean(1) - ball.vertices[0], axis=1)
    pierced = Mesh(ball.vertices, ball.faces[around > 3])

    groomed = groom_mesh(pierced, surface_config)

    assert groomed.surface.is_closed
    assert groomed.surface.volume == pytest.approx(ball.volume, rel=0.01)


def test_what_the_survey_counts_as_repaired_is_groomed_like_the_sound_mesh(
    surface_config, ball, rng
):
    shift = rng.uniform(-3e-5, 3e-5, (3 * len(ball.faces), 3))
    soup = Mesh(
        ball.vertices[ball.faces].reshape(-1, 3) + shift, np.arange(len(shift)).reshape(-1, 3)
    )
    doubled = Mesh(ball.vertices, np.concatenate([ball.faces, ball.faces[:20]]))
    for mesh in (soup, doubled):
        groomed = groom_mesh(mesh, surface_config).surface
        assert groomed.is_closed
        assert groomed.volume == pytest.approx(ball.volume, rel=1e-3)


def test_a_cavity_of_a_mesh_is_filled(surface_config, ball):
    inner = Mesh((ball.vertices - [5, -7, 30]) * 0.9 + [5, -7, 30], ball.faces[:, ::-1])
    both = Mesh(
        np.concatenate([inner.vertices, ball.vertices]),
        np.concatenate([inner.faces, ball.faces + len(ball.vertices)]),
    )
    surface = groom_mesh(both, surface_config).surface
    assert surface.volume == pytest.approx(ball.volume, rel=1e-3)


def test_only_the_largest_piece_of_a_mesh_is_kept(surface_config, ball):
    speck = Mesh(ball.vertices * 0.1 + 100, ball.faces)
    both = Mesh(
        np.concatenate([speck.vertices, ball.vertices]),
        np.concatenate([speck.faces, ball.faces + len(speck.vertices)]),
    )

    surface = groom_mesh(both, surface_config).surface

    assert SurfaceIndex(ball).closest(surface.vertices).distance.max() < 0.2


def test_an_open_mesh_is_refused_with_what_to_do(surface_config, ball):
    half = Mesh(ball.vertices, ball.faces[ball.vertices[ball.faces].mean(1)[:, 2] > 30])

    with pytest.raises(DataError, match=r"open: \d+ edges .* close it"):
        groom_mesh(half, surface_config)


def test_a_mesh_with_a_fin_is_refused(surface_config, ball):
    a, b, c = ball.faces[0]
    peak = ball.vertices[[a, b, c]].mean(0) + [0, 0, 1]
    tip = len(ball.vertices)
    fin = Mesh(
        np.vstack([ball.vertices, peak]),
        np.vstack([ball.faces, [[a, b, tip], [b, c, tip], [c, a, tip]]]),
    )

    with pytest.raises(DataError, match="not a manifold"):
        groom_mesh(fin, surface_config)
