"""How far off particles may be: in the model folder, of a scan, in all that is written of it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import pyvista

import massm
from massm.inference.band import NO_INTERVALS, band_of
from massm.inference.bundle import load_bundle
from massm.inference.describe import describe_scan, promising_nothing_of_red
from massm.inference.folder import INTERVALS
from massm.inference.outputs import OutputOptions, write_scan
from massm.inference.shapes import Cut, Trust
from massm.inference.sources import open_scan
from massm.io.errors import DataError
from massm.io.intervals import AnatomyIntervals, Intervals, write_intervals
from tests.cli import conftest
from tests.inference import test_bundle
from tests.toy_cohort import ANATOMIES, PARTICLES

SCHEMA = Path(__file__).parents[2] / "docs/shape.schema.json"
SPREAD = np.linspace(0.5, 2, PARTICLES)
command = conftest.command  # the fixture
run = test_bundle.run  # the fixture: a run of a few thousand weights


def promised(**changes):
    """What is promised of two anatomies: all of the one, a part of the other."""
    bright, dark = ANATOMIES
    own = {
        bright: AnatomyIntervals(SPREAD, 2.0, 4.0, 30, 0, False, ""),
        dark: AnatomyIntervals(SPREAD, 3.0, math.inf, 12, 2, False, "missed too often"),
    }
    return Intervals(0.9, "validation split, which also chose thresholds", own | changes)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A model folder with intervals."""
    place = tmp_path_factory.mktemp("sure")
    write_intervals(promised(), place / "intervals.npz")
    return test_bundle.make_bundle(run.folder, place / "model", place / "intervals.npz")


@pytest.fixture(scope="module")
def scan(run):
    return run.folder / "dataset/ct" / f"{run.cohort.subjects[0]}.nii.gz"


@pytest.fixture(scope="module")
def found(folder, scan):
    """The bundle, and what it says of a scan; everything counts as present."""
    bundle = load_bundle(folder)
    always = replace(bundle.description, thresholds=dict.fromkeys(ANATOMIES, 0.0))
    bundle = replace(bundle, description=always)
    with open_scan(scan) as source:
        return bundle, describe_scan(source.volume, bundle, name="ct7")


def test_the_folder_carries_them_and_the_card_states_them(folder):
    bundle = load_bundle(folder)
    assert INTERVALS in bundle.files
    assert bundle.intervals.anatomies[ANATOMIES[0]].whole == 4
    assert massm.load(folder).intervals.level == 0.9
    mean = SPREAD.mean()
    assert "## How sure it is" in bundle.card
    assert f"| bright | {2 * mean:.2f} | {4 * mean:.2f} | 30 |  |" in bundle.card
    assert f"| dark | {3 * mean:.2f} | - | 12 | missed too often |" in bundle.card
    assert "validation split, which also chose thresholds" in bundle.card


def test_a_folder_without_any_works_and_says_nothing_of_it(run):
    bundle = load_bundle(run.folder / "models/massm")
    assert bundle.intervals is None
    assert "How sure" not in bundle.card
    assert band_of(bundle, "bright", None) == (None, NO_INTERVALS)


def test_too_few_subjects_are_stated(run, scan, tmp_path, command):
    nothing = AnatomyIntervals(
        *(np.full(PARTICLES, np.nan), math.inf, math.inf, 6, 0, False),
        "6 calibration subjects, 9 are needed for 90 %",
    )
    write_intervals(promised(bright=nothing, dark=nothing), tmp_path / "none.npz")
    made = test_bundle.make_bundle(run.folder, tmp_path / "model", tmp_path / "none.npz")
    bundle = load_bundle(made)
    assert "**Here nothing is promised**: 6 calibration subjects, 9 are needed" in bundle.card
    assert band_of(bundle, "bright", None) == (None, nothing.reason)
    done = command("predict", scan, "--model", made, "--out", tmp_path / "out", "--no-label-map")
    assert f"how far off they may be is not known: {nothing.reason}" in done.stdout
    html = next((tmp_path / "out").rglob("index.html")).read_text(encoding="utf-8")
    assert f"is not known: {nothing.reason}." in html
    assert "Off by" not in html


def test_a_folder_made_again_without_holds_none(run, folder, tmp_path):
    again = tmp_path / "model"
    write_intervals(promised(), tmp_path / "one.npz")
    test_bundle.make_bundle(run.folder, again, tmp_path / "one.npz")
    test_bundle.make_bundle(run.folder, again)
    assert load_bundle(again).intervals is None
    assert not (again / INTERVALS).exists()


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (Intervals(0.9, "", {"dark": promised().anatomies["dark"]}), "says nothing of bright"),
        (
            promised(
                **{
                    name: AnatomyIntervals(np.ones(7), 2.0, 4.0, 30, 0, False, "")
                    for name in ANATOMIES
                }
            ),
            f"bright has 7 particles, expected {PARTICLES}",
        ),
    ],
)
def test_intervals_of_another_model_are_not_written(run, tmp_path, others, message):
    write_intervals(others, tmp_path / "other.npz")
    with pytest.raises(DataError, match=message):
        test_bundle.make_bundle(run.folder, tmp_path / "model", tmp_path / "other.npz")


