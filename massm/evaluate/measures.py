"""The measures by name: unit, label, and which way is better."""

from dataclasses import dataclass
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


_FIXED = {
    "particle_rmse": Measure("mm", "particle RMSE (mean of the axes)", "low"),
    "particle_rmse_x": Measure("mm", "particle RMSE, x", "low"),
    "particle_rmse_y": Measure("mm", "particle RMSE, y", "low"),
    "particle_rmse_z": Measure("mm", "particle RMSE, z", "low"),
    "particle_euclidean": Measure("mm", "particle error (Euclidean)", "low"),
    "surface_mean": Measure("mm", "surface distance, mean", "low"),
    "surface_p95": Measure("mm", "surface distance, 95th percentile", "low"),
    "surface_hausdorff": Measure("mm", "Hausdorff distance", "low"),
    "dice": Measure("1", "Dice", "high"),
    "center_error": Measure("mm", "center error", "low"),
    "box_iou": Measure("1", "box IoU", "high"),
    "missed": Measure("1", "missed", "low"),
    "false_positive": Measure("1", "false positive", "low"),
    "presence": Measure("1", "present in truth", "neither"),
    "score": Measure("1", "detection score", "neither"),
    "presence_auroc": Measure("1", "presence AUROC", "high"),
}
_PARTICLES = "_particles"  # ending of measures against the surface from true particles


def surface_dice_name(tolerance_mm: float) -> str:
    """Name the surface Dice at a tolerance."""
    return f"surface_dice_{tolerance_mm:g}mm"


def within_name(distance_mm: float) -> str:
    """Name the share of organs whose center is found within a distance."""
    return f"center_within_{distance_mm:g}mm"


def describe(name: str) -> Measure:
    """Look a measure up by its name in the tables.

    Raises:
        ValueError: If no such measure exists.
    """
    if name in _FIXED:
        return _FIXED[name]
    if name.startswith("surface_") and name.endswith(_PARTICLES):
        known = describe(name.removesuffix(_PARTICLES))
        return Measure(known.unit, f"{known.label} (to true particles' surface)", known.better)
    if name.startswith("surface_dice_"):
        return Measure("1", f"surface Dice at {_distance(name)}", "high")
    if name.startswith("center_within_"):
        return Measure("1", f"center within {_distance(name)}", "high")
    raise ValueError(f"no measure is called {name!r}; massm.evaluate.measures lists them")


def _distance(name: str) -> str:
    return name.rpartition("_")[2].removesuffix("mm") + " mm"
