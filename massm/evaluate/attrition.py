"""Where the organs of a split went: excluded, missed, not measured, measured."""

from collections.abc import Iterator

import pandas as pd

from massm.dataset.verdict import most_common
from massm.evaluate.rows import DETECTION, LOCAL
from massm.evaluate.scopes import text, with_scopes

_KEYS = ["split", "scope", "anatomy"]
NO_SPLIT = ""  # of subjects that were excluded before the split was drawn


def count_organs(cohort: pd.DataFrame, groomed: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Count what became of the organs of the measured splits.

    Args:
        cohort: ``dataset/cohort.tsv``.
        groomed: Rows of ``groom/index/*.tsv``.
        values: Long table of all models.

    Returns:
        One row for each split, scope, anatomy and model: ``in_data`` organs = ``excluded`` (cut,
        outliers, ...) + ``missed`` by the model + ``without_surface`` (found, but grooming failed)
        + ``measured``; ``without_particles`` of the measured ones have no true particles;
        ``absent`` organs are not in the data; ``reason`` says why organs were excluded or failed,
        with counts. Rows without split and model count organs of subjects that are in no split.
    """
    failed = groomed[groomed["status"] != "groomed"]
    keys = ["subject", "anatomy"]
    told = cohort.merge(failed[[*keys, "reason"]], on=keys, how="left", suffixes=("", "_groom"))
    told["reason"] = told["reason"].where(told["status"] != "used", told["reason_groom"].fillna(""))
    organs = with_scopes(told[told["anatomy"].isin(set(values["anatomy"]))])
    measured = set(values["split"])
    fates = with_scopes(values)
    rows: list[dict[str, object]] = []
    for key, group in organs.groupby(_KEYS, sort=False):
        named = dict(zip(_KEYS, text(key), strict=True))
        if named["split"] in measured:
            rows += _models(named, group, fates)
        elif named["split"] == NO_SPLIT:
            rows.append({**named, "model": "", **_in_data(group)})
    return pd.DataFrame(rows, columns=[*_KEYS, "model", *_COUNTS])


_COUNTS = ["in_data", "absent", "excluded", "missed", "without_surface", "measured"]
_COUNTS += ["without_particles", "reason"]


def _in_data(organs: pd.DataFrame) -> dict[str, object]:
    excluded = organs["status"] == "excluded"
    reasons = organs["reason"][(organs["status"] != "absent") & (organs["reason"] != "")]
    return {
        "in_data": int((organs["status"] != "absent").sum()),
        "absent": int((organs["status"] == "absent").sum()),
        "excluded": int(excluded.sum()),
        "missed": 0,
        "without_surface": 0,
        "measured": 0,
        "without_particles": 0,
        "reason": most_common(reasons) if len(reasons) else "",
    }


def _models(
    named: dict[str, str], organs: pd.DataFrame, fates: pd.DataFrame
) -> Iterator[dict[str, object]]:
    here = fates
    for column, value in named.items():
        here = here[here[column] == value]
    before = _in_data(organs)
    used = int((organs["status"] == "used").sum())
    for model, own in here.groupby("model", sort=False):
        missed = int(own[(own["head"] == DETECTION) & (own["measure"] == "missed")]["value"].sum())
        local = own[own["head"] == LOCAL]["measure"]
        measured = int((local == "surface_mean").sum())
        yield {
            **named,
            "model": str(model),
            **before,
            "missed": missed,
            "without_surface": used - missed - measured,
            "measured": measured,
            "without_particles": measured - int((local == "surface_mean_particles").sum()),
        }
