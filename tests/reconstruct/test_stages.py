"""The reconstruct stages as the workflow runs them."""

from dataclasses import replace

import numpy as np
import pytest

from massm.config.evaluate import MeasuredConfig
from massm.config.reconstruct import ReconstructConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface, sample_grid
from massm.geometry.particles import ParticleSet
from massm.io import meshes, predictions
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.io.particles import save_arrays, save_set
from massm.io.predictions import SubjectPrediction
from massm.io.tables import read_table
from massm.stages import reconstruct, reconstruct_reference, reconstruct_warp

SHIFT = np.array([30.0, -20, 400])


@pytest.fixture
def results(tmp_path, rng):
    """A template ball and subjects that are stretched balls, up to a prediction of each."""
    grid, points = sample_grid(np.full(3, -12.0), np.full(3, 12.0), 1.0)
    field = (10 - np.linalg.norm(points, axis=1)).reshape(grid.array.shape)
    ball = isosurface(grid.with_array(field), 0.0)
    meshes.write(type(ball)(ball.vertices + SHIFT, ball.faces), tmp_path / "template/spleen.vtp")
    write_json({"subject": "s1"}, tmp_path / "template/spleen.json")

    directions = rng.normal(size=(80, 3))
    own = SurfaceIndex(ball).closest(10 * directions / np.linalg.norm(directions, axis=1)[:, None])
    world = np.stack([own.point * [1 + 0.2 * i, 1, 1] for i in range(3)])
    transforms = np.tile(np.eye(4), (3, 1, 1))
    transforms[:, :3, 3] = -SHIFT
    population = ParticleSet(
        ("s1", "s2", "s3"), ("train", "validation", "test"), world + SHIFT, world, transforms
    )
    save_set(population, tmp_path / "correspond/spleen.npz")
    reconstruct_warp.run(
        ReconstructConfig(regularization_mm=0.0),
        anatomy="spleen",
        template=tmp_path / "template/spleen.vtp",
        record=tmp_path / "template/spleen.json",
        particles_file=tmp_path / "correspond/spleen.npz",
        warp=tmp_path / "reconstruct/warp/spleen.npz",
    )
    for row, subject in ((1, "s2"), (2, "s3")):
        present = np.array([subject == "s3"])
        heads = {"cvae": world[[row]], "procrustes": world[[row]] * [-1, 1, 1]}
        said = SubjectPrediction(
            ("spleen",), present, present * 0.9, None, population.local[[row]], heads
        )
        predictions.write(said.blanked(), tmp_path / "predict/massm" / f"{subject}.npz")
    return tmp_path


def reconstruct_model(results):
    index = results / "reconstruct/massm/index.tsv"
    reconstruct.run(
        model="massm",
        predictions=sorted((results / "predict/massm").iterdir()),
        warps=[results / "reconstruct/warp/spleen.npz"],
        results=results,
        index=index,
    )
    return read_table(index)


def test_every_found_organ_becomes_a_surface_for_each_head(results):
    table = reconstruct_model(results)

    assert list(table.subject) == ["s3"] * 3  # the organ was not found in s2
    assert list(table["head"]) == ["local", "cvae", "procrustes"]
    assert (table.crossing == 0).all()
    local, cvae, procrustes = (meshes.read(results / path) for path in table.surface)
    np.testing.assert_allclose(np.ptp(local.vertices, axis=0), [28, 20, 20], atol=0.7)
    np.testing.assert_allclose(local.vertices.mean(0), SHIFT, atol=0.3)
    for mesh in (local, cvae, procrustes):
        assert mesh.is_closed
        assert mesh.volume == pytest.approx(1.4 * 4 / 3 * np.pi * 1000, rel=0.02)
    assert table.surface[1] == "reconstruct/massm/s3/spleen-world_cvae.vtp"


@pytest.mark.parametrize(
    ("splits", "subjects"),
    [(("validation", "test"), ["s2", "s3"]), (("train",), ["s1"]), (("test",), ["s3"])],
)
def test_reference_surfaces_come_from_the_true_particles_of_the_measured_splits(
    results, splits, subjects
):
    index = results / "reconstruct/reference/index.tsv"
    reconstruct_reference.run(
        MeasuredConfig(splits=splits),
        particles_files=[results / "correspond/spleen.npz"],
        warps=[results / "reconstruct/warp/spleen.npz"],
        results=results,
        index=index,
    )

    table = read_table(index)
    assert list(table.subject) == subjects
    surface = meshes.read(results / table.surface[0])
    length = 20 + 4 * (int(subjects[0][1]) - 1)
    np.testing.assert_allclose(np.ptp(surface.vertices, axis=0), [length, 20, 20], atol=0.7)


def test_an_anatomy_without_a_warp_is_named(results):
    path = results / "predict/massm/s3.npz"
    predictions.write(replace(predictions.read(path), anatomies=("heart",)), path)
    with pytest.raises(DataError, match="heart local: there is no warp of the anatomy; run"):
        reconstruct_model(results)


def test_a_prediction_that_lacks_an_array_is_refused(results):
    save_arrays({"anatomies": np.array(["spleen"])}, results / "predict/massm/s2.npz")
    with pytest.raises(DataError, match=r"s2\.npz lacks present, score; .* run predict again"):
        reconstruct_model(results)


def test_particles_predicted_as_not_finite_are_refused(results):
    path = results / "predict/massm/s3.npz"
    said = predictions.read(path)
    said.local[0, 3] = np.nan
    predictions.write(said, path)
    with pytest.raises(DataError, match=r"s3\.npz: spleen is .* local is not finite"):
        reconstruct_model(results)


@pytest.mark.parametrize(
    ("change", "heads"),
    [({"local": None}, ["cvae", "procrustes"]), ({"world": {}}, ["local"])],
)
def test_a_model_is_reconstructed_from_the_particles_that_it_gives(results, change, heads):
    path = results / "predict/massm/s3.npz"
    predictions.write(replace(predictions.read(path), **change), path)
    assert list(reconstruct_model(results)["head"]) == heads


def test_a_template_without_particles_is_refused(results):
    write_json({"subject": "s9"}, results / "template/spleen.json")
    with pytest.raises(DataError, match="spleen: the template s9"):
        reconstruct_warp.run(
            ReconstructConfig(regularization_mm=0.0),
            anatomy="spleen",
            template=results / "template/spleen.vtp",
            record=results / "template/spleen.json",
            particles_file=results / "correspond/spleen.npz",
            warp=results / "reconstruct/warp/spleen.npz",
        )
