"""From checked subjects to the rows of the two tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from massm.config.dataset import SurveyConfig
from massm.dataset.cohort import CheckedSubject
from massm.dataset.outliers import outlier_scores
from massm.dataset.splits import SPLITS, draw_split, read_split
from massm.dataset.units import other_units
from massm.dataset.verdict import most_common
from massm.io.cohort import AnatomyRecord, SubjectRecord


def tabulate(
    config: SurveyConfig, checked: Sequence[CheckedSubject]
) -> tuple[list[SubjectRecord], list[AnatomyRecord]]:
    """Decide split and status of each subject and of each of its anatomies.

    Returns:
        The rows of the table of subjects, and of that of subjects x anatomies.
    """
    checked = _with_usable_anatomy(_with_readable_split(checked))
    splits = _splits(config, checked)
    subjects = [_subject(entry, splits[entry.subject.name]) for entry in checked]
    rows = [row for entry in checked for row in _anatomies(entry, splits[entry.subject.name])]
    rows = _without_other_units(rows)
    if config.outlier_z is not None:
        rows = _without_outliers(rows, config.outlier_z)
    return subjects, rows


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


def _with_usable_anatomy(checked: Sequence[CheckedSubject]) -> list[CheckedSubject]:
    """Exclude subjects of whose anatomies nothing is known, not even that they are absent."""
    return [
        replace(entry, fault=f"no usable anatomy: {_reasons(entry)}")
        if not entry.fault and all(one.status == "excluded" for one in entry.anatomies)
        else entry
        for entry in checked
    ]


def _reasons(entry: CheckedSubject) -> str:
    return most_common([one.reason for one in entry.anatomies])


def _exclude(entry: CheckedSubject, fault: str) -> CheckedSubject:
    anatomies = tuple(
        replace(one, status="excluded", reason=f"subject excluded: {fault}")
        for one in entry.anatomies
    )
    return replace(entry, fault=fault, anatomies=anatomies)


def _splits(config: SurveyConfig, checked: Sequence[CheckedSubject]) -> dict[str, str]:
    """Take the data's split if it has one, else draw one among all subjects, usable or not."""
    if any(entry.subject.split for entry in checked):
        given = {entry.subject.name: read_split(entry.subject.split) for entry in checked}
        return {name: split or "" for name, split in given.items()}
    return draw_split([entry.subject.name for entry in checked], config.fractions, config.seed)


def _subject(entry: CheckedSubject, split: str) -> SubjectRecord:
    size_x, size_y, size_z = entry.size or (None,) * 3
    spacing_x, spacing_y, spacing_z = entry.spacing or (None,) * 3
    return SubjectRecord(
        subject=entry.subject.name,
        split=split,
        status="excluded" if entry.fault else "used",
        reason=_one_line(entry.fault),
        note=_one_line(entry.note),
        image=entry.subject.image,
        size_x=size_x,
        size_y=size_y,
        size_z=size_z,
        spacing_x=spacing_x,
        spacing_y=spacing_y,
        spacing_z=spacing_z,
    )


def _anatomies(entry: CheckedSubject, split: str) -> list[AnatomyRecord]:
    return [
        AnatomyRecord(
            subject=entry.subject.name,
            anatomy=one.found.name,
            split=split,
            status=one.status,
            reason=_one_line(one.reason),
            note=_one_line("; ".join(filter(None, (one.found.note, one.note)))),
            image=entry.subject.image,
            mask=one.found.mask,
            label=one.found.label,
            volume_ml=None if one.volume_ml is None else round(one.volume_ml, 3),
            source=one.source,
        )
        for one in entry.anatomies
    ]


def _without_other_units(rows: Sequence[AnatomyRecord]) -> list[AnatomyRecord]:
    """Exclude surfaces in another unit than those of the other subjects."""
    faults: dict[int, str] = {}
    for anatomy, places in _used(rows).items():
        own = [rows[place] for place in places]
        found = other_units(anatomy, _volumes(own), [row.source == "surface" for row in own])
        faults |= {places[place]: fault for place, fault in found.items()}
    return _excluded(rows, faults)


def _without_outliers(rows: Sequence[AnatomyRecord], limit: float) -> list[AnatomyRecord]:
    """Exclude volumes that lie too far from those of the training subjects."""
    faults: dict[int, str] = {}
    for places in _used(rows).values():
        own = [rows[place] for place in places]
        volumes = [max(volume, 1e-6) for volume in _volumes(own)]
        training = [ml for row, ml in zip(own, volumes, strict=True) if row.split == "train"]
        scores = outlier_scores(volumes, training)
        for place, volume, score in zip(places, volumes, scores, strict=True):
            if abs(score) > limit:
                faults[place] = (
                    f"volume outlier: {volume:.3g} ml, {score:+.1f} robust standard deviations "
                    f"from the training median of {np.median(training):.3g} ml"
                )
    return _excluded(rows, faults)


def _used(rows: Sequence[AnatomyRecord]) -> dict[str, list[int]]:
    """List by anatomy the places of the rows that are used."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.is_used:
            places.setdefault(row.anatomy, []).append(place)
    return places


def _volumes(rows: Sequence[AnatomyRecord]) -> list[float]:
    return [float("nan") if row.volume_ml is None else row.volume_ml for row in rows]


def _excluded(rows: Sequence[AnatomyRecord], faults: dict[int, str]) -> list[AnatomyRecord]:
    return [
        replace(row, status="excluded", reason=faults[place]) if place in faults else row
        for place, row in enumerate(rows)
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
