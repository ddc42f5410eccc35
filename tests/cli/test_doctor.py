"""``massm doctor`` says what is there, what is missing, and what a cohort looks like."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from massm.cli import doctor


@pytest.fixture(autouse=True)
def no_models(monkeypatch):
    monkeypatch.setattr("massm.inference.pretrained.names", list)


def test_all_is_well_where_nothing_needed_is_missing(command):
    done = command("doctor")
    assert done.exit_code == 0, done.stderr
    for word in ("Software", "Machine", "Models", "torch", "ShapeWorks", "cores", "memory", "GPU"):
        assert word in done.stdout
    assert "MISSING" not in done.stdout


def test_what_predicting_lacks_fails_and_extras_do_not(command, monkeypatch):
    version = metadata.version

    def without(lacking):
        def found(name):
            if name == lacking:
                raise metadata.PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(doctor.metadata, "version", found)
        return command("doctor")

    done = without("snakemake")
    assert done.exit_code == 0
    assert "snakemake not there" in done.stdout
    assert "extra pipeline" in done.stdout
    for needed in ("vtk", "jinja2"):
        done = without(needed)
        assert done.exit_code == 1
        assert "MISSING" in done.stdout
        assert f"{needed}: install massm again" in done.stdout


def test_what_is_needed_is_what_the_project_declares():
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {None: project["dependencies"], **project["optional-dependencies"]}
    names = {extra: [re.split("[<>=]", each)[0] for each in of] for extra, of in expected.items()}
    assert {extra: sorted(of) for extra, of in doctor._declared().items()} == {
        extra: sorted(of) for extra, of in names.items()
    }


def test_a_cohort_is_looked_at(command, tmp_path):
    for name in ("s1", "s2"):
        folder = tmp_path / name / "segmentations"
        folder.mkdir(parents=True)
        (tmp_path / name / "ct.nii.gz").touch()
        (folder / "liver.nii.gz").touch()
    done = command("doctor", "--data", tmp_path)
    assert done.exit_code == 0, done.stdout
    assert "2 of 2 subjects" in done.stdout
    config = tmp_path / "mine.yaml"
    config.write_text(f"anatomies: [spleen]\ndataset: {{root: {tmp_path}}}\n")
    done = command("doctor", "--config", config)
    assert done.exit_code == 1
    assert "0 of 2 subjects" in done.stdout
    assert "no such folder or table" in command("doctor", "--data", tmp_path / "none").stdout


def test_a_configuration_that_is_none_is_said(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [")
    (found,) = doctor._cohort(None, tmp_path / "bad.yaml")
    assert found.state == "missing"
    assert "is no YAML" in found.said
    (tmp_path / "empty.yaml").write_text("results: x\n")
    (found,) = doctor._cohort(None, tmp_path / "empty.yaml")
    assert (found.state, found.what) == ("missing", "data")
    assert "names no dataset.root" in found.said
