"""The list of masks, most suspicious first."""

from collections.abc import Mapping, Sequence

import pandas as pd

from massm.audit.evidence import KINDS, Key, gather
from massm.audit.files import MeasuredMask
from massm.audit.measures import MaskMeasures
from massm.audit.place import FEWEST, PlacedMask
from massm.audit.prediction import PredictedMask
from massm.audit.reasons import Reasons
from massm.audit.score import by_mask, scores, weighed

COLUMNS = (
    *("rank", "subject", "anatomy", "score", "reason"),
    *("volume_ml", "shared", "off_x_mm", "off_y_mm", "off_z_mm"),
    *KINDS,
)


def rank(
    measured: Sequence[MeasuredMask],
    predictions: Mapping[Key, PredictedMask],
    fewest: int = FEWEST,
) -> pd.DataFrame:
    """List masks by how little they fit, with :data:`COLUMNS`.

    Those that cannot be compared come last, without rank; their reason says why.

    Args:
        measured: All masks of the cohort.
        predictions: Of masks, by a model that has not learned from them.
        fewest: Subjects that an anatomy must have to be compared, at least eight.
    """
    scans: dict[str, dict[str, MaskMeasures]] = {}
    for one in measured:
        if one.measures is not None:
            scans.setdefault(one.subject, {})[one.anatomy] = one.measures
    evidence = gather(scans, predictions, fewest)
    weights = weighed(evidence.raw)
    named = by_mask(weights)
    total = dict(zip(named, scores(weights), strict=True))
    order = sorted(named, key=lambda key: -total[key])
    reasons = Reasons(scans, evidence, named)
    rows = [
        {"rank": number, "subject": key[0], "anatomy": key[1], "score": round(total[key], 2)}
        | {"reason": reasons.why(key)}
        | _measures(scans[key[0]][key[1]], evidence.placed.get(key))
        | {kind: round(weight, 2) for kind, weight in named[key].items()}
        for number, key in enumerate(order, start=1)
    ]
    rows += [
        {"subject": one.subject, "anatomy": one.anatomy, "reason": _why_not(one, scans)}
        for one in measured
        if (one.subject, one.anatomy) not in named
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"rank": "Int64"})


def _measures(mask: MaskMeasures, placed: PlacedMask | None) -> dict[str, object]:
    off = {} if placed is None else dict(zip("xyz", placed.off_mm, strict=True))
    return {
        "volume_ml": round(mask.volume_ml, 3),
        "shared": round(mask.shared, 3),
        **{f"off_{axis}_mm": round(float(value), 1) for axis, value in off.items()},
    }


def _why_not(one: MeasuredMask, scans: Mapping[str, Mapping[str, MaskMeasures]]) -> str:
    if one.fault:
        return f"not compared: {one.fault}"
    count = sum(one.anatomy in masks for masks in scans.values())
    return f"not compared: {count} subjects have {one.anatomy}, too few to say what is usual"
