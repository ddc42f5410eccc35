"""Folds: every subject once, alike in what matters, and none of the test split."""

from collections import Counter

import pytest

from massm.dataset.folds import draw_folds, without_fold
from massm.io.cohort import AnatomyRecord, GroomRecord, SubjectRecord
from massm.io.crossval import FoldRecord
from massm.io.errors import DataError


def cohort(train=20, validation=10, test=5, cut=(), absent=()):
    """Subjects of one anatomy; ``cut`` and ``absent`` are numbers of subjects."""
    splits = ["train"] * train + ["validation"] * validation + ["test"] * test
    subjects = [SubjectRecord(f"s{n}", split, "used", "") for n, split in enumerate(splits)]
    anatomies = [
        AnatomyRecord(
            *(one.subject, "liver", one.split, "absent" if n in absent else "used"),
            note="touches the border" if n in cut else "",
        )
        for n, one in enumerate(subjects)
    ]
    return subjects, anatomies


def sizes(folds, names=None):
    counted = Counter(one.fold for one in folds if names is None or one.subject in names)
    return [counted[number] for number in range(1, 6)]


def test_every_subject_is_in_one_fold_and_no_test_subject_in_any():
    subjects, anatomies = cohort()
    folds = draw_folds(subjects, anatomies, 5, seed=0)
    assert sorted(one.subject for one in folds) == sorted(f"s{n}" for n in range(30))
    assert sizes(folds) == [6] * 5
    assert sizes([one for one in folds if one.split == "validation"]) == [2] * 5


def test_what_is_cut_or_absent_is_spread_over_the_folds():
    cut, absent = (0, 1, 2, 3, 4, 21, 22, 23, 24, 25), (10, 11, 12, 13, 14)
    folds = draw_folds(*cohort(cut=cut, absent=absent), 5, seed=3)
    assert sizes(folds, {f"s{n}" for n in cut}) == [2] * 5
    assert sizes(folds, {f"s{n}" for n in absent}) == [1] * 5
    assert sizes(folds) == [6] * 5


def test_the_order_of_rows_changes_nothing_and_the_seed_does():
    subjects, anatomies = cohort(cut=(3, 7))
    folds = draw_folds(subjects, anatomies, 5, seed=0)
    assert draw_folds(subjects[::-1], anatomies[::-1], 5, seed=0) == folds
    assert draw_folds(subjects, anatomies, 5, seed=1) != folds


def test_a_subject_that_is_not_used_is_in_no_fold():
    subjects, anatomies = cohort()
    subjects[0] = SubjectRecord("s0", "train", "excluded", "no image")
    assert "s0" not in {one.subject for one in draw_folds(subjects, anatomies, 5, seed=0)}


def test_more_folds_than_subjects_are_refused():
    with pytest.raises(DataError, match="crossval.folds is 5, but only 4 training and validation"):
        draw_folds(*cohort(train=3, validation=1), 5, seed=0)


@pytest.mark.parametrize(
    "kind",
    [
        lambda name, split: SubjectRecord(name, split, "used", ""),
        lambda name, split: AnatomyRecord(name, "liver", split, "used"),
        lambda name, split: GroomRecord(name, "liver", split, "groomed"),
    ],
)
def test_a_run_without_a_fold_has_that_fold_as_its_test_split(kind):
    records = [kind("a", "train"), kind("b", "validation"), kind("c", "train"), kind("d", "test")]
    folds = [FoldRecord("a", "train", 1), FoldRecord("b", "validation", 2)]
    folds.append(FoldRecord("c", "train", 2))
    kept = without_fold(records, folds, 2)
    assert [(one.subject, one.split) for one in kept] == [
        ("a", "train"),
        ("b", "test"),
        ("c", "test"),
    ]
