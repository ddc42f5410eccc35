"""Whatever a survey reads is part of the cohort's hash."""

import os

import pytest

from massm.config.dataset import SurveyConfig
from massm.config.loading import read_yaml
from massm.dataset.fingerprint import cohort_fingerprint
from tests.workflow.project import ROOT

ANATOMIES = ("spleen", "liver")


@pytest.fixture
def root(tmp_path):
    for name in ("s1", "s2"):
        folder = tmp_path / name / "segmentations"
        folder.mkdir(parents=True)
        (tmp_path / name / "ct.nii.gz").touch()
        (folder / "spleen.nii.gz").touch()
        (folder / "kidney.nii.gz").touch()
    (tmp_path / "meta.csv").write_text("image_id;split\ns1;train\n")
    table = "subject,anatomy,mask,image\ns1,spleen,s1/segmentations/spleen.nii.gz,s1/ct.nii.gz\n"
    (tmp_path / "cohort.csv").write_text(table)
    return tmp_path


def state(root, layout="totalsegmentator"):
    values = read_yaml(ROOT / "config.yaml")["dataset"]
    values = {key: value for key, value in values.items() if key in SurveyConfig.model_fields}
    at = root if layout == "totalsegmentator" else root / "cohort.csv"
    config = SurveyConfig.model_validate(values | {"root": at, "layout": layout})
    return cohort_fingerprint(config, ANATOMIES)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "s1/segmentations/spleen.nii.gz").write_bytes(b"1"),
        lambda root: (root / "s1/ct.nii.gz").write_bytes(b"1"),
        lambda root: os.utime(root / "s2/ct.nii.gz", (1, 1)),
        lambda root: (root / "s1/segmentations/liver.nii.gz").touch(),
        lambda root: (root / "s2/segmentations/spleen.nii.gz").unlink(),
        lambda root: (root / "s3/segmentations").mkdir(parents=True),
        lambda root: (root / "s2").rename(root / "s4"),
        lambda root: (root / "meta.csv").write_text("image_id;split\ns1;test\n"),
        lambda root: (root / "meta.csv").unlink(),
    ],
)
def test_every_change_of_a_folder_of_subjects_is_seen(root, change):
    before = state(root)
    assert state(root) == before
    change(root)
    assert state(root) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "s1/segmentations/spleen.nii.gz").write_bytes(b"1"),
        lambda root: (root / "s1/ct.nii.gz").unlink(),
        lambda root: (root / "cohort.csv").write_text("subject,anatomy\n"),
        lambda root: (root / "cohort.csv").unlink(),
    ],
)
def test_every_change_of_a_table_and_its_files_is_seen(root, change):
    before = state(root, "table")
    assert state(root, "table") == before
    change(root)
    assert state(root, "table") != before


def test_what_is_not_read_does_not_count(root):
    folder, table = state(root), state(root, "table")
    (root / "s1/segmentations/kidney.nii.gz").write_bytes(b"1")
    (root / "s2/notes.txt").touch()
    assert (state(root), state(root, "table")) == (folder, table)


def test_a_cohort_that_cannot_be_listed_changes_when_it_is_repaired(root):
    good = (root / "cohort.csv").read_text()
    (root / "cohort.csv").write_text(good.replace("mask", "masc"))
    broken = state(root, "table")
    (root / "cohort.csv").write_text(good)
    assert state(root, "table") != broken
