"""What can be told without running a job: faults of the configuration, targets, environments."""

import importlib
import inspect
import re

import pytest
import yaml

from massm.config.loading import load_config, merge, read_yaml
from tests.workflow.project import ROOT, Project

TARGETS = (
    "phantom",
    "dataset",
    "groom",
    "correspond",
    "correspond_joint",
    "pdm",
    "template",
    "tensors",
    "train",
    "train_massm",
    "predict_massm",
    "predict_massm_unrefined",
    "train_deepssm_world",
    "predict_deepssm_world_detected",
    "predict_truth",
    "bundle",
    "predict",
    "reconstruct",
    "eval_local",
    "eval_world",
    "eval_detection",
    "evaluate",
    "baselines",
    "intervals",
    "audit",
    "trust",
    "report",
    "report_paper",
    "all",
)
RULES = [
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_every_target_can_be_asked_for_by_name(project):
    done = project.snakemake("--dry-run", *TARGETS)
    assert done.returncode == 0, done.stdout


def test_plain_snakemake_makes_everything(project):
    assert project.planned() >= {"phantom_cohort", "train_model", "bundle_model", "report_page"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("train={epoch: 3}", "train.epoch: unknown key"),
        ("train={epochs: lots}", "train.epochs: Input should be a valid integer"),
        ("tensors={spacing_mm: -1}", "tensors.spacing_mm: Input should be greater than 0"),
        ("evaluate={splits: [train]}", "evaluate.splits: train is measured but not predicted"),
    ],
)
def test_a_wrong_configuration_stops_at_once_with_the_key_and_no_traceback(
    project, change, message
):
    done = project.snakemake("--dry-run", "all", "--config", change)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert "Building DAG" not in done.stdout


def test_a_missing_root_is_one_sentence_that_names_the_demo(project):
    done = project.snakemake("--dry-run", "all", preset=None)
    assert done.returncode == 1
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("dataset.root is not set")
    assert "make demo" in last
    assert "Traceback" not in done.stdout


def test_a_root_that_is_not_there_is_named(project):
    done = project.snakemake("--dry-run", "all", "--config", "dataset={root: nowhere}")
    assert done.returncode == 1
    assert "dataset.root: nowhere does not exist" in done.stdout


def test_a_shapeworks_project_is_an_input_and_is_named_where_it_is_missing(project):
    names = {"backend": "project", "project": {"file": "sw/{anatomy}.swproj"}}
    project.configure(correspond=names)
    done = project.snakemake("--dry-run", "all")
    assert done.returncode == 1
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("correspond.project.file: sw/")
    assert "Traceback" not in done.stdout
    (project.folder / "sw").mkdir()
    for anatomy in ("heart_ventricle_left", "lung_upper_lobe_right", "spleen"):
        (project.folder / "sw" / f"{anatomy}.swproj").touch()
    # The whole configuration goes to the report, where "{anatomy}" is no wildcard.
    done = project.snakemake("--dry-run", "--printshellcmds", "all")
    assert done.returncode == 0, done.stdout
    assert re.search(r"sw/\{anatomy\}\.swproj.*--project sw/spleen\.swproj", done.stdout)


def test_pooled_anatomies_come_out_of_one_job(project):
    pair = ["heart_ventricle_left", "spleen"]
    populations = {"populations": {"mixed": pair}}
    project.configure(groom={"alignment": {"reflect": ["spleen"]}}, correspond=populations)
    assert project.planned("correspond") >= {
        "correspond_particles_mixed",
        "correspond_particles_lung_upper_lobe_right",
    }
    done = project.snakemake("--dry-run", "--printshellcmds", "correspond")
    commands = re.findall(r"python -m massm\.stages\.(?:groom_align|corr).*", done.stdout)
    assert len(commands) == 5
    aligned = {re.search(r"--anatomy (\w+)", c)[1]: c for c in commands if "_align" in c}
    assert "--contralateral spleen &>" in aligned["heart_ventricle_left"]
    assert "--contralateral heart_ventricle_left &>" in aligned["spleen"]
    assert "--contralateral" not in aligned["lung_upper_lobe_right"]
    said = "--population mixed --anatomies heart_ventricle_left spleen "
    assert [c for c in commands if said in c]


