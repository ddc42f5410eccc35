"""New shapes, placed one by one or together in what a run has frozen."""

from dataclasses import replace

import numpy as np
import pytest

from massm.fitting.of_run import read_fit_model
from massm.fitting.placing import Fitter
from massm.geometry.alignment import apply_transform
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.documents import read_json, write_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays, load_set, save_arrays
from tests.fitting.small_run import ALIGNMENT, ENGINE, HELD_OUT, surface_file, write_run
from tests.toy_cohort import ANATOMIES

VERTICES = ENGINE.entropy.initialization.template_vertices


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_run(folder)
    return folder


def fitter_of(folder, anatomy):
    return Fitter(read_fit_model(folder, anatomy, ALIGNMENT, VERTICES), ALIGNMENT, ENGINE)


def held_out(folder, anatomy):
    """Groomed surfaces of the subjects that the shape model was not made of, and their rows."""
    found = load_set(folder / "correspond" / f"{anatomy}.npz")
    rows = {name: found.row(name) for name in HELD_OUT if name in found.subjects}
    return {name: meshes.read(surface_file(folder, name, anatomy)) for name in rows}, found


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_groomed_surfaces_get_the_particles_that_correspond_gave_them(folder, anatomy):
    surfaces, found = held_out(folder, anatomy)
    placed, failed = fitter_of(folder, anatomy).place_all(surfaces)
    assert (list(placed), failed) == (list(surfaces), {})
    for name, one in placed.items():
        row = found.row(name)
        np.testing.assert_allclose(one.local, found.local[row], atol=1e-6)
        np.testing.assert_allclose(one.world, found.world[row], atol=1e-6)
        np.testing.assert_allclose(one.transform, found.transforms[row], atol=1e-6)
        np.testing.assert_allclose(apply_transform(one.transform, one.local), one.world)
        assert one.distance_mm < 1e-6


def test_what_comes_out_for_one_does_not_depend_on_the_others(folder):
    surfaces, _ = held_out(folder, "bright")
    fitter = fitter_of(folder, "bright")
    together, _ = fitter.place_all(surfaces)
    alone = fitter.place(surfaces["t6"], "t6")
    np.testing.assert_array_equal(alone.local, together["t6"].local)
    np.testing.assert_array_equal(alone.world, together["t6"].world)


def test_one_that_cannot_be_placed_costs_no_other(folder):
    surfaces, _ = held_out(folder, "bright")
    whole = surfaces["t6"]
    spoilt = surfaces | {
        "open": Mesh(whole.vertices, whole.faces[1:]),
        "inside out": Mesh(whole.vertices, whole.faces[:, ::-1].copy()),
        "point": Mesh(whole.vertices * 0, whole.faces),
        "empty": Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64)),
    }
    placed, failed = fitter_of(folder, "bright").place_all(spoilt)
    assert list(placed) == list(surfaces)
    assert set(failed) == set(spoilt) - set(surfaces)
    assert failed["open"] == (
        "open: the surface is open (3 border edges), expected a closed one; groom it first"
    )
    with pytest.raises(DataError, match="empty: the surface is empty or not finite"):
        fitter_of(folder, "bright").place(spoilt["empty"], "empty")


def test_particles_and_alignments_of_the_subjects_to_predict_are_not_read(folder, tmp_path):
    copy = tmp_path / "run"
    (copy / "correspond" / "dark").mkdir(parents=True)
    (copy / "groom").mkdir()
    (copy / "groom" / "surfaces").symlink_to(folder / "groom" / "surfaces")
    (copy / "correspond" / "dark" / "model.npz").write_bytes(
        (folder / "correspond" / "dark" / "model.npz").read_bytes()
    )
    keys = ("reference", "reference_anatomy", "reflected")
    document = read_json(folder / "groom" / "alignment" / "dark.json", *keys)
    kept = {key: document[key] for key in keys}
    write_json(kept, copy / "groom" / "alignment" / "dark.json")
    one, other = (read_fit_model(f, "dark", ALIGNMENT, VERTICES) for f in (folder, copy))
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name])


def test_the_template_stands_for_the_population_where_the_engine_registers_nothing(
    folder, tmp_path
):
    """As of ShapeWorks, whose models hold no mesh that is registered to new shapes."""
    copy = tmp_path / "run"
    for part in ("groom", "correspond"):
        (copy / part).mkdir(parents=True)
    for name in ("surfaces", "alignment"):
        (copy / "groom" / name).symlink_to(folder / "groom" / name)
    (copy / "correspond" / "bright.npz").symlink_to(folder / "correspond" / "bright.npz")
    model = load_arrays(folder / "correspond" / "bright" / "model.npz")
    kept = {name: model[name] for name in ("mean", "modes", "variances", "residual_limit")}
    save_arrays(kept, copy / "correspond" / "bright" / "model.npz")
    medoid = "t0"
    meshes.write(meshes.read(surface_file(folder, medoid, "bright")), copy / "template/bright.vtp")
    write_json({"subject": medoid}, copy / "template" / "bright.json")
    surfaces, found = held_out(folder, "bright")
    placed = fitter_of(copy, "bright").place(surfaces["t5"], "t5")
    apart = np.linalg.norm(placed.local - found.local[found.row("t5")], axis=1)
    assert 1e-6 < apart.mean() < 3.0  # the particles' spacing is 7 mm


def test_a_model_file_that_lacks_something_is_named(folder, tmp_path):
    save_arrays({"mean": np.zeros((4, 3))}, tmp_path / "correspond" / "bright" / "model.npz")
    with pytest.raises(DataError, match=r"model\.npz lacks modes, residual_limit, variances"):
        read_fit_model(tmp_path, "bright", ALIGNMENT, VERTICES)


def test_threads_do_not_change_the_order(folder):
    surfaces, _ = held_out(folder, "bright")
    fitter = fitter_of(folder, "bright")
    two = replace(fitter, correspond=ENGINE.model_copy(update={"threads": 2}))
    placed, _ = two.place_all(surfaces)
    assert list(placed) == list(surfaces)
