"""A changed input is seen: what runs again after it, and what does not, with stand-ins for jobs."""

import os
import re
from collections import Counter

import pytest

from tests.workflow.project import ROOT, Project

ANATOMIES = ("heart_ventricle_left", "lung_upper_lobe_right", "spleen")
OF_BASE = ("train", "predict", "reconstruct", "evaluate")
CORRESPONDENCE = [f"correspond_particles_{name}" for name in ANATOMIES]


class StandIns(Project):
    """A project whose jobs are played by ``standins.smk``; its cohort holds no real images."""

    def __init__(self, folder):
        super().__init__(folder)
        (folder / "standins.smk").symlink_to(ROOT / "tests" / "workflow" / "standins.smk")
        for number in range(6):
            subject = folder / "cohort" / f"s{number}"
            (subject / "segmentations").mkdir(parents=True)
            (subject / "ct.nii.gz").touch()
            for name in ANATOMIES:
                (subject / "segmentations" / f"{name}.nii.gz").touch()
        self.put()

    def put(self, **changes):
        """Configure, with the cohort."""
        self.configure(dataset={"root": "cohort"}, jobs={"groom_subjects": 2}, **changes)

    def run(self, target="all", forced=()):
        """Run, and count the jobs of each rule that were executed."""
        again = ["--forcerun", *forced] if forced else []
        done = self.snakemake("-s", "standins.smk", *again, "--cores", "2", "--", target)
        assert done.returncode == 0, done.stdout[-3000:]
        rows = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout, re.MULTILINE)
        return Counter(rows) - Counter([target])

    def snakemake(self, *arguments, preset="tiny.yaml"):
        """Name the configuration first: what follows ``--`` are targets."""
        return super().snakemake("--configfile", preset, *arguments, preset=None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = StandIns(tmp_path_factory.mktemp("standins"))
    assert project.run()["groom_surfaces"] == 3
    return project


def test_memory_is_asked_for_each_process(finished):
    lines = (finished.folder / "results" / "asked.txt").read_text().splitlines()
    asked = {rule: (int(threads), int(mb)) for rule, threads, mb in map(str.split, lines)}
    assert asked["dataset_survey"][0] == asked["groom_surfaces"][0] == 2
    assert asked["dataset_survey"][1] == asked["groom_surfaces"][1] == 4000
    assert asked["tensors_subjects"] == (1, 2000)


def test_an_unchanged_cohort_runs_nothing(finished):
    assert finished.run() == Counter()


def test_a_changed_mask_is_groomed_with_its_batch_and_exported(finished):
    (finished.folder / "cohort/s2/segmentations/spleen.nii.gz").write_bytes(b"other voxels")
    ran = finished.run()
    assert ran["dataset_survey"] == 1
    assert ran["groom_surfaces"] == 1
    assert sum(ran[rule] for rule in CORRESPONDENCE) == 3
    assert ran["train_model"] == 3  # massm, deepssm_local and unet_multi
    assert ran["train_part"] == 3  # deepssm_world, each anatomy its own
    assert ran["report_page"] == 1


def test_a_changed_image_is_exported_and_nothing_is_groomed(finished):
    image = finished.folder / "cohort/s2/ct.nii.gz"
    os.utime(image, ns=(0, image.stat().st_mtime_ns - 10**12))  # put back from an older copy
    ran = finished.run()
    assert ran["dataset_survey"] == 1
    assert ran["tensors_subjects"] == 1
    assert not set(ran) & {"groom_surfaces", *CORRESPONDENCE, "template_medoid"}


def test_a_survey_that_finds_the_same_trains_nothing_anew(finished):
    (finished.folder / "cohort/meta.csv").write_text("image_id,split\ns0,train\n")
    assert finished.run() == Counter(["dataset_survey", "dataset_check"])
    (finished.folder / "cohort/meta.csv").unlink()
    finished.run()


def test_a_variant_has_no_training_and_leaves_the_entry_with_its_weights_alone(finished):
    results = finished.folder / "results"
    others = [path for name in OF_BASE for path in results.glob(f"{name}/massm/*")]
    before = [path.stat().st_mtime_ns for path in others]
    ran = finished.run(forced=["results/predict/massm_unrefined"])
    assert ran["predict_model"] == ran["reconstruct_model"] == 1
    assert ran["evaluate_local"] == 1
    assert "train_model" not in ran
    assert len(others) >= 8
    assert [path.stat().st_mtime_ns for path in others] == before
    assert not (results / "train/massm_unrefined").exists()
    assert not (results / "models/massm_unrefined").exists()


def test_weights_made_anew_predict_by_every_entry_that_has_them(finished):
    ran = finished.run("predict", forced=["results/train/massm/model.safetensors"])
    assert ran["train_model"] == 1
    assert ran["predict_model"] >= 2


@pytest.mark.parametrize(
    ("made_anew", "trainings", "predicted"),
    [
        ("deepssm_local/model.safetensors", Counter(train_model=1), {"deepssm_local"}),
        (
            "deepssm_world/spleen/model.safetensors",
            Counter(train_part=1),
            {"deepssm_world", "deepssm_world_detected"},
        ),
    ],
)
def test_a_rival_trained_anew_leaves_the_others_alone(finished, made_anew, trainings, predicted):
    results = finished.folder / "results"

    def times(*kinds):
        found = [path for kind in kinds for path in results.glob(f"{kind}/*/**/*")]
        return {path: path.stat().st_mtime_ns for path in found if path.is_file()}

    before = times("train", "predict", "reconstruct")
    ran = finished.run(forced=[f"results/train/{made_anew}"])
    assert Counter({rule: ran[rule] for rule in ran if rule.startswith("train_")}) == trainings
    after = times("train", "predict", "reconstruct")
    changed = {path.relative_to(results).parts for path in before if after[path] != before[path]}
    assert {parts[1] for parts in changed if parts[0] == "predict"} == predicted
    assert {parts[1] for parts in changed if parts[0] == "train"} == {made_anew.partition("/")[0]}


def test_a_removed_and_an_added_mask_are_surveyed(finished):
    mask = finished.folder / "cohort/s5/segmentations/spleen.nii.gz"
    mask.rename(mask.with_name("aside.nii.gz"))
    assert finished.run("groom")["groom_surfaces"] == 1
    mask.with_name("aside.nii.gz").rename(mask)
    assert finished.run("groom")["groom_surfaces"] == 1


def test_each_fold_is_a_job_that_follows_masks_and_models(finished):
    ran = finished.run("crossval")
    tables = {"crossval_table": 3, "crossval_missed": 1, "crossval_summary": 1}
    assert ran == Counter({"crossval_folds": 1, "crossval_config": 5, "crossval_fold": 5} | tables)
    assert finished.run("crossval") == Counter()
    (finished.folder / "cohort/s2/segmentations/spleen.nii.gz").write_bytes(b"other voxels again")
    ran = finished.run("crossval")
    surveyed = {"dataset_survey": 1, "dataset_check": 1, "groom_surfaces": 1}
    assert ran == Counter({"crossval_fold": 5} | surveyed | tables)
    finished.run()


def test_another_level_chooses_radii_anew_and_measures_nothing_again(finished):
    finished.put(intervals={"level": 0.8})
    ran = finished.run()
    assert set(ran) == {"intervals_model", "evaluate_coverage", "bundle_model", "report_page"}
    assert ran["evaluate_coverage"] == ran["bundle_model"] == 1
    assert finished.run() == Counter()
    finished.put(intervals={"models": []})
    assert set(finished.run()) == {"bundle_model", "report_page"}
    finished.put(intervals={"models": []}, trust={"false_alarms": 0.1})
    assert set(finished.run()) == {"trust_model", "bundle_model", "report_page"}
    finished.put()
    finished.run()


def test_radii_out_of_fold_wait_for_all_folds(finished):
    section = {"calibration": "crossval"}
    finished.put(intervals=section, crossval={"seed": 1})
    ran = finished.run("intervals")
    folds = {"crossval_folds": 1, "crossval_config": 5, "crossval_fold": 5}
    assert ran == Counter({**folds, "intervals_out_of_fold": 1, "intervals_model": 1})
    assert finished.run("intervals") == Counter()
    finished.put(intervals={**section, "level": 0.8}, crossval={"seed": 1})
    assert finished.run("intervals") == Counter({"intervals_model": 1})  # no fold again
    finished.put()


def test_lights_out_of_fold_wait_for_all_folds(finished):
    section = {"calibration": "crossval"}
    finished.put(trust=section, crossval={"seed": 2})
    ran = finished.run("trust")
    folds = {"crossval_folds": 1, "crossval_config": 5, "crossval_fold": 5}
    assert ran == Counter({**folds, "trust_model": 1})
    finished.put(trust={**section, "false_alarms": 0.1}, crossval={"seed": 2})
    assert finished.run("trust") == Counter({"trust_model": 1})  # no fold again
    finished.put()


def test_one_fold_is_enough_for_calibration(finished):
    section = {"intervals": {"calibration": "crossval"}}
    finished.put(**section, crossval={"seed": 3, "folds_made": 1})
    ran = finished.run("intervals")
    folds = {"crossval_folds": 1, "crossval_config": 1, "crossval_fold": 1}
    assert ran == Counter({**folds, "intervals_out_of_fold": 1, "intervals_model": 1})
    finished.put(**section, crossval={"seed": 3, "folds_made": 2})
    ran = finished.run("intervals")
    assert (ran["crossval_config"], ran["intervals_model"]) == (1, 1)
    finished.put()


def test_meshes_without_images_give_shape_models_and_one_sentence(finished):
    table = ["subject,anatomy,mask"]
    (finished.folder / "meshes").mkdir()
    for number in range(4):
        for name in ANATOMIES:
            (finished.folder / f"meshes/{number}{name}.vtp").touch()
            table.append(f"m{number},{name},meshes/{number}{name}.vtp")
    (finished.folder / "meshes.csv").write_text("\n".join(table) + "\n")
    given = {"root": "meshes.csv", "layout": "table"}
    finished.configure(dataset=given, jobs={"groom_subjects": 2})
    values = ["-s", "standins.smk", "--cores", "1", "--config", "results=shapes"]
    for _ in range(2):  # at once after the survey, and with the survey made before
        done = finished.snakemake(*values, "--", "all")
        assert done.returncode == 1
        assert "Traceback" not in done.stdout
        said = "4 of 4 used subjects have no image (m0, m1, m2, ...): shape models can"
        assert len([line for line in done.stdout.splitlines() if line.startswith(said)]) == 1
        assert "groom_surfaces" not in done.stdout
    done = finished.snakemake(*values, "--", "pdm", "template")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (finished.folder / "shapes/template/spleen.vtp").is_file()
