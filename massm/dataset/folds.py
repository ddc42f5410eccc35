"""Folds of a cohort for cross-validation: drawn by subject, alike in what matters."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from massm.io.cohort import AnatomyRecord, GroomRecord, SubjectRecord
from massm.io.crossval import FoldRecord
from massm.io.errors import DataError

LEFT_OUT = "test"  # what a fold's own subjects are in the run that is made without them

OfSubject = TypeVar("OfSubject", SubjectRecord, AnatomyRecord, GroomRecord)


def draw_folds(
    subjects: Sequence[SubjectRecord], anatomies: Sequence[AnatomyRecord], count: int, seed: int
) -> list[FoldRecord]:
    """Deal the training and validation subjects that are used into folds.

    Every fold gets its share of each split, and of the subjects that lack an anatomy, or have one
    that is cut or odd otherwise: rare traits are dealt first (Sechidis et al., "On the
    stratification of multi-label data", ECML PKDD 2011, in its iterative form). Ties are broken by
    a hash of seed and name, so that the order of the rows does not matter.

    Args:
        subjects: Of the whole cohort.
        anatomies: Of the whole cohort.
        count: How many folds.
        seed: Draws.

    Raises:
        DataError: If there are fewer subjects than folds.
    """
    used = {s.subject: s for s in subjects if s.is_used and s.split in ("train", "validation")}
    if len(used) < count:
        raise DataError(
            f"crossval.folds is {count}, but only {len(used)} training and validation subjects are "
            "used; name fewer folds"
        )
    traits = {name: {subject.split} for name, subject in used.items()}
    for record in anatomies:
        if record.subject in traits:
            traits[record.subject] |= _traits_of(record)
    folds = _dealt(traits, count, seed)
    return [FoldRecord(name, used[name].split, folds[name]) for name in sorted(used)]


def _traits_of(record: AnatomyRecord) -> set[str]:
    if not record.is_used:
        return {f"{record.anatomy} {record.status}"}
    return {f"{record.anatomy} odd"} if record.note else set()


def _dealt(traits: Mapping[str, set[str]], count: int, seed: int) -> dict[str, int]:
    """Give each subject a fold, those of the rarest trait first."""
    waiting = sorted(traits, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    of_trait = Counter(trait for name in waiting for trait in traits[name])
    wanted = {(fold, trait): n / count for trait, n in of_trait.items() for fold in range(count)}
    room = dict.fromkeys(range(count), len(waiting) / count)
    folds: dict[str, int] = {}
    while waiting:
        left = Counter(trait for name in waiting for trait in traits[name])
        rarest = min(left, key=lambda trait: (left[trait], trait))
        for name in [name for name in waiting if rarest in traits[name]]:
            fold = max(room, key=lambda one: (wanted[one, rarest], room[one], -one))
            folds[name] = fold + 1
            room[fold] -= 1
            for trait in traits[name]:
                wanted[fold, trait] -= 1
            waiting.remove(name)
    return folds


def without_fold(
    records: Sequence[OfSubject], folds: Sequence[FoldRecord], number: int
) -> list[OfSubject]:
    """Return the records of a run that leaves a fold out: its subjects are the test split.

    Subjects of the run's own test split, and those that are not used, are in no fold and left out.

    Args:
        records: Rows of one of the cohort's tables.
        folds: The fold of each subject.
        number: The fold that is left out.
    """
    split = {one.subject: LEFT_OUT if one.fold == number else one.split for one in folds}
    return [
        replace(record, split=split[record.subject])
        for record in records
        if record.subject in split
    ]
