"""The verdict on the whole cohort: can shape models be made from it?"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from massm.dataset.splits import SPLITS
from massm.io.cohort import AnatomyRecord, CountRecord, SubjectRecord
from massm.io.errors import DataError

log = logging.getLogger(__name__)


def refuse_if_useless(
    min_train: int,
    anatomies: Sequence[str],
    subjects: Sequence[SubjectRecord],
    cohort: Sequence[AnatomyRecord],
) -> None:
    """Stop where no shape model can be made.

    Args:
        min_train: ``dataset.min_train``.
        anatomies: Those that shape models are wanted of.
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.

    Raises:
        DataError: If one subject only or no training subject is left, or if an anatomy has fewer
            usable training subjects than ``min_train``.
    """
    if len(subjects) == 1:
        raise DataError(
            f"one subject only ({subjects[0].subject}): a shape model needs at least "
            f"dataset.min_train = {min_train} training subjects"
        )
    used = [row for row in subjects if row.is_used]
    if not used:
        raise DataError(
            f"none of {len(subjects)} subjects can be used: {_alike(subjects)}; "
            "massm doctor --data FOLDER lists the masks that are there"
        )
    found = Counter(row.split for row in subjects)
    usable = Counter(row.split for row in used)
    if not usable["train"]:
        raise DataError(
            f"no training subject among the usable ones: {dict(usable.most_common())}; "
            f"{found['train']} training subjects cannot be used, see columns split and reason"
        )
    for split in SPLITS[1:]:
        if not usable[split]:
            log.warning(
                "no %s subject can be used (of %d that are): what is chosen or measured there will "
                "be missing; repair one, or set another dataset.seed or dataset.fractions",
                *(split, found[split]),
            )
    faults = [_shortage(min_train, anatomy, cohort) for anatomy in anatomies]
    faults = [fault for fault in faults if fault]
    if faults:
        raise DataError("too few usable training subjects:\n  " + "\n  ".join(faults))


def count_usable(anatomies: Sequence[str], cohort: Sequence[AnatomyRecord]) -> list[CountRecord]:
    """Count for each anatomy the usable ones of each split, and those absent and excluded."""
    return [_counts(name, [row for row in cohort if row.anatomy == name]) for name in anatomies]


def most_common(reasons: Iterable[str]) -> str:
    """Say how often each of the most common reasons is given."""
    short = [reason.removeprefix("subject excluded: ").split(":")[0] for reason in reasons]
    return ", ".join(f"{count} x {reason}" for reason, count in Counter(short).most_common(4))


def _alike(subjects: Sequence[SubjectRecord]) -> str:
    """Say how often each of the most common reasons is given, whoever they are of."""
    reasons = []
    for row in subjects:
        kind, _, of_anatomies = row.reason.partition(": ")
        lacks = of_anatomies.replace(row.subject, "*").removeprefix("1 x ")
        reasons.append(lacks if kind == "no usable anatomy" else kind)
    return ", ".join(f"{count} x {reason}" for reason, count in Counter(reasons).most_common(4))


def _counts(anatomy: str, rows: Sequence[AnatomyRecord]) -> CountRecord:
    splits = Counter(row.split for row in rows if row.is_used)
    status = Counter(row.status for row in rows)
    train, validation, test = (splits[split] for split in SPLITS)
    return CountRecord(anatomy, train, validation, test, status["absent"], status["excluded"])


def _shortage(min_train: int, anatomy: str, cohort: Sequence[AnatomyRecord]) -> str:
    rows = [row for row in cohort if row.anatomy == anatomy]
    usable = _counts(anatomy, rows).train
    if usable >= min_train:
        return ""
    lost = [row.reason for row in rows if not row.is_used]
    reasons = f" ({most_common(lost)})" if lost else ""
    return f"{anatomy}: {usable} of dataset.min_train = {min_train}{reasons}"
