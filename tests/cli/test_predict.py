"""``massm predict``, ``fit``, ``info`` and ``massm.load`` on a toy model."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import massm
from massm.cli import predict as predict_command
from massm.geometry.volume import Volume
from massm.inference import api, batch
from massm.io import documents, images, meshes
from massm.io.errors import DataError
from massm.io.particles import read_text
from tests.inference import test_bundle
from tests.toy_cohort import hull, sphere_points

ROOT = Path(__file__).parents[2]
PIPELINE = (
    "snakemake",
    "lightning",
    "pytorch_lightning",
    "plotly",
    "sklearn",
    "xlsxwriter",
    "monai",
)
run = test_bundle.run  # the fixture: a model folder and the run that made it
QUICK = ("--no-page", "--no-label-map")


@pytest.fixture
def model(run):
    """The model folder."""
    return run.folder / "models/massm"


@pytest.fixture
def scans(run):
    """Two scans."""
    return [run.folder / "dataset/ct" / f"{name}.nii.gz" for name in run.cohort.subjects[:2]]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_scan_is_written_and_a_failed_one_stops_no_other(run, model, scans, tmp_path, command):
    damaged = tmp_path / "damaged.nii.gz"
    damaged.write_bytes(b"no image")
    out = tmp_path / "out"
    done = command("predict", scans[0], damaged, scans[1], "--model", model, "--out", out)
    assert done.exit_code == 1
    first, second, *unknown = done.stdout.splitlines()
    assert unknown == [
        "how far off they may be is not known: the model folder holds no intervals",
        "whether to trust them is not known: the model folder does not know what is usual",
    ]
    pattern = r"{}/3 {}: [12] of 2 anatomies.*, \d+\.\d s, .*{}/index\.html"
    for line, number, scan in zip((first, second), (1, 3), run.cohort.subjects[:2], strict=True):
        assert re.fullmatch(pattern.format(number, scan, scan), line)
    assert "massm: 2/3 damaged: " in done.stderr
    assert "1 of 3 scans failed" in done.stderr
    assert {path.name for path in out.iterdir()} == set(run.cohort.subjects[:2])
    loaded, written = massm.load(model), 0
    for scan in scans:
        shapes = loaded.predict(scan)
        folder = out / shapes.name
        document = documents.read_json(folder / "shape.json")["anatomies"]
        assert (folder / "segmentation.nii.gz").is_file()
        for name, shape in shapes.anatomies.items():
            assert document[name]["present"] == shape.present
            assert document[name]["score"] == pytest.approx(shape.score)
            if shape.present:
                written += 1
                local = read_text(folder / f"particles/{name}_local.particles")
                np.testing.assert_allclose(local, shape.local, atol=1e-3)
                mesh = meshes.read(folder / f"meshes/{name}.vtp")
                np.testing.assert_allclose(mesh.vertices, shape.surface.vertices, atol=1e-3)
    assert written > 0


def test_results_are_kept_until_it_is_said_what_to_do_with_them(model, scans, tmp_path, command):
    out = tmp_path / "out"
    words = ("--model", model, "--out", out, *QUICK)
    assert command("predict", scans[0], *words).exit_code == 0
    before = contents(out)
    refused = command("predict", *scans, *words)
    assert refused.exit_code == 2
    assert "is there already; replace results (--overwrite), pass over" in refused.stderr
    assert contents(out) == before
    passed = command("predict", *scans, *words, "--skip-existing")
    assert passed.exit_code == 0
    assert passed.stdout.splitlines()[0] == "1 of 2 scans have results, skipped"
    assert "1/1 patient-1" in passed.stdout
    assert before.items() <= contents(out).items()
    (out / "patient-0" / "left.txt").write_text("of before")
    assert command("predict", scans[0], *words, "--overwrite").exit_code == 0
    assert not (out / "patient-0" / "left.txt").exists()
    both = command("predict", scans[0], *words, "--overwrite", "--skip-existing")
    assert both.exit_code == 2
    assert "exclude each other" in both.stderr


def test_a_spreadsheet_names_scans_and_formats_of_surfaces_may_be_a_list(
    model, scans, tmp_path, command
):
    book = openpyxl.Workbook()
    book.active.append(["Subject", "image"])
    book.active.append([17, str(scans[0])])
    book.save(tmp_path / "scans.xlsx")
    out = tmp_path / "out"
    words = ("--model", model, "--out", out, *QUICK, "--quiet", "--mesh-format", "stl,.obj")
    done = command("predict", tmp_path / "scans.xlsx", *words, "--mesh-format", "glb")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    endings = {path.suffix for path in (out / "17/meshes").iterdir()}
    assert endings == {".vtp", ".stl", ".obj", ".glb"}
    assert not (out / "17/index.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a/ct.nii.gz", "b/ct.nrrd"], "a/ct.nii.gz and b/ct.nrrd are both called ct"),
        (["ct.nii.gz", "--model", "nothing"], "nothing is no folder and no model that came with"),
        (["ct.nii.gz", "--mesh-format", "off"], "--mesh-format off is not known; choose of vtp"),
        (["ct.nii.gz", "--quiet", "--verbose"], "--verbose and --quiet exclude each other"),
        (["none.csv"], "none.csv"),
    ],
)
def test_what_cannot_begin_is_said_in_one_sentence(words, message, model, tmp_path, command):
    done = command("predict", "--model", model, "--out", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(
    model, scans, tmp_path, command, kind
):
    (tmp_path / "taken").write_text("a file")
    out = tmp_path / "taken" / "out" if kind == "below a file" else tmp_path / "taken"
    done = command("predict", scans[0], "--model", model, "--out", out)
    assert done.exit_code == 2
    assert f"--out {out} cannot be written to (" in done.stderr
    assert "choose another folder" in done.stderr


def test_a_trace_is_shown_when_it_is_asked_for(tmp_path, command):
    words = ("predict", "ct.nii.gz", "--model", tmp_path, "--out", tmp_path / "out")
    assert "Traceback" not in command(*words).stderr
    done = command(*words, "--debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert "is no model folder" in done.stderr.splitlines()[-1]


def test_an_interruption_ends_the_command_with_its_own_status(
    model, scans, tmp_path, command, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "describe_scan", interrupted)
    done = command("predict", *scans, "--model", model, "--out", tmp_path / "out")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1] == "massm: interrupted"
    assert not list((tmp_path / "out").rglob("*"))


def test_a_gpu_that_is_not_there_is_refused(model, scans, tmp_path, command, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    words = ("--model", model, "--out", tmp_path / "out", "--device", "cuda")
    done = command("predict", scans[0], *words)
    assert done.exit_code == 2
    assert "leave it out to use the CPU" in done.stderr


def test_the_pipelines_packages_are_not_needed(model, scans, tmp_path):
    code = (
        "import sys\n"
        f"blocked = {PIPELINE}\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in blocked:\n"
        "            raise ImportError(name + ' is blocked')\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "from massm.cli.app import main\n"
        "main()\n"
    )
    words = ["predict", str(scans[0]), "--model", str(model), "--out", "out", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/patient-0/index.html").is_file()


def test_a_model_shows_its_card_and_its_facts(model, command):
    shown = command("info", model)
    assert shown.exit_code == 0
    assert "How good it is" in shown.stdout
    assert "Not known: the folder holds no intervals." in shown.stdout
    assert "Not known: the folder holds no tables." in shown.stdout
    facts = json.loads(command("info", model, "--json").stdout)
    assert facts["anatomies"] == ["bright", "dark"]
    assert facts["intervals"] is None
    assert facts["trust"] is None
    assert facts["files"].keys() == {path.name for path in model.iterdir()} - {"model.json"}


def test_models_that_came_along_are_listed_and_chosen(model, scans, tmp_path, command, monkeypatch):
    monkeypatch.setattr(api.pretrained, "names", list)
    assert "no model came with this massm" in command("models").stdout
    words = ("predict", scans[0], "--out", tmp_path / "out", *QUICK)
    assert "which model? Give --model FOLDER" in command(*words).stderr
    monkeypatch.setattr(api.pretrained, "names", lambda: ["toy"])
    monkeypatch.setattr(api.pretrained, "find", {"toy": model}.__getitem__)
    listed = command("models").stdout
    assert "toy" in listed
    assert "bright, dark" in listed
    assert command(*words).exit_code == 0
    monkeypatch.setattr(api.pretrained, "names", lambda: ["toy", "other"])
    assert "or one of: toy, other" in command(*words, "--overwrite").stderr


def test_a_segmentation_is_fitted(run, model, tmp_path, command):
    mesh = hull(sphere_points(200) * [13.0, 10.5, 8.0] + [50.0, -20.0, 300.0])
    meshes.write(mesh, tmp_path / "organ.vtp")
    words = ("fit", tmp_path / "organ.vtp", "--model", model, "--out", tmp_path / "out")
    done = command(*words, "--anatomy", "bright")
    assert done.exit_code == 0, done.stderr
    assert "percentile" in done.stdout
    document = documents.read_json(tmp_path / "out/organ/fit.json")
    read = meshes.read(tmp_path / "organ.vtp")  # in single precision, which moves remeshed corners
    found = massm.load(model).fit((read.vertices, read.faces), "bright")
    np.testing.assert_allclose(document["scores_sd"], found.scores, atol=1e-3)
    again = command(*words, "--anatomy", "bright")
    assert again.exit_code == 2
    assert "is there already; replace results (--overwrite), pass over these shapes" in again.stderr
    unknown = command(*words, "--anatomy", "liver", "--overwrite")
    assert unknown.exit_code == 2
    assert "the model knows no liver; it knows bright, dark" in unknown.stderr


def ball(path, radii=(13.0, 10.5, 8.0)):
    """A surface that the toy model can be fitted to."""
    meshes.write(hull(sphere_points(200) * radii + [50.0, -20.0, 300.0]), path)
    return path


def test_a_shape_that_fails_stops_no_other_and_the_exit_status_says_so(model, tmp_path, command):
    good, damaged = ball(tmp_path / "good.vtp"), tmp_path / "damaged.stl"
    damaged.write_bytes(b"no mesh")
    words = ("--model", model, "--out", tmp_path / "out", "--anatomy", "bright")
    done = command("fit", damaged, good, *words)
    assert done.exit_code == 1
    assert "massm: 1/2 damaged: " in done.stderr
    assert "1 of 2 shapes failed" in done.stderr
    assert done.stdout.startswith("2/2 good: bright, ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"]
    assert command("fit", damaged, *words).exit_code == 1
    passed = command("fit", good, *words, "--skip-existing")
    assert (passed.exit_code, passed.stdout) == (0, "1 of 1 shapes have results, skipped\n")


def test_a_shape_may_bear_the_name_of_its_anatomy(model, tmp_path, command):
    named, nameless = ball(tmp_path / "Bright.vtp"), ball(tmp_path / "patient-7.vtp")
    words = ("--model", model, "--out", tmp_path / "out")
    assert command("fit", named, *words).exit_code == 0
    assert documents.read_json(tmp_path / "out/Bright/fit.json")["anatomy"] == "bright"
    (tmp_path / "series").mkdir()
    for path, what in ((nameless, "file"), (tmp_path / "series", "folder")):
        done = command("fit", path, *words)
        assert done.exit_code == 2
        assert f"which anatomy is it? The {what}'s name" in done.stderr
        assert "name the anatomy (--anatomy), one of bright, dark" in done.stderr
    (tmp_path / "a").mkdir()
    done = command("fit", named, ball(tmp_path / "a/bright.vtp"), *words, "--overwrite")
    assert done.exit_code == 2
    assert "results are named by their shape: give them in calls of their own" in done.stderr


def test_a_mesh_is_known_by_its_content_and_named_without_its_ending(model, tmp_path, command):
    content = ball(tmp_path / "organ.vtp").read_bytes()
    (tmp_path / "from-pacs").write_bytes(content)
    (tmp_path / "packed.stl.gz").write_bytes(gzip.compress(content))
    words = ("--model", model, "--out", tmp_path / "out", "--anatomy", "bright")
    done = command("fit", tmp_path / "from-pacs", tmp_path / "packed.stl.gz", *words)
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"from-pacs", "packed"}


def test_a_label_map_asks_for_its_label_in_the_words_of_whoever_gave_it(model, tmp_path, command):
    labels = np.zeros((30, 30, 30), np.uint8)
    labels[5:20, 5:20, 5:20], labels[22:28, 5:20, 5:20] = 1, 2
    volume = Volume(labels, np.full(3, 1.5), np.zeros(3), np.eye(3))
    images.write_image(volume, tmp_path / "labels.nrrd")
    words = ("--model", model, "--out", tmp_path / "out", "--anatomy", "bright")
    done = command("fit", tmp_path / "labels.nrrd", *words)
    assert done.exit_code == 1
    assert "holds the labels 1, 2, not one anatomy alone; " in done.stderr
    assert "give the anatomy's label (--label)" in done.stderr
    loaded = massm.load(model)
    for given, place in ((tmp_path / "labels.nrrd", {}), (labels, {"spacing": (1.5,) * 3})):
        with pytest.raises(DataError, match=r"give the anatomy's label \(label=\)"):
            loaded.fit(given, "bright", **place)
    assert command("fit", tmp_path / "labels.nrrd", *words, "--label", 1).exit_code == 0


def test_arrays_and_files_are_the_same_to_a_model(run, model, scans):
    loaded = massm.load(str(model))
    assert loaded.anatomies == ("bright", "dark")
    assert loaded.card.startswith("#")
    volume = images.read_scan(scans[0]).volume
    place = {"spacing": volume.spacing, "origin": volume.origin, "direction": volume.direction}
    given, expected = loaded.predict(volume.array, **place), loaded.predict(scans[0])
    assert (given.name, expected.name) == ("scan", "patient-0")
    assert given.found.keys() == expected.found.keys() != set()
    for name, shape in expected.found.items():
        np.testing.assert_array_equal(given[name].local, shape.local)
    with pytest.raises(DataError, match="a file has its own spacing; leave that out"):
        loaded.predict(scans[0], spacing=(1, 1, 1))


def test_what_is_no_use_to_a_shape_is_refused(run, model, tmp_path):
    loaded, path = massm.load(model), tmp_path / "organ.vtp"
    meshes.write(hull(sphere_points(100) * 12.0), path)
    with pytest.raises(DataError, match=r"a file has its own spacing, origin; leave"):
        loaded.fit(path, "bright", spacing=(1, 1, 1), origin=(0, 0, 0))
    with pytest.raises(DataError, match="a surface has no direction, label; leave"):
        loaded.fit(meshes.read(path), "bright", label=1, direction=np.eye(3))
    with pytest.raises(DataError, match="a mesh has no labels, label 2 is given") as error:
        loaded.fit(path, "bright", label=2)
    assert str(error.value).count(str(path)) == 1


def test_an_image_in_memory_is_judged_like_a_file(run, model, tmp_path):
    loaded, points = massm.load(model), np.indices((40, 40, 40)) - 19.5
    distance = np.linalg.norm(points, axis=0) - 13.0
    volume = Volume(distance, np.ones(3), np.array([30.0, -40.0, 280.0]), np.eye(3))
    place = {"spacing": volume.spacing, "origin": volume.origin}
    mask = distance < 0
    images.write_image(volume, tmp_path / "distance.mha")
    expected = loaded.fit(tmp_path / "distance.mha", "bright").surface.volume_ml
    assert expected == pytest.approx(4 / 3 * np.pi * 1.3**3, rel=0.03)
    for array, label in ((distance, None), (mask, None), (mask * np.int64(7), 7)):
        found = loaded.fit(array, "bright", label=label, **place)
        assert found.surface.volume_ml == pytest.approx(expected, rel=0.03)
    several = mask * np.int8(1) + (distance < -6)
    with pytest.raises(DataError, match="the image: holds the labels 1, 2"):
        loaded.fit(several, "bright", **place)


def test_dicom_seg_is_refused_at_once_without_its_package(
    model, scans, tmp_path, command, monkeypatch
):
    words = ("predict", scans[0], "--model", model, "--out", tmp_path / "out", "--dicom-seg")
    monkeypatch.setitem(sys.modules, "highdicom", None)
    done = command(*words)
    assert done.exit_code == 2
    assert "DICOM SEG needs the package highdicom" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_was_asked_for_and_is_missing_is_heard_when_quiet(
    model, scans, tmp_path, command
):
    words = ("predict", scans[0], "--model", model, "--out", tmp_path / "out", *QUICK)
    done = command(*words, "--dicom-seg", "--quiet")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1/1 patient-0: no DICOM SEG was written: the scan is no DICOM" in done.stderr


def test_results_are_named_by_the_link_that_was_given(model, scans, tmp_path, command):
    link = tmp_path / "visit-2.nii.gz"
    link.symlink_to(scans[0])
    done = command("predict", link, "--model", model, "--out", tmp_path / "out", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["visit-2"]


def test_formats_are_read_with_and_without_a_point():
    assert predict_command._formats(["STL, .ply", "stl"]) == (".stl", ".ply")
