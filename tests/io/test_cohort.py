"""The cohort's tables keep every type, and an older one is refused."""

from pathlib import Path

import pytest

from massm.io.cohort import (
    AnatomyRecord,
    GroomRecord,
    SubjectRecord,
    read_cohort,
    read_groomed,
    read_subject_table,
    write_cohort,
    write_groomed,
    write_subject_table,
)
from massm.io.errors import DataError
from massm.io.sources import LabelMapFile, MaskFile

SUBJECTS = [
    SubjectRecord("007", "train", "used", "", "", Path("a/ct.nii.gz"), 512, 512, 80, 0.9, 0.9, 3.0),
    SubjectRecord("s2", "", "excluded", "image cannot be used: truncated"),
]
COHORT = [
    AnatomyRecord("007", "spleen", "train", "used", mask=Path("a/m.nii"), source="mask"),
    AnatomyRecord(
        *("007", "liver", "train", "used"),
        mask=Path("a/l.nii"),
        label=5,
        volume_ml=1500.25,
        source="label_map",
    ),
    AnatomyRecord("s2", "spleen", "", "excluded", "subject excluded: truncated"),
]


def test_the_tables_come_back_as_they_were(tmp_path):
    write_subject_table(SUBJECTS, tmp_path / "subjects.tsv")
    write_cohort(COHORT, tmp_path / "cohort.tsv")
    assert read_subject_table(tmp_path / "subjects.tsv") == SUBJECTS
    assert read_cohort(tmp_path / "cohort.tsv") == COHORT


def test_a_subject_without_an_image_does_not_turn_sizes_into_real_numbers(tmp_path):
    write_subject_table(SUBJECTS, tmp_path / "subjects.tsv")
    assert "\t512\t512\t80\t0.9\t0.9\t3.0\n" in (tmp_path / "subjects.tsv").read_text()


def test_the_file_of_an_anatomy_says_what_it_holds():
    assert COHORT[0].file == MaskFile(Path("a/m.nii"))
    assert COHORT[1].file == LabelMapFile(Path("a/l.nii"), 5)
    with pytest.raises(DataError, match=r"s2 spleen: no file .*mask none, source unknown"):
        _ = COHORT[2].file


def test_a_cohort_table_of_an_older_version_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "cohort.tsv"
    write_cohort(COHORT, path)
    older = [line.rpartition("\t")[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(older) + "\n")
    with pytest.raises(DataError, match=r"cohort.tsv: no column source, .* run the stage"):
        read_cohort(path)


def test_groomed_batches_are_read_one_after_the_other(tmp_path):
    done = GroomRecord("s1", "spleen", "train", "groomed", "", Path("groom/s1.vtp"), 1.5, 1.4, 200)
    failed = GroomRecord("s2", "spleen", "test", "failed", "the mesh is open")
    write_groomed([done], tmp_path / "0000.tsv")
    write_groomed([failed], tmp_path / "0001.tsv")
    found = read_groomed([tmp_path / "0000.tsv", tmp_path / "0001.tsv"])
    assert repr(found) == repr([done, failed])  # nan differs from itself
    assert found[0].surface_in(Path("results")) == Path("results/groom/s1.vtp")
    with pytest.raises(DataError, match="s2 spleen has no groomed surface: the mesh is open"):
        found[1].surface_in(Path("results"))
