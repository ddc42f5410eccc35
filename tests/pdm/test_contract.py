"""What every entry of ``BACKENDS`` keeps to; a new one adds a way to be made to ``MAKERS``."""

import shutil

import numpy as np
import pytest
import torch

from massm.geometry.alignment import apply_transform, invert_transform
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.particles import load_arrays, save_arrays, write_texts
from massm.pdm.backend import BACKENDS, Backend
from massm.pdm.context import PopulationContext
from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.pdm.shapeworks.studio import write_studio_project
from tests.pdm.shapes import engine_settings

TRAINING = 5
REPEATED_MM = {"entropy": 0.0, "project": 0.0, "shapeworks": 1e-3}
ON_SURFACE_MM = {"entropy": 1e-6, "project": 1e-6, "shapeworks": 0.1}
NEEDS_THE_PROGRAM = [
    pytest.mark.shapeworks,
    pytest.mark.skipif(
        shutil.which("shapeworks") is None,
        reason="no command `shapeworks` on PATH: the program ShapeWorks is not installed here",
    ),
]


def make_entropy(settings, surfaces, folder):
    return BACKENDS["entropy"](settings, PopulationContext("liver", {}))


def make_shapeworks(settings, surfaces, folder):
    short = {"iterations_per_split": 100, "optimization_iterations": 100, "fixed_iterations": 100}
    shapeworks = settings.shapeworks.model_copy(update=short)
    changes = {"backend": "shapeworks", "particles": 32, "shapeworks": shapeworks}
    return BACKENDS["shapeworks"](
        settings.model_copy(update=changes), PopulationContext("liver", {})
    )


def make_project(settings, surfaces, folder):
    """Take over a project of all subjects, each a shift from its image."""
    alignments = {name: np.eye(4) for name in surfaces}
    for row, matrix in enumerate(alignments.values()):
        matrix[:3, 3] = (100 + 20 * row, -50, 7)
    path = folder / "liver.swproj"
    if not path.exists():
        engine = make_entropy(settings, surfaces, folder)
        found = engine.optimize(list(surfaces.values()), list(surfaces))
        back = [invert_transform(matrix) for matrix in alignments.values()]
        local = [apply_transform(m, p) for m, p in zip(back, found.particles, strict=True)]
        matrices = found.procrustes @ np.stack(list(alignments.values()))
        splits = ("train",) * len(surfaces)
        particles = ParticleSet(found.names, splits, np.stack(local), found.world, matrices)
        groomed = {name: folder / f"{name}.vtp" for name in surfaces}
        for matrix, (name, mesh) in zip(back, surfaces.items(), strict=True):
            meshes.write(mesh.transformed(matrix), groomed[name])
        write_texts(particles, folder / "particles")
        write_studio_project(path, particles, groomed, alignments, folder / "particles")
    return BACKENDS["project"](settings, PopulationContext("liver", alignments, path))


MAKERS = {"entropy": make_entropy, "project": make_project, "shapeworks": make_shapeworks}
ENTRIES = [
    pytest.param(name, marks=NEEDS_THE_PROGRAM if name == "shapeworks" else [])
    for name in sorted(BACKENDS)
]


@pytest.fixture(scope="module")
def settings():
    """Fewer particles and steps than the engine's own tests: the contract asks for no quality."""
    short = {"iterations": 30, "fixed_iterations": 20}
    return engine_settings(**short).model_copy(update={"particles": 30})


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return dict(zip(names, ellipsoids, strict=True))


@pytest.fixture(scope="module", params=ENTRIES)
def entry(request):
    return request.param


@pytest.fixture(scope="module")
def make(entry, settings, surfaces, tmp_path_factory):
    """Make a backend of the entry that has seen nothing yet."""
    folder = tmp_path_factory.mktemp(entry)
    return lambda: MAKERS[entry](settings, surfaces, folder)


def training(surfaces):
    return [list(part)[:TRAINING] for part in (surfaces.values(), surfaces)]


def new(surfaces):
    return [list(part)[TRAINING:] for part in (surfaces.values(), surfaces)]


@pytest.fixture(scope="module")
def backend(make, surfaces):
    """A backend with the fits of its training subjects and of new ones."""
    backend = make()
    backend.trained = backend.optimize(*training(surfaces))
    backend.frozen = backend.arrays()
    backend.added = backend.fit(*new(surfaces))
    return backend


@pytest.fixture(params=["trained", "added"])
def fit(request, backend):
    return getattr(backend, request.param)


def test_every_entry_can_be_made_here():
    assert MAKERS.keys() == REPEATED_MM.keys() == ON_SURFACE_MM.keys() == BACKENDS.keys()


