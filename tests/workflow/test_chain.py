"""The whole chain on a tiny synthetic cohort, as a user runs it."""

import os
import re
import shutil

import numpy as np
import pytest

from benchmarks.same_bytes import differences
from massm.config.loading import load_config
from massm.config.reconstruct import ReconstructConfig
from massm.config.trust import AlarmConfig
from massm.dataset.folds import LEFT_OUT
from massm.io import predictions
from massm.io.crossval import read_folds, read_out_of_fold
from massm.io.documents import read_json
from massm.io.particles import load_set
from massm.io.residuals import read_residuals
from massm.io.tables import read_table
from massm.io.trust import read_trust
from massm.stages import intervals_out_of_fold, trust
from tests.workflow.project import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chain")]

AFTER_PREDICTION = {
    "reconstruct_model",
    "evaluate_local",
    "evaluate_world",
    "evaluate_detection",
    "evaluate_missed",
    "evaluate_summary",
    "bundle_model",
    "report_page",
    "report_paper",
}
OF_INTERVALS = {"intervals_residuals", "intervals_model", "evaluate_coverage", "trust_model"}
AFTER_TENSORS = {"train_model", "train_part", "predict_model"}
CORRESPONDENCE = {
    f"correspond_particles_{name}"
    for name in ("heart_ventricle_left", "lung_upper_lobe_right", "spleen")
}
AFTER_CORRESPONDENCE = (
    AFTER_PREDICTION
    | OF_INTERVALS
    | AFTER_TENSORS
    | {
        "correspond_joint",
        "template_medoid",
        "tensors_subjects",
        "tensors_manifest",
        "tensors_labels",
        "tensors_mirrored",
        "reconstruct_warp",
        "reconstruct_reference",
    }
)
JOINED = {"anatomies": ["heart_ventricle_left", "lung_upper_lobe_right"], "modes": 3}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project in which ``snakemake all`` has run."""
    folder = tmp_path_factory.mktemp("chain") / "it's a; touch pwned; $x {} {y} ü"
    folder.mkdir()
    project = Project(folder)
    done = project.snakemake("--cores", "1", "all")
    assert done.returncode == 0, done.stdout[-6000:]
    return project


@pytest.fixture(autouse=True)
def _same_configuration(finished):
    finished.configure()


def test_every_stage_has_written_its_results(finished):
    results = finished.folder / "results"
    for name in (
        "dataset/cohort.tsv",
        "groom/alignment/spleen.json",
        "correspond/spleen.npz",
        "correspond/spleen/quality.json",
        "correspond/spleen/spleen.swproj",
        "correspond_joint/model.npz",
        "correspond_joint/scores.csv",
        "correspond_joint/quality.json",
        "template/spleen.vtp",
        "tensors/manifest.json",
        "train/massm/model.safetensors",
        "train/massm/history.csv",
        "intervals/massm/intervals.npz",
        "models/massm/model.json",
        "models/massm/intervals.npz",
        "trust/massm/trust.npz",
        "models/massm/trust.npz",
        "evaluate/summary.csv",
        "evaluate/coverage.csv",
        "report/report.html",
        "report/paper/figure_2a.pdf",
    ):
        assert (results / name).is_file(), name
    assert not list(results.rglob("*.partial*"))
    assert not list(finished.folder.parent.rglob("pwned"))


def test_every_model_is_in_every_table(finished):
    evaluate = finished.folder / "results" / "evaluate"
    summary = read_table(evaluate / "summary.csv")
    detecting = {"massm", "massm_fit", "massm_unrefined", "mean_shape", "pca_oracle", "truth"}
    detecting |= {"unet_multi"}
    deepssm = {"deepssm_local", "deepssm_world", "deepssm_world_detected"}
    assert set(summary.model) == detecting | deepssm
    for model in detecting:
        detection = read_table(evaluate / model / "detection.csv")
        assert set(detection.anatomy) == {"heart_ventricle_left", "lung_upper_lobe_right", "spleen"}


def test_a_variant_is_predicted_by_the_network_of_another_and_named_in_the_report(finished):
    results = finished.folder / "results"
    trained = {path.name for path in (results / "train").iterdir()}
    assert trained == {"massm", "deepssm_local", "deepssm_world", "unet_multi"}
    assert [path.name for path in (results / "models").iterdir()] == ["massm"]
    paths = sorted((results / "predict/massm").glob("*.npz"))
    assert paths
    for path in paths:
        refined = predictions.read(path)
        unrefined = predictions.read(results / "predict/massm_unrefined" / path.name)
        np.testing.assert_array_equal(refined.boxes.center, unrefined.boxes.center)
        moved = np.linalg.norm(refined.local - unrefined.local, axis=-1)[refined.present]
        assert (moved > 0).any(axis=-1).all()
    page = (results / "report/report.html").read_text(encoding="utf-8")
    assert "MASSM, unrefined" in page


def test_the_report_stands_alone(finished):
    page = (finished.folder / "results" / "report" / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert 'href="http' not in page.replace('href="https://', "")


def test_a_second_run_does_nothing_and_says_so(finished):
    done = finished.snakemake("--cores", "1", "all")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"report": {"title": "Mine"}}, {"report_page"}),
        (
            {"evaluate": {"seed": 2}},
            {"evaluate_summary", "evaluate_coverage", "bundle_model", "report_page"},
        ),
        (
            {"intervals": {"level": 0.8}},
            {"intervals_model", "evaluate_coverage", "bundle_model", "report_page"},
        ),
        (
            {"trust": {"false_alarms": 0.1}},
            {"trust_model", "bundle_model", "report_page"},
        ),
        (
            {"evaluate": {"surface_samples": 1200}},
            AFTER_PREDICTION - {"reconstruct_model", "evaluate_detection"},
        ),
        (
            {"models": {"pca_oracle": {"modes": 2}}},
            AFTER_PREDICTION | {"predict_model"},
        ),
        (
            {"models": {"massm": {"box_updates": 1}}},
            AFTER_PREDICTION | OF_INTERVALS | {"predict_model", "bundle_model"},
        ),
        (
            {"models": {"massm_fit": {"surfaces_of": "mean_shape"}}},
            (AFTER_PREDICTION | OF_INTERVALS | {"predict_model"})
            - {"trust_model"},  # it has no model folder
        ),
        (
            {"train": {"learning_rate": 0.5}},
            (AFTER_PREDICTION | OF_INTERVALS | AFTER_TENSORS)
            - {"train_part"},  # DeepSSM has a rate of its own
        ),
        (
            {"tensors": {"intensity_percentiles": [1.0, 99.0]}},
            AFTER_PREDICTION | OF_INTERVALS | AFTER_TENSORS | {"tensors_manifest"},
        ),
        (
            {"correspond": {"joint": {**JOINED, "pose": True}}},
            {"correspond_joint", "report_page"},
        ),
        ({"correspond": {"seed": 8}}, AFTER_CORRESPONDENCE | CORRESPONDENCE),
    ],
    ids=[
        "report",
        "comparison",
        "level",
        "false alarms",
        "surfaces",
        "oracle",
        "box updates",
        "fitted surfaces",
        "train",
        "statistics",
        "joint",
        "correspond",
    ],
)
def test_a_changed_value_runs_its_stage_and_what_follows_and_nothing_else(
    finished, change, expected
):
    section, keys = next(iter(change.items()))
    finished.configure(**{section: keys})
    assert finished.planned() == expected


@pytest.mark.parametrize(
    "change",
    [
        {"correspond": {"shapeworks": {"iterations_per_split": 7}}},
        {"train": {"threads": 2, "workers": 1, "accelerator": "gpu"}},
        {"predict": {"threads": 2, "accelerator": "gpu"}},
    ],
    ids=["other engine", "training machine", "predicting machine"],
)
def test_a_value_that_changes_no_result_runs_nothing_but_the_report_that_shows_it(finished, change):
    section, keys = next(iter(change.items()))
    finished.configure(**{section: keys})
    assert finished.planned() == {"report_page"}


def test_the_same_stages_write_the_same_bytes_again(finished, tmp_path):
    results = finished.folder / "results"
    before = tmp_path / "before"
    shutil.copytree(results, before)
    again = {
        "groom_surfaces": "groom/index/0000.tsv",
        "groom_alignment": "groom/alignment/spleen.json",
        "correspond_particles_spleen": "correspond/spleen.npz",
        "correspond_joint": "correspond_joint/model.npz",
        "template_medoid": "template/spleen.vtp",
        "tensors_subjects": "tensors/batches/0000.tsv",
        "tensors_manifest": "tensors/manifest.json",
        "tensors_labels": "tensors/label_batches/0000.tsv",
        "tensors_mirrored": "tensors/mirrored_batches/0000.tsv",
        "bundle_model": "models/massm/model.json",
        "predict_model": "predict/massm",
        "reconstruct_warp": "reconstruct/warp/spleen.npz",
        "evaluate_local": "evaluate/massm/local.csv",
        "evaluate_summary": "evaluate/summary.csv",
        "intervals_residuals": "intervals/massm/test.npz",
        "intervals_model": "intervals/massm/intervals.npz",
        "trust_model": "trust/massm/trust.npz",
        "evaluate_coverage": "evaluate/coverage.csv",
        "report_page": "report/report.html",
    }
    files = [f"results/{name}" for name in again.values()]
    arguments = ["--cores", "1", "--force", "--allowed-rules", *again, "--", *files]
    done = finished.snakemake("--configfile", "tiny.yaml", *arguments, preset=None)
    assert done.returncode == 0, done.stdout[-6000:]
    assert set(re.findall(r"\(Rule: (\w+)\)", done.stdout)) >= set(again)
    assert differences(before, results) == []


def test_one_stage_runs_alone(finished):
    table = finished.folder / "results" / "evaluate" / "massm" / "world.csv"
    before = table.read_text(encoding="utf-8")
    table.unlink()
    done = finished.snakemake("--cores", "1", "eval_world")
    assert done.returncode == 0, done.stdout
    assert "evaluate_world" in done.stdout
    assert "evaluate_local" not in done.stdout
    assert table.read_text(encoding="utf-8") == before


def test_a_fold_is_predicted_by_models_that_never_saw_it(finished, monkeypatch):
    finished.configure(crossval={"folds": 5})
    old = finished.folder / "results" / "groom" / "index" / "0999.tsv"
    old.write_text("of another cutting into batches")
    index = "results/crossval/fold_1/out_of_fold.tsv"
    done = finished.snakemake("--cores", "1", index)
    assert done.returncode == 0, done.stdout[-6000:]
    results = finished.folder / "results"
    fold = results / "crossval" / "fold_1"
    left = {one.subject for one in read_folds(results / "crossval/folds.tsv") if one.fold == 1}
    assert left
    rows = read_out_of_fold(finished.folder / index)
    assert {row.subject for row in rows} == left
    assert all((results / row.prediction).is_file() for row in rows)
    shapes = load_set(fold / "correspond" / "heart_ventricle_left.npz")
    assert set(shapes.of_split("test").subjects) <= left
    assert not left & set(shapes.of_split("train").subjects)
    measured = read_table(fold / "evaluate" / "massm" / "local.csv")
    assert set(measured["subject"]) <= left
    assert (fold / "groom" / "surfaces").is_symlink()
    residuals = results / "intervals" / "massm" / "crossval.npz"
    intervals_out_of_fold.run(
        ReconstructConfig(regularization_mm=0.1),
        model="massm",
        folds=[finished.folder / index],
        cohort=results / "dataset" / "cohort.tsv",
        groomed=sorted((results / "groom" / "index").glob("000*.tsv")),
        particles=sorted((results / "correspond").glob("*.npz")),
        results=results,
        residuals=residuals,
    )
    assert set(read_residuals(residuals).subjects) <= left
    monkeypatch.chdir(finished.folder)  # where the scans are named from
    tables = results / "trust" / "massm" / "crossval.npz"
    trust.run(
        AlarmConfig(false_alarms=0.05),
        name="massm",
        model=load_config(read_json(fold / "config.json")).models["massm"],
        modes=4,
        results=results,
        anatomies=sorted(path.stem for path in (results / "correspond").glob("*.npz")),
        runs=[fold],
        split=LEFT_OUT,
        calibration="one fold",
        trust=tables,
    )
    assert read_trust(tables).subjects == len(left)
    assert not finished.planned(index)
    old.unlink()


def test_a_shapeworks_project_takes_the_place_of_the_engine(finished):
    results, other = finished.folder / "results", finished.folder / "again" / "correspond"
    # A project's files lie where they are named from: read it where it is, as the same cohort's.
    file = {"file": "results/correspond/{anatomy}/{anatomy}.swproj"}
    finished.configure(correspond={"backend": "project", "project": file})
    target = "again/correspond/spleen.npz"
    done = finished.snakemake("--cores", "1", target, "--config", "results=again")
    assert done.returncode == 0, done.stdout[-6000:]
    found, expected = load_set(other / "spleen.npz"), load_set(results / "correspond/spleen.npz")
    assert found.subjects == expected.subjects
    np.testing.assert_allclose(found.local, expected.local, atol=1e-4)
    assert (other / "spleen" / "spleen.swproj").is_file()


def test_a_failed_stage_shows_its_reason_on_the_terminal(finished):
    (finished.folder / "empty").mkdir()
    changed = ["dataset={root: empty}", "results=elsewhere"]
    done = finished.snakemake("--cores", "1", "dataset", "--config", *changed)
    log = (finished.folder / "elsewhere" / "logs" / "dataset" / "survey.log").read_text(
        encoding="utf-8"
    )
    assert done.returncode == 1
    assert log.strip().splitlines()[-1] in done.stdout


def test_a_refused_cohort_keeps_the_tables_that_tell_why(finished):
    changed = ["dataset={min_train: 99}", "results=refused"]
    done = finished.snakemake("--cores", "1", "groom", "--config", *changed)
    assert done.returncode == 1
    assert "heart_ventricle_left: 5 of dataset.min_train = 99" in done.stdout
    assert "stands in refused/dataset/cohort.tsv" in done.stdout
    assert "groom_surfaces" not in done.stdout
    again = finished.snakemake("--dry-run", "dataset", "--config", *changed)
    assert "dataset_check" in again.stdout
    assert "dataset_survey" not in again.stdout
    cohort = read_table(finished.folder / "refused" / "dataset" / "cohort.tsv")
    lost = cohort[cohort["status"] != "used"]
    assert len(lost) > 0
    assert (lost["reason"] != "").all()


def test_jobs_use_the_python_that_snakemake_runs_in(finished, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    (finished.folder / "results" / "evaluate" / "summary.csv").unlink()
    done = finished.snakemake("--cores", "1", "evaluate")
    assert done.returncode == 0, done.stdout
