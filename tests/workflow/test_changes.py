"""A changed input is seen: what runs again after it, and what does not, with stand-ins for jobs."""

import os
import re
from collections import Counter

import pytest

from tests.workflow.project import ROOT, Project

ANATOMIES = ("heart_ventricle_left", "lung_upper_lobe_right", "spleen")
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
        self.configure(dataset={"root": "cohort"}, jobs={"groom_subjects": 2})

    def run(self, target="all"):
        """Run, and count the jobs of each rule that were executed."""
        done = self.snakemake("-s", "standins.smk", "--cores", "2", "--", target)
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
    assert ran["train_model"] == ran["report_page"] == 1


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


def test_a_removed_and_an_added_mask_are_surveyed(finished):
    mask = finished.folder / "cohort/s5/segmentations/spleen.nii.gz"
    mask.rename(mask.with_name("aside.nii.gz"))
    assert finished.run("groom")["groom_surfaces"] == 1
    mask.with_name("aside.nii.gz").rename(mask)
    assert finished.run("groom")["groom_surfaces"] == 1


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
