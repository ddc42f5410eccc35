"""Where predictions are wrong: true reconstructions with the distance to what was predicted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.report.naming import Method
from massm.report.run.reconstructions import Reconstructions

PAPERS_DISTANCE = "surface_mean_particles"  # to the surface from true particles, as the maps show


@dataclass(frozen=True)
class Chosen:
    """One anatomy of a subject, and how far a method's surface is from its true reconstruction."""

    method: Method
    subject: str
    anatomy: str
    distance_mm: float


@dataclass(frozen=True)
class HeatMap:
    """A true reconstruction colored by a prediction's error.

    Attributes:
        chosen: Whose.
        true: Surface from true particles, in the frame of the method's head.
        error: Distance to the prediction at each vertex of ``true``, mm.
    """

    chosen: Chosen
    true: Mesh
    error: Float[np.ndarray, " V"]


def heat_map(chosen: Chosen, surfaces: Reconstructions) -> HeatMap:
    """Read both surfaces of a case and measure."""
    head = chosen.method[1]
    true = surfaces.true(chosen.subject, chosen.anatomy, head)
    predicted = surfaces.predicted(chosen.method, chosen.subject, chosen.anatomy)
    return HeatMap(chosen, true, SurfaceIndex(predicted).closest(true.vertices).distance)


def distances(values: pd.DataFrame) -> pd.DataFrame:
    """Take the rows of the paper's distance: only of what has a true reconstruction."""
    return values[values["measure"] == PAPERS_DISTANCE]


def best_case(values: pd.DataFrame, method: Method) -> Chosen | None:
    """Choose the subject and anatomy where a method's distance is least; None if it found none."""
    ranked = _ranked(values, method)
    return ranked[0] if ranked else None


def same_case(values: pd.DataFrame, case: Chosen, methods: Sequence[Method]) -> list[Chosen | None]:
    """Find what other methods made of a case; None where one missed it."""
    same = (values["subject"] == case.subject) & (values["anatomy"] == case.anatomy)
    found = {chosen.method: chosen for chosen in _ranked(values[same])}
    return [found.get(method) for method in methods]


def extreme_cases(
    values: pd.DataFrame, method: Method, anatomy: str
) -> tuple[Chosen, Chosen] | None:
    """Choose a method's best and worst case of an anatomy; None if it found none."""
    ranked = _ranked(values[values["anatomy"] == anatomy], method)
    return (ranked[0], ranked[-1]) if ranked else None


def _ranked(values: pd.DataFrame, method: Method | None = None) -> list[Chosen]:
    own = distances(values)
    if method is not None:
        own = own[(own["model"] == method[0]) & (own["head"] == method[1])]
    rows = own.sort_values(["value", "subject", "anatomy"])
    columns = (rows[name].astype(str) for name in ("model", "head", "subject", "anatomy"))
    found = rows["value"].to_numpy(float)
    return [
        Chosen((model, head), subject, anatomy, float(value))
        for model, head, subject, anatomy, value in zip(*columns, found, strict=True)
    ]
