"""What is measured of a prediction: size, field of view, place in the population."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.describe import describe, measure_cut, scored_head
from massm.inference.shapes import ScanGrid
from massm.inference.statistics import TrainingStatistics
from massm.io.errors import DataError
from massm.io.predictions import PredictedBoxes, SubjectPrediction
from massm.pdm.shape_model import ShapeModel
from tests.inference.scan_shapes import bundle_with, ellipsoid, turned


def square(corner, first, second):
    """Two triangles that make a parallelogram."""
    points = np.array([corner, corner + first, corner + first + second, corner + second], float)
    return Mesh(points, np.array([[0, 1, 2], [0, 2, 3]]))


@pytest.fixture
def grid():
    """40 x 30 x 20 voxels, turned about two axes."""
    return ScanGrid.of(
        Volume(np.zeros((20, 30, 40)), np.array([1.0, 2.0, 3.0]), np.array([7.0, -9, 50]), turned())
    )


def test_the_scan_ends_half_a_voxel_beyond_its_outer_voxels(grid):
    index = np.array([[-0.5, 3, 3], [-1.0, 3, 3], [39.5, 0, 0], [5, 5, 20.0], [2.0, 9, 9]])
    points = index @ (grid.direction * grid.spacing).T + grid.origin
    np.testing.assert_allclose(grid.outside_mm(points), [0, 0.5, 0, 1.5, -2.5], atol=1e-9)


@pytest.mark.parametrize("beyond", [0.0, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_share_of_a_surface_outside_is_exact(grid, beyond, axis):
    end = np.array([39.5, 29.5, 19.5]) * grid.spacing
    corner = np.array([10.0, 10, 10])
    corner[axis] = end[axis] - 8 * (1 - beyond)
    first, second = 8 * np.eye(3)[axis], 5 * np.eye(3)[(axis + 1) % 3]
    mesh = square(corner, first, second)
    moved = Mesh(mesh.vertices @ grid.direction.T + grid.origin, mesh.faces)
    assert measure_cut(moved, None, grid).surface == pytest.approx(beyond, abs=1e-9)


def test_an_organ_inside_is_not_cut_and_one_far_away_is_all_outside(grid):
    middle = grid.origin + grid.direction @ (np.array([20.0, 15, 10]) * grid.spacing)
    organ = ellipsoid(middle, np.array([5.0, 6, 7]))
    cut = measure_cut(organ, organ.vertices[::10], grid)
    assert not cut.is_cut
    away = Mesh(organ.vertices + 500, organ.faces)
    far = measure_cut(away, away.vertices[::10], grid)
    assert (far.surface, far.particles) == (pytest.approx(1), 1)
    assert far.surface <= 1
    assert far.is_cut


def test_particles_outside_are_counted(grid):
    middle = grid.origin + grid.direction @ (np.array([20.0, 15, 10]) * grid.spacing)
    organ = ellipsoid(middle, np.array([5.0, 6, 7]))
    particles = np.stack([middle, middle + 500, middle - 500, middle])
    assert measure_cut(organ, particles, grid).particles == 0.5


@pytest.fixture
def case(grid):
    """A found ellipsoid with two world heads, and a model of two modes."""
    middle = grid.origin + grid.direction @ (np.array([20.0, 15, 10]) * grid.spacing)
    mesh = ellipsoid(middle, np.array([5.0, 6, 7]))
    local = mesh.vertices[::50]
    count = len(local)
    modes = np.linalg.qr(np.random.default_rng(1).normal(size=(3 * count, 2)))[0].T
    model = ShapeModel(local - middle, modes.reshape(2, count, 3), np.array([4.0, 0.25]))
    world = model.shapes(np.array([3.0, -1.0]))  # 1.5 and -2 standard deviations
    nothing = np.full_like(local, np.nan)
    prediction = SubjectPrediction(
        ("there", "missing"),
        np.array([True, False]),
        np.array([0.9, 0.2]),
        PredictedBoxes(np.stack([middle, middle * np.nan]), np.array([[5.0, 6, 7], [np.nan] * 3])),
        np.stack([local, nothing]),
        {"procrustes": np.stack([world + 9, nothing]), "cvae": np.stack([world, nothing])},
    )
    ends = np.linspace(0, 1, 101)
    statistics = TrainingStatistics(
        volume_ml=ends * 2 * mesh.volume_ml,
        area_mm2=(1 + ends) * 2 * mesh.area,
        scores=np.stack([ends * 4 - 2, ends * 4 - 2]),
        mahalanobis=ends * 4,
        subjects=12,
    )
    config = SimpleNamespace(scored_world="cvae")
    bundle = bundle_with(
        description=SimpleNamespace(
            anatomies=prediction.anatomies,
            thresholds={"there": 0.5, "missing": 0.6},
            model=config,
        ),
        shapes={"there": SimpleNamespace(model=model)},
        statistics={"there": statistics},
    )
    return SimpleNamespace(prediction=prediction, mesh=mesh, bundle=bundle)


def described(case, grid):
    return describe(case.prediction, {"there": case.mesh}, grid, case.bundle, "ct7")


def test_scores_are_standard_deviations_of_the_head_that_the_model_was_trained_with(case, grid):
    found = described(case, grid)["there"].standing
    assert found.head == "cvae"
    np.testing.assert_allclose(found.scores, [1.5, -2.0])
    np.testing.assert_allclose(found.score_percentiles, [87.5, 0], atol=1e-6)
    assert found.mahalanobis == pytest.approx(2.5)
    assert found.mahalanobis_percentile == pytest.approx(62.5)
    assert found.volume_percentile == pytest.approx(50)
    assert found.area_percentile == 0  # smaller than all
    assert found.subjects == 12


def test_what_was_found_has_its_size_and_what_was_not_has_none(case, grid):
    shapes = described(case, grid)
    there, missing = shapes["there"], shapes["missing"]
    assert list(shapes.anatomies) == ["there", "missing"]
    assert (there.label, missing.label) == (1, 2)
    assert there.volume_ml == case.mesh.volume_ml
    assert there.area_mm2 == case.mesh.area
    assert set(there.world) == {"cvae", "procrustes"}
    assert (missing.present, missing.score, missing.threshold) == (False, 0.2, 0.6)
    parts = ("box", "local", "surface", "volume_ml", "area_mm2", "cut", "standing")
    assert [getattr(missing, part) for part in parts] == [None] * len(parts)
    assert missing.world == {}
    assert set(shapes.found) == set(shapes.surfaces) == {"there"}


def test_a_model_without_world_particles_has_no_scores_but_percentiles_of_its_size(case, grid):
    case.prediction = replace(case.prediction, world={})
    found = described(case, grid)["there"].standing
    assert found.head is None
    assert (found.mahalanobis, found.mahalanobis_percentile) == (None, None)
    assert found.scores.size == found.score_percentiles.size == 0
    assert found.volume_percentile == pytest.approx(50)


def test_a_folder_without_statistics_places_nothing_in_a_population(case, grid):
    object.__setattr__(case.bundle, "statistics", {})
    assert described(case, grid)["there"].standing is None


def test_one_head_is_scored_whatever_its_name_and_of_several_the_named_one(case):
    assert scored_head(case.bundle, ["other"]) == "other"
    assert scored_head(case.bundle, []) is None
    assert scored_head(case.bundle, ["procrustes", "cvae"]) == "cvae"
    with pytest.raises(DataError, match=r"heads a, b, and its configuration names cvae"):
        scored_head(case.bundle, ["a", "b"])
