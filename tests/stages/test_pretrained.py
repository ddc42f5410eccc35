"""A model that comes with the package: made of a finished run, or refused and nothing replaced."""

import shutil

import pytest
import yaml

from massm.inference.bundle import load_bundle
from massm.io.errors import DataError
from massm.io.intervals import write_intervals
from massm.io.trust import write_trust
from massm.stages import pretrained
from tests.inference import test_bundle
from tests.inference.test_band import promised
from tests.inference.trust import test_folder as test_trust
from tests.toy_cohort import ANATOMIES

run = test_bundle.run  # the fixture: a run of a few thousand weights
DATA = {"name": "Toy", "citation": "Toy et al.", "license": "MIT", "url": None, "remark": None}
CONFIG = test_bundle.ROOT / "config.yaml"


@pytest.fixture
def results(run, tmp_path):
    """The results folder of that run, laid out as the workflow does."""
    folder = tmp_path / "results"
    shutil.copytree(run.folder, folder, ignore=shutil.ignore_patterns("train", "models", "ct"))
    shutil.copytree(run.folder / "train", folder / "train/massm")
    (folder / "evaluate").mkdir()
    shutil.move(folder / "summary.csv", folder / "evaluate/summary.csv")
    write_intervals(promised(), folder / "intervals/massm/intervals.npz")
    write_trust(test_trust.told(), folder / "trust/massm/trust.npz")
    return folder


def differences(folder, **bundle):
    """The run's configuration as a file of differences."""
    values = {
        "anatomies": list(ANATOMIES),
        "models": {"massm": test_bundle.NETWORK.model_dump(mode="json")},
        "reconstruct": test_bundle.RECONSTRUCT.model_dump(mode="json"),
        "bundle": {"template": "mean", "precision": "half", "data": DATA} | bundle,
    }
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(values))
    return [CONFIG, path]


def test_a_run_becomes_a_model_of_the_package(results, tmp_path):
    output = tmp_path / "pretrained"
    pretrained.run(name="toy", configuration=differences(tmp_path), results=results, output=output)
    assert [path.name for path in output.iterdir()] == ["toy"]
    bundle = load_bundle(output / "toy")
    assert bundle.description.anatomies == ANATOMIES
    assert bundle.facts.template == "mean"
    assert bundle.facts.precision == "half"
    assert "License of the data: MIT." in bundle.card
    assert bundle.intervals.anatomies.keys() == set(ANATOMIES)
    assert bundle.trust.subjects == 12
    assert {row["measure"] for row in bundle.metrics} == {"surface_mean", "missed", "dice"}
    pretrained.refuse_medoids(output / "toy", results / "train/massm")
    assert pretrained.size_of(output / "toy") < pretrained.MOST_BYTES
    for anatomy in ANATOMIES:
        assert bundle.fit_model(anatomy).reference.points.shape[1] == 3


@pytest.mark.parametrize(
    ("bundle", "message"),
    [
        ({"data": DATA | {"license": None}}, "does not say of the data: license"),
        ({"template": "medoid"}, "single subjects"),
        ({"data": DATA | {"remark": "patient-3 is odd."}}, "names 1 subjects, such as patient-3"),
    ],
)
def test_what_cannot_be_given_away_replaces_nothing(results, tmp_path, bundle, message):
    kept = tmp_path / "pretrained/toy/card.md"
    kept.parent.mkdir(parents=True)
    kept.write_text("of before")
    with pytest.raises(DataError, match=message):
        pretrained.run(
            name="toy",
            configuration=differences(tmp_path, **bundle),
            results=results,
            output=tmp_path / "pretrained",
        )
    assert [path.name for path in kept.parent.iterdir()] == ["card.md"]
    assert kept.read_text() == "of before"


def test_a_model_that_is_too_large_is_refused(results, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match=r"MB, at most 0.001 \(bundle.precision: half\)"):
        pretrained.run(
            name="toy",
            configuration=differences(tmp_path),
            results=results,
            output=tmp_path / "pretrained",
        )
    assert not (tmp_path / "pretrained/toy").exists()
