"""Where the anatomies of a split went: excluded, missed, not measured, measured."""

from collections.abc import Iterator, Sequence

import pandas as pd

from massm.dataset.verdict import most_common
from massm.evaluate.measures import TO_PARTICLES
from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.scopes import text, with_scopes
from massm.io.cohort import AnatomyRecord, GroomRecord

_KEYS = ["split", "scope", "anatomy"]
NO_SPLIT = ""  # of subjects that were excluded before the split was drawn


def count_anatomies(
    cohort: Sequence[AnatomyRecord], groomed: Sequence[GroomRecord], values: pd.DataFrame
) -> pd.DataFrame:
    """Count what became of the anatomies of the subjects of the measured splits.

    Args:
        cohort: Rows of ``dataset/cohort.tsv``.
        groomed: Rows of ``groom/index/*.tsv``.
        values: Long table of all models.

    Returns:
        One row for each split, scope, anatomy and model: ``in_data`` = ``excluded`` (cut,
        outliers, ...) + ``missed`` by the model + ``without_surface`` (found, but grooming failed;
        of a model that is in the world frame alone: without true particles) + ``measured``;
        ``without_particles`` of the measured ones have no true particles; ``absent`` ones are not
        in the data; ``reason`` says why some were excluded or failed, with counts. Rows without
        split and model count anatomies of subjects that are in no split.
    """
    told = with_scopes(_told(cohort, groomed, set(values["anatomy"])))
    measured = set(values["split"])
    fates = with_scopes(values)
    rows: list[dict[str, object]] = []
    for key, group in told.groupby(_KEYS, sort=False):
        named = dict(zip(_KEYS, text(key), strict=True))
        if named["split"] in measured:
            rows += _models(named, group, fates)
        elif named["split"] == NO_SPLIT:
            rows.append({**named, "model": "", **_in_data(group)})
    return pd.DataFrame(rows, columns=[*_KEYS, "model", *_COUNTS])


def _told(
    cohort: Sequence[AnatomyRecord], groomed: Sequence[GroomRecord], anatomies: set[str]
) -> pd.DataFrame:
    """Lay out status of each anatomy of each subject, and why it was excluded or failed."""
    failed = {(row.subject, row.anatomy): row.reason for row in groomed if row.status == "failed"}
    rows = [
        {
            "split": row.split,
            "anatomy": row.anatomy,
            "status": row.status,
            "reason": failed.get((row.subject, row.anatomy), "") if row.is_used else row.reason,
        }
        for row in cohort
        if row.anatomy in anatomies
    ]
    return pd.DataFrame(rows, columns=["split", "anatomy", "status", "reason"])


_COUNTS = ["in_data", "absent", "excluded", "missed", "without_surface", "measured"]
_COUNTS += ["without_particles", "reason"]


def _in_data(group: pd.DataFrame) -> dict[str, object]:
    excluded = group["status"] == "excluded"
    reasons = group["reason"][(group["status"] != "absent") & (group["reason"] != "")]
    return {
        "in_data": int((group["status"] != "absent").sum()),
        "absent": int((group["status"] == "absent").sum()),
        "excluded": int(excluded.sum()),
        "missed": 0,
        "without_surface": 0,
        "measured": 0,
        "without_particles": 0,
        "reason": most_common(reasons) if len(reasons) else "",
    }


def _models(
    named: dict[str, str], group: pd.DataFrame, fates: pd.DataFrame
) -> Iterator[dict[str, object]]:
    here = fates
    for column, value in named.items():
        here = here[here[column] == value]
    before = _in_data(group)
    used = int((group["status"] == "used").sum())
    for model, own in here.groupby("model", sort=False):
        missed = int(own[(own["head"] == DETECTION) & (own["measure"] == "missed")]["value"].sum())
        measured, to_particles = _measured(own)
        yield {
            **named,
            "model": str(model),
            **before,
            "missed": missed,
            "without_surface": used - missed - measured,
            "measured": measured,
            "without_particles": measured - to_particles,
        }


def _measured(own: pd.DataFrame) -> tuple[int, int]:
    """Count a model's anatomies that were measured, and of these those with true particles.

    In the image; where it has nothing there, in the world frame, which only true particles tell.
    """
    to_particles = f"surface_mean{TO_PARTICLES}"
    local = own[own["head"] == LOCAL]["measure"]
    if len(local):
        return int((local == "surface_mean").sum()), int((local == to_particles).sum())
    world = own[~own["head"].isin([LOCAL, DETECTION]) & (own["measure"] == to_particles)]
    count = int(world.groupby("head").size().max()) if len(world) else 0
    return count, count
