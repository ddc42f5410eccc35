"""What a release is made of agrees with the package: version, changelog, Pythons, files."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import massm

ROOT = Path(__file__).parents[1]
CI, RELEASE = (ROOT / ".github" / "workflows" / name for name in ("ci.yml", "release.yml"))


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def steps(workflow):
    jobs = yaml.safe_load(read(workflow))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_the_citation_is_of_this_version_and_names_the_paper():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == massm.__version__
    paper = citation["preferred-citation"]
    assert [author["family-names"] for author in paper["authors"]] == [
        "Ukey",
        "Kataria",
        "Elhabian",
    ]
    assert paper["identifiers"][0]["value"] == "arXiv:2403.11008"


def test_the_changelog_has_parts_that_its_form_knows():
    titles = re.findall(r"^(##+) (.*)$", read("CHANGELOG.md"), re.MULTILINE)
    versions = [title for level, title in titles if level == "##"]
    assert versions[0] == "[Unreleased]"
    for version in versions[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version)
    parts = {title for level, title in titles if level == "###"}
    assert parts <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_checks_run_on_every_python_that_is_declared():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    matrix = yaml.safe_load(CI.read_text())["jobs"]["checks"]["strategy"]["matrix"]
    assert matrix["python"] == declared
    assert project["requires-python"] == f">={declared[0]}"
    assert ".ci/run" in [step.get("run") for step in steps(CI)]


@pytest.mark.parametrize("workflow", [CI, RELEASE], ids=lambda path: path.name)
def test_a_workflow_needs_no_secret_but_the_hosts_own_token(workflow):
    text = workflow.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert set(re.findall(r"\$\{\{ *(.*?) *\}\}", text)) <= {
        "github.ref",
        "github.token",
        "matrix.python",
    }


@pytest.fixture
def first_step(tmp_path):
    """Run the release's check of tag and changelog; return its status and the notes."""
    script = next(step["run"] for step in steps(RELEASE) if "changelog" in step.get("name", ""))
    (tmp_path / "massm").mkdir()

    def run(tag, version, changelog):
        (tmp_path / "massm/__init__.py").write_text(f'"""x"""\n\n__version__ = "{version}"\n')
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        environment = {"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"}
        command = ["bash", "-e", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        notes = tmp_path / "notes.md"
        return done.returncode, notes.read_text().strip() if notes.exists() else ""

    return run


def test_a_release_takes_its_part_of_the_changelog(first_step):
    text = "## [Unreleased]\n\nlater\n\n## [0.2.0] - 2027-01-01\n\n- new\n\n## [0.1.0] - x\n\nold\n"
    assert first_step("v0.2.0", "0.2.0", text) == (0, "- new")


def test_a_tag_of_another_version_is_refused(first_step):
    assert first_step("v0.3.0", "0.2.0", "## [0.3.0]\n\nnew\n")[0] == 1


def test_a_version_without_a_part_of_the_changelog_is_refused(first_step):
    assert first_step("v0.2.0", "0.2.0", "## [Unreleased]\n\nnew\n")[0] == 1


def test_the_source_distribution_takes_every_folder_that_the_list_of_files_has():
    listed = read("docs/hooks/first_lines.py").split("FOLDERS = (")[1].split(")")[0]
    folders = {name.split("/")[0] for name in re.findall(r'"([^"]+)"', listed)}
    manifest = set(re.findall(r"^graft (\S+)$", read("MANIFEST.in"), re.MULTILINE))
    assert manifest == folders | {".ci", ".github", "docs"}
