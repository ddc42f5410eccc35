"""The real program, where `shapeworks` is on PATH: the stage with it, its result taken back."""

import shutil

import numpy as np
import pandas as pd
import pytest

from massm.geometry.alignment import apply_transform
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, load_set
from massm.io.tables import read_table, write_table
from massm.pdm.shapeworks.program import find_program
from massm.stages.correspond import run
from tests.pdm.shapes import sphere

pytestmark = [
    pytest.mark.shapeworks,
    pytest.mark.skipif(
        shutil.which("shapeworks") is None,
        reason="no command `shapeworks` on PATH: the program ShapeWorks is not installed here",
    ),
]

RADII = [(20, 14, 10), (24, 14, 10), (20, 17, 10), (20, 14, 12), (23, 16, 10), (18, 14, 11)]
NEW_RADII = [(21, 15, 10), (22, 14, 11)]
SPLITS = ("train",) * len(RADII) + ("validation", "test")
NAMES = [f"s{row}" for row in range(len(SPLITS))]
FITTED_MM = 0.05  # mean distance to the surface, whose facets are about 3 mm wide


@pytest.fixture(scope="module")
def config(settings, tmp_path_factory):
    """A short schedule, and the kind of project that the installed version reads."""
    values = {
        "program": "shapeworks",
        "project": "swproj",
        "keep": tmp_path_factory.mktemp("kept"),
        "iterations_per_split": 150,
        "optimization_iterations": 150,
        "fixed_iterations": 150,
        "initial_relative_weighting": 0.05,
        "relative_weighting": 1.0,
        "starting_regularization": 10.0,
        "ending_regularization": 1.0,
        "procrustes_interval": 5,
        "multiscale_particles": 0,
    }
    shapeworks = settings.shapeworks.model_copy(update=values)
    try:
        find_program(shapeworks)
    except DataError:
        shapeworks = shapeworks.model_copy(update={"project": "xlsx"})
    changes = {"backend": "shapeworks", "particles": 64, "shapeworks": shapeworks}
    return settings.model_copy(update=changes)


