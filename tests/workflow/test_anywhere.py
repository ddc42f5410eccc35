"""From any folder, in any folder: paths are only paths, whatever stands in them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from massm.io.tables import read_table
from tests.workflow.project import ROOT, Project

HOSTILE = '-it\'s "a" $HOME {x} {} ;touch pwned; ü `id`'


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / f"{HOSTILE};'; touch pwned; '"
    folder.mkdir()
    return Project(folder).folder


def snakemake(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-m", "snakemake", *arguments],  # as the command does
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **environment},
        check=False,
        encoding="utf-8",
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_from_another_folder_paths_mean_the_working_directory(clone, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "my data").mkdir(parents=True)
    (elsewhere / "mine.yaml").write_text("dataset: {root: my data}\n")
    given = ["-s", str(clone / "Snakefile"), "--configfile", "mine.yaml", "--dry-run", "--", "all"]
    done = snakemake(*given, cwd=elsewhere)  # without --cores: the default profile is found
    assert done.returncode == 0, done.stdout
    assert "Check my data" in done.stdout
    assert "train_model" in done.stdout
    (elsewhere / "mine.yaml").rename(tmp_path / "mine.yaml")
    done = snakemake(*given[:-3], "--directory", "elsewhere", *given[-3:], cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Check my data" in done.stdout


def test_the_home_folder_is_known_by_its_sign(clone, tmp_path):
    (tmp_path / "home" / "data").mkdir(parents=True)
    changes = ["dataset={root: ~/data}", "results=~/results", "phantom={root: ~/phantom}"]
    done = snakemake(
        *["--dry-run", "--printshellcmds", "dataset", "--config", *changes],
        cwd=clone,
        HOME=str(tmp_path / "home"),
    )
    assert done.returncode == 0, done.stdout
    assert f"--cohort {tmp_path}/home/results/dataset/cohort.tsv" in done.stdout
    assert f'"root":"{tmp_path}/home/data"' in done.stdout


@pytest.mark.parametrize("results", ["a{x}b", "results <now>"])
def test_results_that_snakemake_would_take_for_a_pattern_are_refused(clone, results):
    done = snakemake("--dry-run", "dataset", "--config", f"results={results!r}", cwd=clone)
    assert done.returncode == 1
    assert "results: holds " in done.stdout
    assert f"takes for a pattern; name it otherwise, found '{results}'" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_stages_run_where_every_path_is_hostile(clone, tmp_path):
    elsewhere = tmp_path / "; touch pwned; it's"
    elsewhere.mkdir()
    (elsewhere / "random.py").write_text("raise SystemExit('the working directory was imported')")
    results, data = "-r'e s; touch pwned; $x {} ü", '-d\'a "t"; touch pwned; $x {} ü'
    values = yaml.safe_load((ROOT / "tests" / "phantom.yaml").read_text(encoding="utf-8"))
    values["phantom"]["root"] = values["dataset"]["root"] = data
    values["results"] = results
    (elsewhere / "mine.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    given = ["-s", str(clone / "Snakefile"), "--cores", "1", "--configfile", "mine.yaml"]
    done = snakemake(*given, "--", "groom", cwd=elsewhere)
    assert done.returncode == 0, done.stdout[-5000:]
    index = read_table(elsewhere / results / "groom" / "index" / "0000.tsv")
    assert (index["status"] == "groomed").all()
    assert not list(tmp_path.rglob("pwned"))
    assert not Path.cwd().joinpath("pwned").exists()
