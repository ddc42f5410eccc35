"""The measures by name: unit, label, and which way is better.

Surface measures without an ending are taken to the segmentation's groomed surface. That is the
mask's, smoothed: it lies off the steps of the mask's voxels, by half a millimeter on average for
masks of 4 mm slices (the report says how far in each cohort). With the ending ``_mask`` the same
are taken to the mask's own isosurface, with ``_particles`` to the surface from true particles. With
``_raw`` it is not the model's final surface that is measured but all pieces of what it segmented,
not smoothed.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """What a measure's numbers mean.

    Attributes:
        unit: ``mm``, or ``1`` for fractions.
        label: Words for tables and figures.
        better: Which way is better, or ``neither`` for a fact that is no score.
    """

    unit: str
    label: str
    better: Literal["low", "high", "neither"]


RATES = ("missed", "false_positive", "center_within_")
"""Starts of the names of measures that are 0 or 1: their mean is a rate."""

_FIXED = {
    "particle_rmse": Measure("mm", "particle RMSE (mean of the axes)", "low"),
    "particle_rmse_x": Measure("mm", "particle RMSE, x", "low"),
    "particle_rmse_y": Measure("mm", "particle RMSE, y", "low"),
    "particle_rmse_z": Measure("mm", "particle RMSE, z", "low"),
    "particle_euclidean": Measure("mm", "particle error (Euclidean)", "low"),
    "surface_mean": Measure("mm", "surface distance, mean", "low"),
    "surface_p95": Measure("mm", "surface distance, 95th percentile", "low"),
    "surface_hausdorff": Measure("mm", "Hausdorff distance", "low"),
    "span_distance": Measure("mm", "distance from the shape model's span", "low"),
    "dice": Measure("1", "Dice", "high"),
    "center_error": Measure("mm", "center error", "low"),
    "box_iou": Measure("1", "box IoU", "high"),
    "missed": Measure("1", "missed", "low"),
    "false_positive": Measure("1", "false positive", "low"),
    "presence": Measure("1", "present in truth", "neither"),
    "score": Measure("1", "detection score", "neither"),
    "presence_auroc": Measure("1", "presence AUROC", "high"),
}
TO_PARTICLES = "_particles"  # ending of measures to the surface from true particles
TO_MASK = "_mask"  # ending of measures to the mask's own isosurface, not smoothed
OF_RAW = "_raw"  # ending of measures of all that was segmented: every piece, not smoothed
_OTHER_SURFACES = {
    TO_PARTICLES: "to true particles' surface",
    TO_MASK: "to the mask, unsmoothed",
    OF_RAW: "of all pieces, unsmoothed",
}


def is_rate(name: str) -> bool:
    """Tell whether a measure is 0 or 1 for each anatomy."""
    return name.startswith(RATES)


def is_of_particles(name: str) -> bool:
    """Tell whether a measure takes particles in correspondence, which a label map has not."""
    return name.startswith("particle_")


def has_cost(name: str) -> bool:
    """Tell whether a missed anatomy costs something in a measure of surfaces or particles.

    Nothing stands for the pieces of what was not segmented, and a mean shape lies in the span.
    """
    return not name.endswith(OF_RAW) and name != "span_distance"


def plain_name(name: str) -> str:
    """Take the ending off that says of or to which other surface a measure was taken."""
    return name.removesuffix(TO_PARTICLES).removesuffix(TO_MASK).removesuffix(OF_RAW)


def surface_dice_name(tolerance_mm: float) -> str:
    """Name the surface Dice at a tolerance."""
    return f"surface_dice_{tolerance_mm:g}mm"


def within_name(distance_mm: float) -> str:
    """Name the share of anatomies whose center is found within a distance."""
    return f"center_within_{distance_mm:g}mm"


@cache
def describe(name: str) -> Measure:
    """Look a measure up by its name in the tables.

    Raises:
        ValueError: If no such measure exists.
    """
    if name in _FIXED:
        return _FIXED[name]
    for ending, words in _OTHER_SURFACES.items():
        if name.startswith("surface_") and name.endswith(ending):
            known = describe(name.removesuffix(ending))
            return Measure(known.unit, f"{known.label} ({words})", known.better)
    if name.startswith("surface_dice_"):
        return Measure("1", f"surface Dice at {_distance(name)}", "high")
    if name.startswith("center_within_"):
        return Measure("1", f"center within {_distance(name)}", "high")
    raise ValueError(f"no measure is called {name!r}; massm.evaluate.measures lists them")


def _distance(name: str) -> str:
    return name.rpartition("_")[2].removesuffix("mm") + " mm"
