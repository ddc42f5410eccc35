"""The verdict on the whole cohort: can shape models be made from it?"""

import logging
from collections.abc import Sequence

import pandas as pd

from massm.dataset.splits import SPLITS
from massm.io.errors import DataError

log = logging.getLogger(__name__)


def refuse_if_useless(
    min_train: int, anatomies: Sequence[str], subjects: pd.DataFrame, cohort: pd.DataFrame
) -> None:
    """Stop where no shape model can be made.

    Args:
        min_train: ``dataset.min_train``.
        anatomies: Organs that shape models are wanted of.
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.

    Raises:
        DataError: If one subject only or no training subject is left, or if an anatomy has fewer
            usable training subjects than ``min_train``.
    """
    used = subjects[subjects["status"] == "used"]
    if len(subjects) == 1:
        raise DataError(
            f"one subject only ({subjects['subject'].iloc[0]}): a shape model needs at least "
            f"dataset.min_train = {min_train} training subjects"
        )
    if used.empty:
        reasons = most_common(subjects["reason"])
        raise DataError(f"none of {len(subjects)} subjects can be used: {reasons}")
    if not (used["split"] == "train").any():
        counts = used["split"].value_counts().to_dict()
        lost = int((subjects["split"] == "train").sum())
        raise DataError(
            f"no training subject among the usable ones: {counts}; {lost} training subjects cannot "
            "be used, see columns split and reason"
        )
    for split in SPLITS[1:]:
        if not (used["split"] == split).any():
            log.warning(
                "no %s subject can be used (of %d that are): what is chosen or measured there will "
                "be missing; repair one, or set another dataset.seed or dataset.fractions",
                *(split, int((subjects["split"] == split).sum())),
            )
    faults = [_shortage(min_train, anatomy, cohort) for anatomy in anatomies]
    faults = [fault for fault in faults if fault]
    if faults:
        raise DataError("too few usable training subjects:\n  " + "\n  ".join(faults))


def count_usable(anatomies: Sequence[str], cohort: pd.DataFrame) -> pd.DataFrame:
    """Count for each anatomy the usable organs of each split, and those absent and excluded."""
    rows = []
    for anatomy in anatomies:
        own = cohort[cohort["anatomy"] == anatomy]
        used = own[own["status"] == "used"]
        counts = {split: int((used["split"] == split).sum()) for split in SPLITS}
        lost = {status: int((own["status"] == status).sum()) for status in ("absent", "excluded")}
        rows.append({"anatomy": anatomy, **counts, **lost})
    return pd.DataFrame(rows)


def most_common(reasons: pd.Series) -> str:
    """Say how often each of the most common reasons is given."""
    short = reasons.str.replace(r"^subject excluded: ", "", regex=True).str.split(":").str[0]
    counts = short.value_counts()
    return ", ".join(f"{count} x {reason}" for reason, count in counts.head(4).items())


def _shortage(min_train: int, anatomy: str, cohort: pd.DataFrame) -> str:
    rows = cohort[cohort["anatomy"] == anatomy]
    usable = int(((rows["status"] == "used") & (rows["split"] == "train")).sum())
    if usable >= min_train:
        return ""
    lost = rows[rows["status"] != "used"]
    reasons = f" ({most_common(lost['reason'])})" if len(lost) else ""
    return f"{anatomy}: {usable} of dataset.min_train = {min_train}{reasons}"
