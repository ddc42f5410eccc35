"""A shape fitted to a frozen population: as the pipeline fits it, wherever it lies."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from massm.config.bundle import BundleConfig
from massm.config.loading import load_config, read_yaml
from massm.fitting.fit_model import Reference
from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.groom.align import align_all, points_needed
from massm.groom.cloud import cloud_of
from massm.inference.anatomy_shapes import AnatomyShapes
from massm.inference.fit import ShapeSpace, fit_to
from massm.inference.fit_file import fit_arrays, load_fit_model
from massm.inference.making import AnatomyRun, Recipe, anatomy_part
from massm.io import tensors
from massm.io.errors import DataError
from massm.pdm.embedded.engine import EntropyEngine
from tests.pdm.shapes import engine_settings, sphere

CONFIG = load_config(read_yaml(Path(__file__).parents[2] / "config.yaml"))
ALIGNMENT = CONFIG.groom.alignment.model_copy(update={"points": 100, "reference_candidates": 2})
ENGINE = engine_settings(iterations=30, fixed_iterations=25)
TRAIN, OTHERS = 6, 1
NONE = {"name": None, "citation": None, "license": None, "url": None, "remark": None}


def beans():
    """Bent ellipsoids somewhere in a scanner, each a little turned, LPS mm."""
    rng = np.random.default_rng(4)
    ball = sphere(3).vertices
    shapes = {}
    for row in range(TRAIN + OTHERS):
        points = ball * (rng.normal(1, 0.06, 3) * (22, 14, 11))
        points[:, 2] += 0.012 * rng.normal(1, 0.2) * points[:, 0] ** 2
        points[:, 1] += 0.15 * points[:, 0]
        turn = Rotation.from_rotvec(rng.normal(0, 0.06, 3)).as_matrix()
        shapes[f"b{row}"] = Mesh(points @ turn.T + rng.uniform(-90, 90, 3), sphere(3).faces)
    return shapes


@pytest.fixture(scope="module", params=[False, True], ids=["as it is", "mirrored"])
def population(request):
    """What the stages groom_align and correspond make of the shapes."""
    surfaces, names = beans(), [f"b{row}" for row in range(TRAIN + OTHERS)]
    train = set(names[:TRAIN])
    clouds = {name: cloud_of(mesh, points_needed(ALIGNMENT)) for name, mesh in surfaces.items()}
    found = align_all(clouds, train, ALIGNMENT, reflect=request.param)
    aligned = {name: surfaces[name].transformed(found.transforms[name]) for name in names}
    engine = EntropyEngine(ENGINE)
    trained = engine.optimize([aligned[name] for name in names[:TRAIN]], names[:TRAIN])
    fitted = engine.fit([aligned[name] for name in names[TRAIN:]], names[TRAIN:])
    return SimpleNamespace(
        surfaces=surfaces,
        alignment=found,
        trained=particle_set(trained, found, "train"),
        fitted=particle_set(fitted, found, "test"),
        model=engine.arrays(),
        reflected=request.param,
    )


def particle_set(fit, alignment, split):
    matrices = [alignment.transforms[name] for name in fit.names]
    local = [
        apply_transform(invert_transform(matrix), points)
        for matrix, points in zip(matrices, fit.particles, strict=True)
    ]
    transforms = [turn @ matrix for turn, matrix in zip(fit.procrustes, matrices, strict=True)]
    splits = (split,) * len(fit.names)
    return ParticleSet(fit.names, splits, np.stack(local), fit.world, np.stack(transforms))


def space_of(population, folder, template):
    """The shape space, written to a file and read again."""
    part = part_of(population, template)
    path = folder / "fit.safetensors"
    tensors.save(fit_arrays({"bean": part.fit}, single=template == "mean"), path)
    model = load_fit_model(path, "bean", ENGINE.particles, ["bean"])
    return ShapeSpace("bean", model, part.shapes, part.statistics, ALIGNMENT, ENGINE)


@pytest.fixture(scope="module")
def bean_arrays(population):
    """The arrays that shapes are fitted to."""
    return fit_arrays({"bean": part_of(population, "medoid").fit}, single=False)


@pytest.fixture
def fits(bean_arrays, tmp_path):
    """Their file, to be spoilt, and a copy of them."""
    tensors.save(bean_arrays, tmp_path / "fit.safetensors")
    return tmp_path / "fit.safetensors", dict(bean_arrays)


def part_of(population, template, without=()):
    config = {"template": template, "precision": "single", "fit": True, "metrics": False}
    bundle = BundleConfig.model_validate({**config, "data": NONE})
    medoid, reference = population.trained.subjects[0], population.alignment.reference
    run = AnatomyRun(
        train=population.trained,
        surfaces=population.surfaces,
        medoid=medoid,
        template=population.surfaces[medoid],
        model={name: array for name, array in population.model.items() if name not in without},
        reference=Reference(
            population.surfaces[reference], population.reflected, population.reflected
        ),
    )
    return anatomy_part(run, Recipe(bundle, 0.1, 4, ALIGNMENT, ENGINE))


def test_a_new_subject_gets_the_particles_of_the_pipeline(population, tmp_path):
    space = space_of(population, tmp_path, "medoid")
    name = population.fitted.subjects[0]
    found = fit_to(population.surfaces[name], space, name)
    np.testing.assert_allclose(found.local, population.fitted.local[0], atol=1e-6)
    np.testing.assert_allclose(found.world, population.fitted.world[0], atol=1e-6)
    np.testing.assert_allclose(found.transform, population.fitted.transforms[0], atol=1e-6)
    np.testing.assert_allclose(apply_transform(found.transform, found.local), found.world)
    assert found.residual.mean <= found.residual.p95 <= found.residual.largest < 4
    assert found.percentiles.scores.shape == found.scores.shape == (space.statistics.modes,)


def test_a_shape_elsewhere_in_the_scanner_gets_the_same_particles(population, tmp_path):
    space = space_of(population, tmp_path, "medoid")
    name, shift = population.fitted.subjects[0], np.array([200.0, -100, 64])
    mesh = population.surfaces[name]
    found = fit_to(Mesh(mesh.vertices + shift, mesh.faces), space, "moved")
    apart = np.linalg.norm(found.local - shift - population.fitted.local[0], axis=1)
    assert apart.mean() < 0.05


def test_without_anybodys_shape_particles_lie_near_those_of_the_pipeline(population, tmp_path):
    space = space_of(population, tmp_path, "mean")
    name = population.fitted.subjects[0]
    found = fit_to(population.surfaces[name], space, name)
    apart = np.linalg.norm(found.local - population.fitted.local[0], axis=1)
    assert 1e-6 < apart.mean() < 2.0  # their spacing is 9 mm
    own = space_of(population, tmp_path, "medoid").model
    for one, other in (
        (space.model.frozen.template_vertices, own.frozen.template_vertices),
        (space.model.frozen.template_particles, own.frozen.template_particles),
        (space.model.reference.points, own.reference.points),
    ):
        assert one.shape != other.shape or np.abs(one - other).mean() > 0.1


def test_models_of_engines_that_register_nothing_can_be_fitted_to(population, tmp_path):
    bare = ("normals", "template_vertices", "template_faces", "template_particles")
    part = part_of(population, "medoid", without=bare)
    space = ShapeSpace("bean", part.fit, part.shapes, part.statistics, ALIGNMENT, ENGINE)
    name = population.fitted.subjects[0]
    found = fit_to(population.surfaces[name], space, name)
    assert np.linalg.norm(found.local - population.fitted.local[0], axis=1).mean() < 2.0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("mean", lambda array: array[1:], r"bean/mean is \(\d+, 3\), expected \d+ x 3"),
        ("normals", lambda array: array * np.nan, "bean/normals holds what is no finite number"),
        ("variances", lambda array: array[1:], "bean/variances is"),
        ("variances", lambda array: -array, "bean/variances holds what is below 0"),
        ("template_faces", lambda array: array - 1, "bean/template_faces names other than"),
        ("template_faces", lambda array: array + 9999, "bean/template_faces names other than"),
        ("reference_normals", lambda array: array[1:], "bean/reference_normals is"),
        ("residual_limit", lambda array: array * np.nan, "bean/residual_limit is nan, no dist"),
        ("residual_limit", lambda array: np.ones(2), "bean/residual_limit holds 2 numbers"),
        ("reflected", lambda array: None, "bean/reflected is missing"),
    ],
)
def test_a_file_that_does_not_belong_together_is_refused(fits, name, change, message):
    path, arrays = fits
    changed = change(arrays.pop(f"bean/{name}"))
    if changed is not None:
        arrays[f"bean/{name}"] = changed
    tensors.save(arrays, path)
    with pytest.raises(DataError, match=f"fit.safetensors: {message}.*; take the whole folder"):
        load_fit_model(path, "bean", ENGINE.particles, ["bean"])


def test_a_file_of_other_anatomies_or_a_damaged_one_is_refused(fits):
    path, _ = fits
    with pytest.raises(DataError, match="not of this model: it holds bean, .* are bean, liver; ta"):
        load_fit_model(path, "bean", ENGINE.particles, ["bean", "liver"])
    with pytest.raises(DataError, match="not of this model: it holds bean, .* are liver; take"):
        load_fit_model(path, "liver", ENGINE.particles, ["liver"])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"fit\.safetensors: no tensors"):
        load_fit_model(path, "bean", ENGINE.particles, ["bean"])


def test_a_shape_unlike_any_is_outside_and_says_why(population, tmp_path):
    space = space_of(population, tmp_path, "medoid")
    mesh = population.surfaces["b0"]
    middle = mesh.vertices.mean(0)
    stretched = Mesh((mesh.vertices - middle) * [2, 0.7, 0.7] + middle, mesh.faces)
    found = fit_to(stretched, space, "odd")
    assert found.is_outside
    assert "standard deviations from the mean shape" in " ".join(found.reasons)
    assert "1 of 7 new subjects of their population lies beyond all" in " ".join(found.reasons)
    usual = fit_to(mesh, space, "b0")
    assert not usual.is_outside
    assert usual.cautions == found.cautions != ()


def test_an_open_surface_is_refused(population, tmp_path):
    space = space_of(population, tmp_path, "medoid")
    mesh = population.surfaces["b1"]
    with pytest.raises(DataError, match="bean: shape 7: the surface is open"):
        fit_to(Mesh(mesh.vertices, mesh.faces[1:]), space, "shape 7")


def test_the_mean_surface_has_particles_of_its_own(population):
    shapes = part_of(population, "mean").shapes
    assert isinstance(shapes, AnatomyShapes)
    assert shapes.template.is_closed
    assert shapes.template.volume > 0
    np.testing.assert_allclose(shapes.particles.min(0) + shapes.particles.max(0), 0, atol=1e-9)
