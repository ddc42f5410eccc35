"""Which subjects to show: the best, the median and the worst case of each anatomy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.evaluate.rows import LOCAL
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.report.shapes.decimation import carried, decimated

RANKING = "surface_mean"


@dataclass(frozen=True)
class Case:
    """One anatomy of a subject to show.

    Attributes:
        rank: ``best``, ``median`` or ``worst``.
        subject: Whose it is.
        distance_mm: Its mean surface distance to the segmentation.
        true: The segmentation's surface, decimated, image frame.
        predicted: The predicted surface, decimated, image frame.
        error: Distance to the prediction at each vertex of ``true``, mm.
    """

    rank: str
    subject: str
    distance_mm: float
    true: Mesh
    predicted: Mesh
    error: Float[np.ndarray, " V"]


def rank_cases(values: pd.DataFrame, model: str, anatomy: str) -> list[tuple[str, str, float]]:
    """Choose the best, median and worst subject of an anatomy by surface distance.

    Returns:
        Rank, subject and distance (mm): of two subjects the best and the worst, of one the median.
    """
    chosen = values[
        (values["model"] == model)
        & (values["head"] == LOCAL)
        & (values["anatomy"] == anatomy)
        & (values["measure"] == RANKING)
    ].sort_values(["value", "subject"])
    last = len(chosen) - 1
    ranks = {0: "best", last: "worst", len(chosen) // 2: "median"}
    ranked = {0: "best", last: "worst"} if last == 1 else ranks if last >= 0 else {}
    return [
        (ranked[place], str(chosen["subject"].iloc[place]), float(chosen["value"].iloc[place]))
        for place in sorted(ranked)
    ]


def load_case(
    rank: str, subject: str, distance_mm: float, *, true: Path, predicted: Path, faces: int
) -> Case:
    """Read both surfaces of a case and measure the error on the true one.

    The error is taken at full resolution and carried to the light surface, whose vertices lie
    beside the true one.
    """
    segmentation, prediction = meshes.read(true), meshes.read(predicted)
    light = decimated(segmentation, faces)
    distance = SurfaceIndex(prediction).closest(segmentation.vertices).distance
    error = carried(distance[:, None], segmentation, light.vertices)[:, 0]
    return Case(rank, subject, distance_mm, light, decimated(prediction, faces), error)


def typical_subject(values: pd.DataFrame, model: str) -> str | None:
    """Choose the subject of median mean distance among those with the most anatomies found."""
    chosen = values[
        (values["model"] == model) & (values["head"] == LOCAL) & (values["measure"] == RANKING)
    ]
    if chosen.empty:
        return None
    table = chosen.groupby("subject")["value"].agg(["size", "mean"]).reset_index()
    table = table[table["size"] == table["size"].max()].sort_values(["mean", "subject"])
    return str(table["subject"].iloc[len(table) // 2])
