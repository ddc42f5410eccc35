"""The split depends on names and seed alone."""

from collections import Counter

import pytest
from pydantic import ValidationError

from massm.config.dataset import SplitFractions
from massm.dataset.splits import draw_split, read_split, refuse_unreadable
from massm.io.errors import DataError

FRACTIONS = SplitFractions(train=0.7, validation=0.1, test=0.2)
NAMES = [f"s{i:04d}" for i in range(40)]


def test_the_fractions_are_met():
    parts = draw_split(NAMES, FRACTIONS, seed=1)
    assert Counter(parts.values()) == {"train": 28, "validation": 4, "test": 8}


def test_the_order_of_the_names_does_not_matter():
    assert draw_split(NAMES[::-1], FRACTIONS, 1) == draw_split(NAMES, FRACTIONS, 1)


def test_another_seed_draws_another_split():
    assert draw_split(NAMES, FRACTIONS, 1) != draw_split(NAMES, FRACTIONS, 2)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (5, (3, 1, 1))]
)
def test_few_subjects_still_train(count, expected):
    parts = Counter(draw_split(NAMES[:count], FRACTIONS, 1).values())
    assert (parts["train"], parts["validation"], parts["test"]) == expected


@pytest.mark.parametrize(
    ("word", "split"),
    [("train", "train"), ("val", "validation"), (" Validation", "validation"), ("test", "test")],
)
def test_words_of_data_sets_are_known(word, split):
    assert read_split(word) == split


def test_other_words_are_not():
    assert read_split("dev-set") is None


def test_fractions_must_sum_to_one():
    with pytest.raises(ValidationError, match="must sum to 1, not 0.9"):
        SplitFractions(train=0.5, validation=0.2, test=0.2)


def test_where_a_subject_comes_or_goes_one_at_each_border_moves_at_most():
    whole = draw_split(NAMES, FRACTIONS, 1)
    for name in NAMES:
        rest = draw_split([other for other in NAMES if other != name], FRACTIONS, 1)
        assert sum(rest[other] != whole[other] for other in rest) <= 2


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["dev", "dev", "test"], r"2 of 3 subjects have 'dev' \(2\); no subject is train or val"),
        (["A", "B", ""], r"2 of 2 subjects have 'A' \(1\), 'B' \(1\)"),
        (
            ["train"] * 8 + ["test", "dev"],
            r"'dev' \(1\); no subject is validation; write one of tr",
        ),
        (["train", "val", "test", "1", "2", "3", "4"], "4 of 7 subjects"),
    ],
)
def test_a_given_split_that_cannot_be_honored_stops(words, shown):
    with pytest.raises(DataError, match=shown):
        refuse_unreadable({f"s{i}": word for i, word in enumerate(words)})


@pytest.mark.parametrize(
    "words", [["", ""], ["train", "test"], ["TRAIN", "Val", "Testing", "perhaps"], []]
)
def test_one_that_can_does_not(words, caplog):
    refuse_unreadable({f"s{i}": word for i, word in enumerate(words)})
    assert not caplog.text


def test_subjects_without_a_split_among_others_are_said(caplog):
    refuse_unreadable({"a": "train", "b": "", "c": "test"})
    assert (
        "1 of 3 subjects have no split, though others have one, and are excluded: b" in caplog.text
    )