def test_pooling_some_anatomies_does_not_concern_the_others(project):
    before = load_config(merge(read_yaml(ROOT / "config.yaml"), {"groom": {}})).correspond
    pooled = before.model_copy(update={"populations": {"belly": ("liver", "spleen")}})
    assert pooled.result_relevant() == before.result_relevant()
    assert pooled.pool_of("spleen") == ("liver", "spleen")
    assert pooled.pool_of("aorta") == ("aorta",)
    named = pooled.populations_of(["aorta", "liver", "spleen"])
    assert named == {"belly": ("liver", "spleen"), "aorta": ("aorta",)}


def test_a_joint_model_is_made_only_of_named_anatomies(project):
    assert "correspond_joint" in project.planned()
    project.configure(correspond={"joint": {"anatomies": []}})
    assert "correspond_joint" not in project.planned()
    done = project.snakemake("--dry-run", "correspond_joint")
    assert done.returncode == 1
    assert done.stdout.strip().splitlines()[-1].startswith("correspond.joint.anatomies names no")
    assert "Traceback" not in done.stdout


def test_grooming_needs_no_shapeworks_project_yet(project):
    project.configure(correspond={"backend": "project", "project": {"file": "{anatomy}.xlsx"}})
    assert "groom_alignment" in project.planned("groom")


def test_a_key_on_the_command_line_leaves_its_neighbors(project):
    done = project.snakemake("--dry-run", "dataset", "--config", "dataset={min_train: 7}")
    assert done.returncode == 0, done.stdout
    assert "Check data/phantom" in done.stdout


def test_the_phantom_is_not_made_for_another_cohort(project):
    (project.folder / "mine").mkdir()
    project.configure(dataset={"root": "mine"})
    assert "phantom_cohort" not in project.planned()


def test_every_rule_that_runs_has_log_message_environment_and_resources():
    for text in RULES:
        for block in re.split(r"^(?:rule|checkpoint) ", text, flags=re.MULTILINE)[1:]:
            if "shell:" in block:
                name = block.partition(":")[0]
                for directive in ("log", "benchmark", "conda", "resources", "message"):
                    assert f"    {directive}:" in block, f"{name} lacks {directive}"
                assert "&> {log:q}" in block, f"{name} does not write to its log"


COMMANDS = [
    (re.match(r"\w+", command).group(), command.partition("&> {log:q}")[0])
    for text in RULES
    for command in text.split('"python -m massm.stages.')[1:]
]


@pytest.mark.parametrize(("stage", "command"), COMMANDS, ids=[stage for stage, _ in COMMANDS])
def test_every_rule_hands_its_stage_the_options_that_it_takes(stage, command):
    run = importlib.import_module(f"massm.stages.{stage}").run
    given = {name.replace("-", "_") for name in re.findall(r"--([a-z-]+)", command)}
    parameters = inspect.signature(run).parameters.values()
    assert given <= {parameter.name for parameter in parameters}
    assert given >= {p.name for p in parameters if p.default is inspect.Parameter.empty}


def test_every_stage_has_a_rule():
    stages = {path.stem for path in (ROOT / "massm" / "stages").glob("[a-z]*.py")}
    by_hand = {"pretrained"}  # writes into the package, not into results
    assert stages - by_hand == {stage for stage, _ in COMMANDS}


@pytest.mark.parametrize("name", ["massm", "shapeworks"])
def test_environments_hold_the_tested_versions(name):
    environment = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))
    tested = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    )
    assert environment["channels"] == ["conda-forge"]
    pinned = dict(line.split("==") for line in environment["dependencies"][-1]["pip"])
    assert pinned == {package: tested[package] for package in pinned}


def test_resources_stand_in_the_rules_and_nowhere_else():
    for profile in ROOT.glob("**/profiles/*/config.yaml"):
        values = yaml.safe_load(profile.read_text(encoding="utf-8"))
        assert not set(values) & {"set-threads", "set-resources", "set-resource-scopes"}, profile
    for text in RULES:
        for block in re.split(r"(?m)^ *(?:rule \w+|rule|checkpoint \w+):", text)[1:]:
            if "shell:" in block:
                asked = block.partition("resources:")[2].partition("params:")[0]
                assert len(re.findall(r"\bmem_mb=", asked)) == 1, block
                assert len(re.findall(r"\bruntime=", asked)) == 1, block


def test_the_tests_configuration_is_valid():
    values = merge(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / "tests" / "phantom.yaml"))
    assert load_config(values).train.accelerator == "cpu"
