"""What is usual: made by the stage, carried by the model folder; lights in all that is written."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import massm
from massm.config.trust import AlarmConfig
from massm.inference.bundle import load_bundle
from massm.inference.describe import describe_scan
from massm.inference.folder import TRUST
from massm.inference.outputs import OutputOptions, write_scan
from massm.inference.sources import open_scan
from massm.inference.trust.evidence import Gathered
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN
from massm.inference.trust.light import NO_TABLES, gather_shapes
from massm.inference.trust.places import arrangement_of
from massm.inference.trust.usual import usual
from massm.io.errors import DataError
from massm.io.trust import read_trust, write_trust
from massm.stages import trust as stage
from tests.cli import conftest
from tests.inference import test_bundle
from tests.toy_cohort import ANATOMIES

SCHEMA = Path(__file__).parents[3] / "docs/shape.schema.json"
command = conftest.command  # the fixture
run = test_bundle.run  # the fixture: a run of a few thousand weights


def told(anatomies=ANATOMIES):
    """Tables of 12 subjects, to whom any scan of the toy cohort is strange."""
    draw = np.random.default_rng(0)
    subjects = [
        Gathered(
            {name: draw.normal(50, 1, len(OF_ANATOMY)) for name in anatomies},
            draw.normal(50, 1, len(OF_SCAN)),
        )
        for _ in range(12)
    ]
    places = arrangement_of(anatomies, np.zeros((0, len(anatomies), 3)))
    return usual(subjects, places, 0.05, "validation split")


def make(run, place, tables):
    write_trust(tables, place / "trust.npz")
    return test_bundle.make_bundle(run.folder, place / "model", trust=place / "trust.npz")


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A model folder with tables."""
    return make(run, tmp_path_factory.mktemp("told"), told())


@pytest.fixture(scope="module")
def scan(run):
    return run.folder / "dataset/ct" / f"{run.cohort.subjects[0]}.nii.gz"


def always(bundle):
    """A model that finds everything."""
    thresholds = dict.fromkeys(ANATOMIES, 0.0)
    return replace(bundle, description=replace(bundle.description, thresholds=thresholds))


@pytest.fixture(scope="module")
def found(folder, scan):
    bundle = always(load_bundle(folder))
    with open_scan(scan) as source:
        return bundle, describe_scan(source.volume, bundle, name="ct7")


def test_the_folder_carries_them(folder, run, tmp_path):
    bundle = load_bundle(folder)
    assert TRUST in bundle.files
    assert massm.load(folder).trust.subjects == 12
    again = tmp_path / "model"
    test_bundle.make_bundle(run.folder, again, trust=folder.parent / "trust.npz")
    test_bundle.make_bundle(run.folder, again)
    assert load_bundle(again).trust is None
    assert not (again / TRUST).exists()


def test_a_folder_without_says_that_it_has_none(run, scan):
    bundle = load_bundle(run.folder / "models/massm")
    with open_scan(scan) as source:
        shapes = describe_scan(source.volume, bundle)
    assert (shapes.trust, shapes.untold) == (None, NO_TABLES)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (told(("bright", "other")), "anatomies are bright, other, expected bright, dark"),
        (replace(told(), scan_evidence=("air",) * len(OF_SCAN)), "evidence of scans are air, air"),
    ],
)
def test_tables_of_another_model_are_not_written(run, tmp_path, tables, message):
    with pytest.raises(DataError, match=message):
        make(run, tmp_path, tables)


def test_the_stage_sees_what_the_command_sees(run, tmp_path, monkeypatch):
    files = test_bundle.predicted_by_stages(run, tmp_path)
    fold = tmp_path / "fold"  # where the stages of this run write is not where a whole run does
    for name, place in {
        "dataset": run.folder / "dataset",
        "correspond": run.folder / "correspond",
        "predict/massm": tmp_path / "predict",
        "reconstruct/warp": tmp_path / "warp",
    }.items():
        (fold / name).parent.mkdir(parents=True, exist_ok=True)
        (fold / name).symlink_to(place, target_is_directory=True)
    seen = []
    monkeypatch.setattr(stage, "usual", lambda subjects, *rest: seen.extend(subjects) or told())
    stage.run(
        AlarmConfig(false_alarms=0.05),
        name="massm",
        model=test_bundle.NETWORK,
        modes=4,
        results=run.folder,
        anatomies=list(ANATOMIES),
        runs=[fold],
        split="validation",
        calibration="validation split",
        trust=tmp_path / "trust.npz",
    )
    assert read_trust(tmp_path / "trust.npz").subjects == 12
    assert len(seen) == len(files) > 0
    bundle = load_bundle(run.folder / "models/massm")
    places = stage.arrangement_of(ANATOMIES, stage._centers(_train(run)))
    tables = replace(told(), place_mean=places.mean, place_covariance=places.covariance)
    for path, expected in zip(files, seen, strict=True):
        with open_scan(run.folder / "dataset/ct" / f"{path.stem}.nii.gz") as source:
            one = gather_shapes(describe_scan(source.volume, bundle), source.volume, tables)
        np.testing.assert_allclose(one.scan, expected.scan)
        assert one.anatomies.keys() == expected.anatomies.keys()
        for name, values in one.anatomies.items():
            np.testing.assert_allclose(values, expected.anatomies[name], rtol=1e-3, atol=1e-2)


def _train(run):
    return {name: run.cohort.particles[name].of_split("train") for name in ANATOMIES}


def test_a_scan_has_lights_in_all_that_is_written(found, scan, tmp_path):
    bundle, shapes = found
    assert shapes.trust.light == "red"
    assert [shapes[name].trust.light for name in ANATOMIES] == ["red", "red"]
    with open_scan(scan, "ct7") as source:
        write_scan(shapes, source, bundle, tmp_path / "ct7", OutputOptions(label_map=False))
    document = json.loads((tmp_path / "ct7/shape.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["trust"]["light"] == document["anatomies"]["dark"]["trust"]["light"] == "red"
    assert document["trust"]["reason"] == shapes.trust.reason
    assert document["model"]["trust"]["subjects"] == 12
    assert document["untold"] is None
    html = (tmp_path / "ct7/index.html").read_text(encoding="utf-8")
    assert "do not use its shapes" in html
    assert "compared with 12 subjects" in html
    assert html.count('<i class="light red"></i>red') == 2


def test_the_command_tells_them(folder, scan, tmp_path, command):
    done = command(
        *("predict", scan, "--model", folder, "--out", tmp_path / "out"),
        *("--no-page", "--no-label-map"),
    )
    assert done.exit_code == 0
    assert "whether to trust" not in done.stdout
    assert "  scan    red    The scan: " in done.stdout
    facts = json.loads(command("info", folder, "--json").stdout)
    assert facts["trust"]["found"] == {"bright": 12, "dark": 12}
