"""Which code runs here."""

import subprocess

import numpy as np

from massm.machine.versions import commit, package_versions


def test_versions_are_those_of_the_packages_that_are_imported():
    assert package_versions()["numpy"] == np.__version__


def test_a_checkout_has_a_commit_and_another_folder_none(tmp_path):
    assert commit(tmp_path) is None
    author = ["-c", "user.name=n", "-c", "user.email=e@x"]
    for words in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    found = commit(tmp_path)
    assert found is not None
    assert len(found) == 40
    assert int(found, 16) > 0


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert commit(tmp_path) is None
