"""What several models made of one anatomy of one subject, on the segmentation's surface."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.evaluate.rows import LOCAL
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.report.naming import Method
from massm.report.shapes.cases import RANKING
from massm.report.shapes.decimation import carried, decimated


@dataclass(frozen=True)
class Showcase:
    """A subject to show of an anatomy, and why.

    Attributes:
        rank: ``typical``, ``largest lead`` or ``largest lag`` of the reference model.
        subject: Its name.
        lead_mm: How much nearer the reference model is than the best rival; below 0: farther.
    """

    rank: str
    subject: str
    lead_mm: float


@dataclass(frozen=True)
class SideBySide:
    """One anatomy of a subject with the errors of several methods.

    Attributes:
        true: The segmentation's surface, decimated, image frame.
        errors: Distance to each method's surface at the vertices of ``true``, mm; a world surface's
            is taken in the world frame.
    """

    true: Mesh
    errors: Mapping[Method, Float[np.ndarray, " V"]]


def choose_showcases(
    values: pd.DataFrame, anatomy: str, model: str, rivals: Sequence[str]
) -> list[Showcase]:
    """Choose subjects by their image's results: a model's median, and its largest lead and lag.

    Args:
        values: Long values of one split.
        anatomy: Whose.
        model: The reference model.
        rivals: Models that it is compared with; one that found nothing of a subject is left out
            there.

    Returns:
        Up to three; none where no subject was found both by the reference model and by a rival.
    """
    own = values[
        (values["measure"] == RANKING) & (values["anatomy"] == anatomy) & (values["head"] == LOCAL)
    ]
    table = own.pivot(index="subject", columns="model", values="value").sort_index()
    present = [name for name in rivals if name in table]
    if model not in table or not present:
        return []
    both = pd.DataFrame({"ours": table[model], "best": table[present].min(axis=1)}).dropna()
    if both.empty:
        return []
    lead = both["best"] - both["ours"]
    ranked = both.sort_values("ours", kind="stable").index
    chosen = {
        str(lead.idxmin()): "largest lag",
        str(lead.idxmax()): "largest lead",
        str(ranked[len(ranked) // 2]): "typical",
    }
    order = ("typical", "largest lead", "largest lag")
    cases = [Showcase(rank, name, float(lead[name])) for name, rank in chosen.items()]
    return sorted(cases, key=lambda case: order.index(case.rank))


def side_by_side(
    true: Mesh,
    predicted: Mapping[Method, Mesh],
    transforms: Mapping[Method, Float[np.ndarray, "4 4"]],
    faces: int,
) -> SideBySide:
    """Measure the error of each method at the vertices of one light surface.

    As in :func:`massm.report.shapes.cases.load_case`, errors are taken at full resolution.

    Args:
        true: The segmentation's surface, image frame.
        predicted: Surface of each method, in the frame of its head.
        transforms: From the image to that frame, of methods whose frame is another.
        faces: Triangles of the light surface, at most.
    """
    light = decimated(true, faces)
    columns = []
    for method, mesh in predicted.items():
        moved = true.transformed(transforms[method]) if method in transforms else true
        columns.append(SurfaceIndex(mesh).closest(moved.vertices).distance)
    if not columns:
        return SideBySide(light, {})
    errors = carried(np.stack(columns, 1), true, light.vertices)
    return SideBySide(light, dict(zip(predicted, np.maximum(errors, 0).T, strict=True)))