def test_nothing_is_promised_of_what_is_red(found):
    _, shapes = found
    lights = dict(zip(ANATOMIES, ("red", "green"), strict=True))
    judged = {
        name: replace(shapes[name], trust=Trust(light, "", 1.0, 2.0, 3.0, ()))
        for name, light in lights.items()
    }
    told = promising_nothing_of_red(replace(shapes, anatomies=judged))
    red, green = (told[name] for name in ANATOMIES)
    assert (red.band, red.unsure) == (None, "its light is red")
    assert green is judged[ANATOMIES[1]]


def test_a_scan_has_a_radius_for_each_particle_and_vertex(found):
    bundle, shapes = found
    bright, dark = (shapes[name] for name in ANATOMIES)
    assert bright.present
    assert dark.present
    for shape, unsure in ((bright, ""), (dark, "missed too often")):
        band = shape.band
        assert shape.unsure == unsure
        assert band.level == 0.9
        at_vertices = band.share_at_vertices_mm
        assert len(at_vertices) == len(shape.surface.vertices)
        assert at_vertices.min() >= band.share_mm.min()
        assert at_vertices.max() <= band.share_mm.max()
        # A vertex near a particle has about its radius.
        nearest = np.linalg.norm(
            bundle.shapes[shape.anatomy].template.vertices[:, None]
            - bundle.shapes[shape.anatomy].particles,
            axis=-1,
        ).argmin(0)
        np.testing.assert_allclose(at_vertices[nearest], band.share_mm, atol=1.5)
    np.testing.assert_allclose(bright.band.whole_mm, 4 * SPREAD)
    assert dark.band.whole_mm is dark.band.whole_at_vertices_mm is None


def test_of_what_is_cut_nothing_is_promised(found):
    bundle, _ = found
    assert band_of(bundle, "bright", Cut(0.0, 0.0))[0] is not None
    band, reason = band_of(bundle, "bright", Cut(0.2, 0.1))
    assert band is None
    assert reason == "it lies partly outside of the scan"


@pytest.fixture(scope="module")
def out(found, scan, tmp_path_factory):
    bundle, shapes = found
    folder = tmp_path_factory.mktemp("out") / "ct7"
    with open_scan(scan, "ct7") as source:
        write_scan(shapes, source, bundle, folder, OutputOptions(label_map=False))
    return folder


def test_shape_json_has_them(out):
    document = json.loads((out / "shape.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    bright, dark = (document["anatomies"][name] for name in ANATOMIES)
    np.testing.assert_allclose(bright["within"]["share"]["particles_mm"], 2 * SPREAD)
    assert bright["within"]["share"]["mean_mm"] == pytest.approx(2 * SPREAD.mean())
    assert bright["within"]["level"] == document["model"]["intervals"]["level"] == 0.9
    assert bright["unsure"] is None
    assert dark["within"]["whole"] is None
    assert dark["unsure"] == "missed too often"


def test_surfaces_have_them_at_their_points(out, found):
    _, shapes = found
    mesh = pyvista.read(out / "meshes/bright.vtp")
    np.testing.assert_allclose(
        mesh.point_data["radius_whole_mm"], shapes["bright"].band.whole_at_vertices_mm
    )
    assert set(pyvista.read(out / "meshes/dark.vtp").point_data.keys()) == {"radius_share_mm"}


def test_the_page_has_numbers_and_bands(out):
    html = (out / "index.html").read_text(encoding="utf-8")
    assert "Off by, 90&nbsp;%" in html
    assert f"whole {4 * SPREAD.mean():.1f} mm" in html
    assert "Dark: missed too often." in html
    assert "holds no intervals" not in html
    data = json.loads(
        html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    )
    bright, dark = data["organs"]
    assert (bright["band"]["whole"], dark["band"]["whole"]) == (True, False)


def test_the_command_tells_them(folder, scan, tmp_path, command):
    done = command(
        *("predict", scan, "--model", folder, "--out", tmp_path / "out"),
        *("--no-page", "--no-label-map"),
    )
    assert done.exit_code == 0
    assert "how far off they may be is not known" not in done.stdout
    assert f"90 % of the particles within {2 * SPREAD.mean():.1f} mm" in done.stdout or (
        f"90 % of the particles within {3 * SPREAD.mean():.1f} mm" in done.stdout
    )
    facts = json.loads(command("info", folder, "--json").stdout)
    assert facts["intervals"]["anatomies"]["dark"]["whole_mm"] is None
    assert facts["intervals"]["anatomies"]["bright"]["calibration_subjects"] == 30
    assert "How sure it is" in command("info", folder).stdout
