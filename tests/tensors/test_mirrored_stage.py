"""The stage that says what is known of training subjects in a mirror."""

import logging

import numpy as np
import pytest

from massm.config.tensors import MirrorConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.frames import MIRROR
from massm.geometry.mesh import Mesh
from massm.io import meshes, tensors
from massm.io.cohort import AnatomyRecord, write_cohort
from massm.io.particles import load_set
from massm.io.tables import read_table
from massm.stages import tensors_mirrored
from massm.tensors.mirroring import mirrored_file
from tests.fitting.small_run import ALIGNMENT, ENGINE, surface_file, write_run
from tests.toy_cohort import ANATOMIES

OTHER = {"bright": "dark", "dark": "bright"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run up to correspond, and its toy cohort."""
    folder = tmp_path_factory.mktemp("run")
    cohort = write_run(folder)
    rows = [
        AnatomyRecord(subject, name, split, status)
        for subject, split in zip(cohort.subjects, cohort.splits, strict=True)
        for name, status in cohort.status[subject].items()
    ]
    write_cohort(rows, folder / "cohort.tsv")
    return folder, cohort


def export(folder, subjects, pairs):
    tensors_mirrored.run(
        MirrorConfig(mirror_pairs=pairs),
        alignment=ALIGNMENT,
        engine=ENGINE,
        anatomies=list(ANATOMIES),
        subjects=list(subjects),
        cohort=folder / "cohort.tsv",
        groomed=[folder / "groom/index/0000.tsv"],
        results=folder,
        output=folder / "tensors",
        done=folder / "tensors/mirrored_batches/0000.tsv",
    )
    return [tensors.load(mirrored_file(folder / "tensors", name)) for name in subjects]


@pytest.mark.parametrize("pairs", [{}, {"bright": "dark"}], ids=["midline", "sides"])
def test_particles_lie_on_the_mirrored_surface_of_the_other_side(made, pairs):
    folder, cohort = made
    (known,) = export(folder, ["t0"], pairs)
    other = OTHER if pairs else dict(zip(ANATOMIES, ANATOMIES, strict=True))
    assert known["partner"].tolist() == [ANATOMIES.index(other[name]) for name in ANATOMIES]
    for k, name in enumerate(ANATOMIES):
        assert known["presence"][k] == (cohort.status["t0"][other[name]] == "used")
        surface = meshes.read(surface_file(folder, "t0", other[name])).transformed(MIRROR)
        assert SurfaceIndex(surface).closest(known["local"][k]).distance.max() < 0.01
        low, high = known["local"][k].min(axis=0), known["local"][k].max(axis=0)
        np.testing.assert_allclose(known["center"][k], (low + high) / 2, atol=1e-3)
        np.testing.assert_allclose(known["radius"][k], (high - low) / 2, atol=1e-3)
    assert list(read_table(folder / "tensors/mirrored_batches/0000.tsv").subject) == ["t0"]


def test_they_are_in_correspondence_with_the_anatomys_own(made):
    """Of a shape that is nearly its own mirror image they are nearly where its own are."""
    folder, _ = made
    (known,) = export(folder, ["t1"], {})
    particles = load_set(folder / "correspond" / "bright.npz")
    own = particles.world[particles.row("t1")]
    away = np.linalg.norm(known["world"][0] - own, axis=-1).mean()
    shuffled = np.linalg.norm(np.roll(own, 1, axis=0) - own, axis=-1).mean()
    assert away < 0.5 * shuffled


def test_what_the_other_side_lacks_is_absent_and_what_cannot_be_fitted_is_unknown(made, caplog):
    folder, cohort = made
    lacking = next(name for name in cohort.subjects if cohort.status[name]["dark"] == "absent")
    file = surface_file(folder, "t2", "bright")
    whole = meshes.read(file)
    meshes.write(Mesh(whole.vertices, whole.faces[:-1]), file)
    try:
        with caplog.at_level(logging.WARNING):
            absent, unknown = export(folder, [lacking, "t2"], {"bright": "dark"})
    finally:
        meshes.write(whole, file)
    assert absent["presence"].tolist() == [0, 1]
    assert np.isnan(absent["local"][0]).all()
    assert unknown["presence"].tolist() == [1, -1]
    assert np.isnan(unknown["local"][1]).all()
    assert "t2 has no particles in a mirror" in caplog.text
