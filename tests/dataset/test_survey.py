"""From checked subjects to tables, and when a cohort is no use."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from massm.dataset.cohort import CheckedAnatomy, CheckedSubject, FoundAnatomy, FoundSubject
from massm.dataset.survey import tabulate
from massm.dataset.verdict import refuse_if_useless
from massm.io.errors import DataError
from tests.dataset.cohorts import dataset_config


def checked(
    name, split="", status="used", volume_ml=100.0, fault="", reason="", anatomy="spleen", **found
):
    file = FoundAnatomy(anatomy, Path(f"{name}.nii.gz"))
    subject = FoundSubject(name, Path("ct.nii.gz"), split, (file,))
    anatomies = (CheckedAnatomy(file, status, reason, volume_ml, **found),)
    return CheckedSubject(subject, fault, (4, 5, 6), (1.0, 1.0, 2.0), anatomies)


def survey(entries, **changes):
    config = dataset_config("anywhere", **changes)
    subjects, cohort = tabulate(config, entries)
    refuse_if_useless(config.min_train, ["spleen"], subjects, cohort)
    return pd.DataFrame(subjects), pd.DataFrame(cohort)


def test_the_split_of_the_data_is_honored():
    entries = [checked("a", "training"), checked("b", "Val"), checked("c", "test")]
    subjects, cohort = survey(entries)
    assert subjects["split"].tolist() == ["train", "validation", "test"]
    assert cohort["split"].tolist() == ["train", "validation", "test"]


def test_without_one_a_split_is_drawn_among_all():
    entries = [checked(f"s{i}") for i in range(10)] + [checked("bad", fault="broken")]
    subjects, _ = survey(entries)
    counts = subjects["split"].value_counts().to_dict()
    assert counts == {"train": 7, "validation": 2, "test": 2}


def test_subjects_found_unusable_leave_the_split_of_the_others_alone():
    entries = [checked(f"s{i:03d}") for i in range(100)]
    before = survey(entries)[0].set_index("subject")["split"]
    bad = set(before.index[before == "test"][:19])
    broken = [
        checked(entry.subject.name, fault="broken") if entry.subject.name in bad else entry
        for entry in entries
    ]
    subjects, cohort = survey(broken)
    after = subjects.set_index("subject")
    assert after["split"].equals(before)
    assert set(after.index[after["status"] == "excluded"]) == bad
    assert cohort.set_index("subject")["split"].equals(before)


def test_where_nobody_can_be_used_the_reason_is_given_whoever_it_is_of():
    entries = [
        checked(name, status="excluded", reason=f"no mask file spleeen.nii.gz in /d/{name}/seg")
        for name in ("s0001", "s0002", "s0003")
    ]
    said = r"none of 3 .* 3 x no mask file spleeen\.nii\.gz in /d/\*/seg; massm doctor"
    with pytest.raises(DataError, match=said):
        survey(entries)


def test_a_part_without_a_usable_subject_is_said(caplog):
    survey([checked("a", "train"), checked("b", "test", fault="broken")])
    assert "no test subject can be used (of 1 that are)" in caplog.text


def test_a_note_of_the_layout_stands_beside_that_of_the_check():
    entry = checked("a", "train")
    found = replace(entry.anatomies[0].found, note="the table says 'Spleen'")
    both = replace(entry.anatomies[0], found=found, note="a hole is filled")
    _, cohort = tabulate(dataset_config("anywhere"), [replace(entry, anatomies=(both,))])
    assert [row.note for row in cohort] == ["the table says 'Spleen'; a hole is filled"]


def test_a_split_that_cannot_be_read_excludes_its_subject():
    entries = [checked("a", "train"), checked("b", "perhaps"), checked("c", "")]
    subjects, cohort = survey(entries)
    assert subjects["status"].tolist() == ["used", "excluded", "excluded"]
    assert subjects["reason"][1] == "split 'perhaps' is none of train, validation, test"
    assert subjects["reason"][2] == "no split given, though other subjects have one"
    assert cohort["status"].tolist() == ["used", "excluded", "excluded"]


def test_a_subject_without_any_known_organ_is_excluded():
    entries = [checked("a", "train"), checked("b", "train", "excluded", reason="no mask file")]
    subjects, _ = survey(entries)
    assert subjects["reason"].tolist() == ["", "no usable anatomy: 1 x no mask file"]


def test_a_subject_whose_organs_are_absent_is_kept():
    subjects, _ = survey([checked("a", "train"), checked("b", "test", "absent", 0.0)])
    assert subjects["status"].tolist() == ["used", "used"]


def test_outliers_are_judged_by_the_training_subjects():
    entries = [checked(f"s{i}", "train", volume_ml=100.0 + i) for i in range(9)]
    entries += [checked("big", "test", volume_ml=900.0), checked("none", "test", "absent", 0.0)]
    _, cohort = survey(entries)
    assert cohort["status"].tolist() == ["used"] * 9 + ["excluded", "absent"]
    assert "volume outlier: 900 ml, +43" in cohort["reason"].iloc[9]
    _, cohort = survey(entries, outlier_z=None)
    assert cohort["status"].iloc[9] == "used"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([checked("a")], r"one subject only \(a\)"),
        ([checked("a", fault="broken: x"), checked("b", fault="broken: y")], "2 x broken"),
        ([checked("a", "test"), checked("b", "test")], "no training subject"),
        (
            [checked("a", "train"), checked("b", "train", "absent", reason="mask is empty")],
            r"spleen: 1 of dataset.min_train = 2 \(1 x mask is empty\)",
        ),
    ],
    ids=["one subject", "none usable", "no training", "too few"],
)
def test_a_useless_cohort_is_refused(entries, words):
    with pytest.raises(DataError, match=words):
        survey(entries, min_train=2)
