"""From checked subjects to the two tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedSubject
from massm.dataset.outliers import outlier_scores
from massm.dataset.splits import SPLITS, draw_split, read_split
from massm.dataset.units import exclude_other_units
from massm.dataset.verdict import most_common


def tabulate(
    config: SurveyConfig, checked: Sequence[CheckedSubject]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decide split and status of each subject and organ.

    Returns:
        The table of subjects and the table of subjects x anatomies.
    """
    checked = _with_usable_organ(_with_readable_split(checked))
    splits = _splits(config, checked)
    subjects = pd.DataFrame([_subject_row(entry, splits) for entry in checked])
    rows = [row for entry in checked for row in _organ_rows(entry, splits)]
    cohort = pd.DataFrame(rows)
    cohort = exclude_other_units(cohort)
    if config.outlier_z is not None:
        cohort = _exclude_outliers(cohort, config.outlier_z)
    return subjects, cohort


def _with_readable_split(checked: Sequence[CheckedSubject]) -> list[CheckedSubject]:
    """Exclude subjects without a split that can be read, if any subject has one."""
    if not any(entry.subject.split for entry in checked):
        return list(checked)
    return [
        entry
        if entry.fault or read_split(entry.subject.split) is not None
        else _exclude(entry, _split_fault(entry.subject.split))
        for entry in checked
    ]


def _split_fault(word: str) -> str:
    if not word:
        return "no split given, though other subjects have one"
    return f"split {word!r} is none of {', '.join(SPLITS)}"


def _with_usable_organ(checked: Sequence[CheckedSubject]) -> list[CheckedSubject]:
    """Exclude subjects of whose organs nothing is known, not even that they are absent."""
    return [
        replace(entry, fault=f"no usable anatomy: {_reasons(entry)}")
        if not entry.fault and all(organ.status == "excluded" for organ in entry.organs)
        else entry
        for entry in checked
    ]


def _reasons(entry: CheckedSubject) -> str:
    return most_common(pd.Series([organ.reason for organ in entry.organs]))


def _exclude(entry: CheckedSubject, fault: str) -> CheckedSubject:
    organs = tuple(
        replace(organ, status="excluded", reason=f"subject excluded: {fault}")
        for organ in entry.organs
    )
    return replace(entry, fault=fault, organs=organs)


def _splits(config: SurveyConfig, checked: Sequence[CheckedSubject]) -> dict[str, str]:
    """Take the data's split if it has one, else draw one among all subjects, usable or not."""
    if any(entry.subject.split for entry in checked):
        given = {entry.subject.name: read_split(entry.subject.split) for entry in checked}
        return {name: split or "" for name, split in given.items()}
    return draw_split([entry.subject.name for entry in checked], config.fractions, config.seed)


def _subject_row(entry: CheckedSubject, splits: dict[str, str]) -> dict[str, object]:
    name = entry.subject.name
    size = entry.size or (pd.NA,) * 3
    spacing = entry.spacing or (pd.NA,) * 3
    return {
        "subject": name,
        "split": splits[name],
        "status": "excluded" if entry.fault else "used",
        "reason": _one_line(entry.fault),
        "note": _one_line(entry.note),
        "image": str(entry.subject.image or ""),
        **{f"size_{axis}": value for axis, value in zip("xyz", size, strict=True)},
        **{f"spacing_{axis}": value for axis, value in zip("xyz", spacing, strict=True)},
    }


def _organ_rows(entry: CheckedSubject, splits: dict[str, str]) -> list[dict[str, object]]:
    name = entry.subject.name
    return [
        {
            "subject": name,
            "anatomy": checked.organ.anatomy,
            "split": splits[name],
            "status": checked.status,
            "reason": _one_line(checked.reason),
            "note": _one_line("; ".join(filter(None, (checked.organ.note, checked.note)))),
            "image": str(entry.subject.image or ""),
            "mask": str(checked.organ.mask or ""),
            "label": "" if checked.organ.label is None else str(checked.organ.label),
            "volume_ml": pd.NA if checked.volume_ml is None else round(checked.volume_ml, 3),
        }
        for checked in entry.organs
    ]


def _exclude_outliers(cohort: pd.DataFrame, limit: float) -> pd.DataFrame:
    cohort = cohort.copy()
    used = cohort["status"] == "used"
    for anatomy in cohort.loc[used, "anatomy"].unique():
        rows = cohort.index[used & (cohort["anatomy"] == anatomy)]
        volumes = cohort.loc[rows, "volume_ml"].astype(float).clip(lower=1e-6)
        training = volumes[cohort.loc[rows, "split"] == "train"]
        scores = outlier_scores(volumes.to_list(), training.to_list())
        for row, volume, score in zip(rows, volumes, scores, strict=True):
            if abs(score) > limit:
                cohort.loc[row, "status"] = "excluded"
                cohort.loc[row, "reason"] = (
                    f"volume outlier: {volume:.3g} ml, {score:+.1f} robust standard deviations "
                    f"from the training median of {np.median(training):.3g} ml"
                )
    return cohort


def _one_line(text: str) -> str:
    return " ".join(text.split())