def test_it_meets_the_protocol(backend):
    assert isinstance(backend, Backend)


def test_all_subjects_come_back_in_order_with_finite_particles(backend, surfaces):
    for fit, asked in ((backend.trained, training(surfaces)), (backend.added, new(surfaces))):
        assert fit.names == tuple(asked[1])
        assert fit.failed == {}
        count = backend.trained.particles.shape[1]
        assert fit.particles.shape == fit.world.shape == (len(fit.names), count, 3)
        assert fit.procrustes.shape == (len(fit.names), 4, 4)
        assert np.isfinite(fit.particles).all()
        assert all(len(values) == len(fit.names) for values in vars(fit.diagnostics).values())


def test_particles_lie_on_their_own_surface(entry, fit, surfaces):
    for name, points in zip(fit.names, fit.particles, strict=True):
        distance = SurfaceIndex(surfaces[name]).closest(points).distance
        assert distance.max() < ON_SURFACE_MM[entry]


def test_world_is_the_particles_moved_by_a_proper_matrix(fit):
    for matrix, points, world in zip(fit.procrustes, fit.particles, fit.world, strict=True):
        np.testing.assert_allclose(apply_transform(matrix, points), world, atol=1e-3)
        turn = matrix[:3, :3]
        size = np.cbrt(np.linalg.det(turn))
        np.testing.assert_allclose(turn @ turn.T, size**2 * np.eye(3), atol=1e-6)
        assert size > 0


def test_particles_correspond(backend):
    """Unrelated places would vary by the ellipsoids' size; these need three modes."""
    assert fit_shape_model(backend.trained.world).compactness[2] > 0.9


def test_the_same_seed_gives_the_same_whatever_the_order(entry, make, backend, surfaces):
    again = make()
    order = [3, 0, 4, 2, 1]
    given, called = training(surfaces)
    found = again.optimize([given[row] for row in order], [called[row] for row in order])
    tolerance = REPEATED_MM[entry]
    np.testing.assert_allclose(found.world, backend.trained.world[order], rtol=0, atol=tolerance)
    added = again.fit(*new(surfaces))
    np.testing.assert_allclose(added.world, backend.added.world, rtol=0, atol=tolerance)


def test_new_subjects_do_not_move_the_model(backend):
    after = backend.arrays()
    assert after.keys() == backend.frozen.keys()
    for name, array in after.items():
        np.testing.assert_array_equal(array, backend.frozen[name])


def test_the_saved_model_makes_the_training_shapes(backend, tmp_path):
    save_arrays(backend.arrays(), tmp_path / "model.npz")
    loaded = load_arrays(tmp_path / "model.npz")
    for name, array in backend.arrays().items():
        np.testing.assert_array_equal(loaded[name], array, strict=True)
    shape = ShapeModel(loaded["mean"], loaded["modes"], loaded["variances"])
    world = backend.trained.world
    np.testing.assert_allclose(shape.project(world, len(shape.modes)), world, atol=1e-6)


def test_new_subjects_before_training_are_refused(make, surfaces):
    with pytest.raises(ValueError, match="no shape model yet"):
        make().fit(*new(surfaces))


def test_two_surfaces_are_too_few(make, surfaces):
    given, called = training(surfaces)
    with pytest.raises(ValueError, match="at least 3"):
        make().optimize(given[:2], called[:2])


def test_an_open_surface_is_left_out_by_name(make, backend, surfaces):
    mesh = surfaces["s6"]
    broken = Mesh(mesh.vertices, mesh.faces[1:])
    found = backend.fit([broken, surfaces["s5"]], ["s6", "s5"])
    assert found.names == ("s5",)
    assert list(found.failed) == ["s6"]
    assert "s6" in found.failed["s6"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_embedded_engine_on_a_gpu_is_as_good_as_on_the_cpu(surfaces):
    compare_devices(surfaces, "cuda")


def compare_devices(surfaces, device):
    """Optimize on a device and on the CPU: the same shapes, up to rounding that adds up."""
    fits = []
    for place in ("cpu", device):
        engine = BACKENDS["entropy"](
            engine_settings().model_copy(update={"device": place}), PopulationContext("liver", {})
        )
        fits.append((engine.optimize(*training(surfaces)), engine.fit(*new(surfaces))))
    for expected, found in zip(*fits, strict=True):
        assert found.names == expected.names
        assert found.diagnostics.distance_max.max() < 1e-6
        assert found.diagnostics.swapped.sum() == found.diagnostics.collapsed.sum() == 0
        spacing = np.sqrt(next(iter(surfaces.values())).area / found.particles.shape[1])
        apart = np.linalg.norm(found.world - expected.world, axis=-1)
        assert apart.mean() < 0.25 * spacing