def turned(degrees: float) -> np.ndarray:
    """Turn about z."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def results(tmp_path_factory, config):
    """Groomed ellipsoids, aligned but for some degrees and tenths of mm, after the stage."""
    root = tmp_path_factory.mktemp("results")
    base, rows, transforms = sphere(3), [], {}
    for row, (name, radii) in enumerate(zip(NAMES, RADII + NEW_RADII, strict=True)):
        matrix, path = turned(10 * row), f"groom/surfaces/{name}/liver.vtp"
        matrix[:3, 3] = (100 + row, -50, 7)
        transforms[name] = matrix.ravel().tolist()
        aligned = Mesh(base.vertices * np.array(radii, float), base.faces)
        off = turned(3 * (-1) ** row if SPLITS[row] == "train" else 12)
        off[:3, 3] = 0.3 * (row % 3)
        image = aligned.transformed(off).transformed(np.linalg.inv(matrix))
        meshes.write(image, root / path)
        rows.append((name, "liver", SPLITS[row], "groomed", "", path))
    columns = ["subject", "anatomy", "split", "status", "reason", "surface"]
    write_table(pd.DataFrame(rows, columns=columns), root / "groom/index/0000.tsv")
    write_json({"transforms": transforms}, root / "groom/alignment/liver.json")
    run(config, **arguments(root, root / "correspond"))
    return root


def arguments(root, folder):
    return {
        "population": "liver",
        "anatomies": ["liver"],
        "index": [root / "groom/index/0000.tsv"],
        "alignments": [root / "groom/alignment/liver.json"],
        "results": root,
        "particles": [folder / "liver.npz"],
        "folders": [folder / "liver"],
    }


@pytest.fixture(scope="module")
def found(results):
    return load_set(results / "correspond/liver.npz")


def test_every_subject_has_particles(results, found):
    assert found.subjects == tuple(NAMES)
    assert found.splits == SPLITS
    assert found.local.shape == (len(NAMES), 64, 3)
    table = read_table(results / "correspond/liver/particles.csv")
    assert set(table["status"]) == {"fitted"}


def test_particles_lie_on_the_surfaces_and_spread_over_them(results, found):
    for name, points in zip(found.subjects, found.local, strict=True):
        mesh = meshes.read(results / f"groom/surfaces/{name}/liver.vtp")
        distance = SurfaceIndex(mesh).closest(points).distance
        assert distance.mean() < FITTED_MM
        gaps = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(64)
        assert gaps.min(0).min() > 0.4 * gaps.min(0).mean()
        holes = np.linalg.norm(mesh.vertices[:, None] - points, axis=2).min(1)
        assert holes.max() < 2 * gaps.min(0).mean()


def test_rigid_transforms_carry_local_to_world(found):
    for matrix, local, world in zip(found.transforms, found.local, found.world, strict=True):
        np.testing.assert_allclose(apply_transform(matrix, local), world, atol=1e-3)
        rotation = matrix[:3, :3]
        np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-3)
        assert np.linalg.det(rotation) > 0


def test_world_shapes_are_aligned(found):
    training = found.world[: len(RADII)]
    mean = training.mean(0)
    for world in found.world:
        np.testing.assert_allclose(world.mean(0), mean.mean(0), atol=0.5)
        covariance = (world - world.mean(0)).T @ (mean - mean.mean(0))
        left, _, right = np.linalg.svd(covariance)
        angle = np.degrees(np.arccos(np.clip((np.trace(left @ right) - 1) / 2, -1, 1)))
        assert angle < 1.5


def test_particles_correspond(found):
    """A particle lies in one direction from the center, in units of the radii, on all shapes."""
    direction = (found.world - found.world.mean(1, keepdims=True)) @ axes(found.world)
    direction /= np.array(RADII + NEW_RADII, float)[:, None]
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    spread = np.linalg.norm(direction - direction[: len(RADII)].mean(0), axis=2)
    assert spread.mean() < 0.1
    assert spread.max() < 0.5


def axes(world):
    """Give the principal axes of the mean shape, the longest first, as columns."""
    mean = world[: len(RADII)].mean(0)
    _, _, right = np.linalg.svd(mean - mean.mean(0))
    return right.T


def test_the_model_is_that_of_the_training_subjects(results, found):
    model = load_arrays(results / "correspond/liver/model.npz")
    np.testing.assert_allclose(model["mean"], found.world[: len(RADII)].mean(0), atol=1e-3)
    centered = (found.world[: len(RADII)] - model["mean"]).reshape(len(RADII), -1)
    kept = centered @ model["modes"].reshape(len(model["modes"]), -1).T
    assert np.square(kept).sum() > 0.999 * np.square(centered).sum()


def test_new_subjects_lie_as_near_to_the_model_as_training_subjects(results):
    values = read_json(results / "correspond/liver/quality.json")
    assert values["swapped_pairs"] == values["fixed_swapped_pairs"] == 0
    assert values["fixed_outside_span"] == 0


def test_the_result_is_taken_back_from_its_project(results, config, found):
    project = results / "correspond/liver/liver.swproj"
    taken = config.model_copy(update={"backend": "project"})
    run(taken, **arguments(results, results / "again"), project=project)
    again = load_set(results / "again/liver.npz")
    assert again.subjects == found.subjects
    for part in ("local", "world"):
        np.testing.assert_allclose(getattr(again, part), getattr(found, part), atol=1e-3)


def test_the_kept_project_of_the_program_is_taken_too(results, config, found):
    shapeworks = config.shapeworks
    project = shapeworks.keep / f"training/training.{shapeworks.project}"
    frame = config.project.model_copy(update={"frame": "aligned"})
    taken = config.model_copy(update={"backend": "project", "project": frame})
    run(taken, **arguments(results, results / "kept"), project=project)
    again, training = load_set(results / "kept/liver.npz"), len(RADII)
    assert again.subjects == found.subjects  # the new ones are fitted by the embedded engine
    for part in ("local", "world"):
        np.testing.assert_allclose(
            getattr(again, part)[:training], getattr(found, part)[:training], atol=1e-3
        )
