"""Who was in the study, who was not and why, and what grooming did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from massm.dataset.splits import SPLITS
from massm.report.naming import anatomy_label


@dataclass(frozen=True)
class Exclusion:
    """One anatomy of a subject, or the whole subject, that was left out."""

    subject: str
    anatomy: str
    split: str
    what: str
    reason: str


@dataclass(frozen=True)
class GroomRow:
    """Grooming of one anatomy."""

    anatomy: str
    groomed: int
    failed: int
    volume_ml: str
    volume_change: str
    surface_error: str


def split_counts(
    subjects: pd.DataFrame, cohort: pd.DataFrame, anatomies: Sequence[str]
) -> list[tuple[str, tuple[int, ...]]]:
    """Count subjects, then usable structures of each anatomy, by split and in total."""
    used = subjects[subjects["status"] == "used"]
    rows = [("Subjects", _by_split(used))]
    usable = cohort[cohort["status"] == "used"]
    rows += [
        (anatomy_label(name), _by_split(usable[usable["anatomy"] == name])) for name in anatomies
    ]
    return rows


def _by_split(table: pd.DataFrame) -> tuple[int, ...]:
    counts = [int((table["split"] == split).sum()) for split in SPLITS]
    return (*counts, sum(counts))


def exclusions(
    subjects: pd.DataFrame,
    cohort: pd.DataFrame,
    groomed: pd.DataFrame,
    *,
    particles: Collection[tuple[str, str]],
    unaligned: Mapping[tuple[str, str], str],
) -> list[Exclusion]:
    """List everything that was left out, with its reason.

    Args:
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.
        groomed: Rows of ``groom/index/*.tsv``.
        particles: Subject and anatomy of what the shape models hold.
        unaligned: Why an alignment failed.
    """
    rows = [
        Exclusion(str(row.subject), "", str(row.split), "subject excluded", str(row.reason))
        for row in subjects[subjects["status"] != "used"].itertuples()
    ]
    whole = {row.subject for row in rows}
    for row in cohort[cohort["status"] != "used"].itertuples():
        if str(row.subject) not in whole:
            what = "anatomy absent" if row.status == "absent" else "anatomy excluded"
            rows.append(_left_out(row, what, str(row.reason)))
    failed = groomed[groomed["status"] != "groomed"]
    rows += [_left_out(row, "grooming failed", str(row.reason)) for row in failed.itertuples()]
    for row in groomed[groomed["status"] == "groomed"].itertuples():
        key = (str(row.subject), str(row.anatomy))
        if key in unaligned:
            rows.append(_left_out(row, "alignment failed", unaligned[key]))
        elif key not in particles:
            rows.append(_left_out(row, "no particles", "the shape model has no fit of it"))
    return rows


def _left_out(row: object, what: str, reason: str) -> Exclusion:
    values = row._asdict()  # type: ignore[attr-defined]
    anatomy = anatomy_label(str(values["anatomy"]))
    return Exclusion(str(values["subject"]), anatomy, str(values["split"]), what, reason)


def groom_rows(groomed: pd.DataFrame, anatomies: Sequence[str]) -> list[GroomRow]:
    """Summarize grooming: volumes before and after, and distance to the raw mask's surface."""
    rows = []
    for name in anatomies:
        own = groomed[groomed["anatomy"] == name]
        done = own[own["status"] == "groomed"]
        volume = pd.to_numeric(done["volume_ml"])
        raw = pd.to_numeric(done["mask_volume_ml"])
        change = (100 * (volume / raw - 1)).to_numpy(float).round(1)
        error = pd.to_numeric(done["surface_error_mm"]).to_numpy(float)
        rows.append(
            GroomRow(
                anatomy=anatomy_label(name),
                groomed=len(done),
                failed=len(own) - len(done),
                volume_ml=_middle(volume.to_numpy(float), "{:.1f}"),
                volume_change=_middle(change, "{:+.1f}"),
                surface_error=_middle(error, "{:.2f}"),
            )
        )
    return rows


def _middle(values: np.ndarray, form: str) -> str:
    """Write median and range; a mesh in place of a mask has no error to tell."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return ""
    ends = (float(np.median(values)), float(values.min()), float(values.max()))
    # Adding 0 turns -0.0 into 0.0.
    return "{} ({} to {})".format(*(form.format(round(value, 2) + 0.0) for value in ends))


def quality_rows(
    quality: dict[str, dict[str, object]], groomed: pd.DataFrame, anatomies: Sequence[str]
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Lay the shape models' quality out as a table: measures down, anatomies across.

    Args:
        quality: ``correspond/{anatomy}/quality.json`` by anatomy.
        groomed: Rows of ``groom/index/*.tsv``: how far groomed surfaces lie from their masks.
        anatomies: The columns.

    Returns:
        Anatomy labels, and for each measure its name and one text for each anatomy.
    """
    names: dict[str, None] = {}
    for values in quality.values():
        names |= {
            key: None for key, value in values.items() if isinstance(value, int | float | bool)
        }
    rows = [
        (name.replace("_", " "), [_plain(quality.get(a, {}).get(name)) for a in anatomies])
        for name in names
    ]
    rows += [
        (words, [_plain(_mean_of(groomed, column, name)) for name in anatomies])
        for column, words in _TO_MASK.items()
        if column in groomed
    ]
    return [anatomy_label(name) for name in anatomies], rows


_TO_MASK = {  # column of the groom index: words
    "surface_error_mm": "groomed surface to mask mean mm",
    "surface_error_p95_mm": "groomed surface to mask p95 mm",
}


def _mean_of(groomed: pd.DataFrame, column: str, anatomy: str) -> float:
    own = groomed[(groomed["status"] == "groomed") & (groomed["anatomy"] == anatomy)]
    return float(pd.to_numeric(own[column]).mean())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and np.isfinite(value):
        return f"{value:.0f}" if value == round(value) and abs(value) >= 10 else f"{value:.3g}"
    return ""
