"""The split depends on names and seed alone."""

from collections import Counter

import pytest
from pydantic import ValidationError

from massm.config.dataset import SplitFractions
from massm.dataset.splits import draw_split, read_split

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
