"""Everything that speaks against a mask, as numbers that grow with suspicion."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.audit.measures import MaskMeasures
from massm.audit.place import FEWEST, PlacedMask, Scans, place_all
from massm.audit.population import distances, usual
from massm.audit.prediction import PredictedMask, beyond_prediction
from massm.audit.sight import beyond_sight, offset

KINDS = ("flat", "place", "size", "form", "sight", "border", "rim", "values", "prediction", "ends")
"""Names of the evidence: columns of ``audit/masks.csv``; what says most to a person comes first."""

Key = tuple[str, str]  # subject, anatomy

_TURNS = 10.0  # a correlation of 0.1 counts as a hundredth of the size
_FLAT = 0.05  # smallest spread of shares
_INSIDE_HU, _RIM_HU = 5.0, 10.0  # smallest spreads of averages


@dataclass(frozen=True)
class Evidence:
    """What speaks against each mask.

    Attributes:
        raw: A row for each mask (index: subject, anatomy), a column for each of :data:`KINDS`; nan
            where there is none of the kind.
        placed: What the other anatomies of the scan say of each.
        beyond_mm: How much farther each reaches, in 26 directions, than the image around it says.
        beyond_predicted_mm: The same of those that have a predicted surface, than that.
    """

    raw: pd.DataFrame
    placed: Mapping[Key, PlacedMask]
    beyond_mm: Mapping[Key, Float[np.ndarray, "26"]]
    beyond_predicted_mm: Mapping[Key, Float[np.ndarray, "26"]]


def gather(
    scans: Scans, predictions: Mapping[Key, PredictedMask], fewest: int = FEWEST
) -> Evidence:
    """Gather what speaks against each mask.

    Args:
        scans: Measures by subject and anatomy.
        predictions: Of masks, by a model that has not learned from them.
        fewest: Anatomies that fewer subjects have are left out.
    """
    placed = place_all(scans)
    tables: list[pd.DataFrame] = []
    beyond: dict[Key, np.ndarray] = {}
    of_predicted: dict[Key, np.ndarray] = {}
    for anatomy in dict.fromkeys(name for masks in scans.values() for name in masks):
        keys = [(subject, anatomy) for subject, masks in scans.items() if anatomy in masks]
        if len(keys) < max(fewest, FEWEST):
            continue
        masks = [scans[subject][anatomy] for subject, _ in keys]
        table = pd.DataFrame(_of_shapes(masks), index=pd.MultiIndex.from_tuples(keys))
        table["place"] = [placed[key].place if key in placed else np.nan for key in keys]
        table["size"] = [placed[key].size if key in placed else np.nan for key in keys]
        said = {key: predictions[key] for key in keys if key in predictions}
        for key, one in said.items():
            table.loc[key, "prediction"] = np.log(one.distance_mm)
        own = {key: beyond_prediction(scans[key[0]][anatomy], one) for key, one in said.items()}
        own = {key: further for key, further in own.items() if np.isfinite(further).all()}
        if len(own) >= FEWEST:
            far = np.array(list(own.values()))
            far -= np.median(far, axis=0)
            of_predicted |= dict(zip(own, far, strict=True))
            table.loc[list(own), "ends"] = distances(far, 1.0)
        imaged = [row for row, mask in enumerate(masks) if np.isfinite(mask.hu[0])]
        if len(imaged) >= FEWEST:
            columns, further = _of_images([masks[row] for row in imaged])
            beyond |= {keys[row]: further[n] for n, row in enumerate(imaged)}
            for name, values in columns.items():
                table.loc[[keys[row] for row in imaged], name] = values
        tables.append(table.reindex(columns=list(KINDS)))
    nothing = pd.DataFrame(columns=list(KINDS), index=pd.MultiIndex.from_tuples([], names=[0, 1]))
    raw = pd.concat(tables) if tables else nothing.astype(float)
    return Evidence(raw, placed, beyond, of_predicted)


def _of_shapes(masks: list[MaskMeasures]) -> dict[str, np.ndarray]:
    """Compare masks of one anatomy by their shapes, whatever their sizes and places."""
    sizes = np.cbrt([mask.volume_ml for mask in masks])
    support = np.array([mask.support for mask in masks])
    turns = _TURNS * np.array([mask.turn for mask in masks])
    flat = np.array([mask.flat for mask in masks])
    middle, spread = usual(flat, _FLAT)
    return {
        "form": distances(np.column_stack([support / sizes[:, None], turns])),
        "flat": ((flat - middle) / spread).max(axis=1),
    }


def _of_images(masks: list[MaskMeasures]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Compare the images in and around masks of one anatomy; also what reaches beyond sight, mm."""
    support = np.array([mask.support for mask in masks])
    beyond = beyond_sight(np.array([mask.around for mask in masks]), support)
    off = offset(beyond)
    _, spread = usual(off, 1.0)
    columns = {
        "values": distances(np.array([mask.hu for mask in masks]), _INSIDE_HU),
        "rim": distances(np.array([mask.rim for mask in masks]), _RIM_HU),
        "sight": np.linalg.norm(off / spread, axis=1),
        "border": distances(beyond, 1.0),
    }
    return columns, beyond
