"""Surfaces in another unit or frame than LPS millimeters: noticed, never turned silently.

A file of triangles does not say its unit. What can be told alone is a surface that no anatomy is as
small or as large as; with a CT, where it would lie and how many voxels it would hold; and over the
cohort, a volume that differs from the others by the cube of a unit.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from massm.config.dataset import SurveyConfig

UNITS = {"centimeters": 10.0, "meters": 1000.0, "inches": 25.4, "micrometers": 0.001}
_TURN = np.array([-1.0, -1.0, 1.0])  # from RAS to LPS
_FEWEST = 2  # others that a volume is compared with
_ALIKE = np.log(4)  # volumes of one anatomy differ by this factor at most, for this purpose
_SMALL_MM = 20.0  # longest side that few anatomies fall short of
_COMMON_MM = (5.0, 1000.0)  # longest side of anatomies, for the unit that is suspected


def extent_fault(vertices: Float[np.ndarray, "V 3"], config: SurveyConfig) -> str:
    """Say that a surface is smaller or larger than any anatomy in mm; empty if it is not."""
    side = float(np.ptp(vertices, axis=0).max())
    if config.min_extent_mm <= side <= config.max_extent_mm:
        return ""
    suspected = [name for name, mm in UNITS.items() if _COMMON_MM[0] <= side * mm <= _COMMON_MM[1]]
    guess = f"the file seems to be in {' or '.join(suspected[::-1])}; " if suspected else ""
    return (
        f"surface is {side:.3g} mm along its longest side, expected {config.min_extent_mm:g} to "
        f"{config.max_extent_mm:g} mm (dataset.min_extent_mm, max_extent_mm); {guess}"
        "export it in LPS millimeters"
    )


def small_note(vertices: Float[np.ndarray, "V 3"]) -> str:
    """Say that a surface is as small as few anatomies are; empty if it is not."""
    side = float(np.ptp(vertices, axis=0).max())
    if side >= _SMALL_MM:
        return ""
    return (
        f"surface is {side:.3g} mm along its longest side, smaller than most anatomies: is the "
        "file in millimeters?"
    )


def seems_to_be(
    vertices: Float[np.ndarray, "V 3"],
    suits: Callable[[Float[np.ndarray, "V 3"], float], bool],
) -> str:
    """Say in which frame or unit a surface would suit; empty if in none that is common.

    Args:
        vertices: As they are, which does not suit.
        suits: Whether such vertices do, and the factor they were made larger by.
    """
    if suits(vertices * _TURN, 1.0):
        return "with x and y negated it lies inside: the file seems to be RAS, not LPS"
    for unit, scale in UNITS.items():
        for turn, frame in ((1.0, ""), (_TURN, " and RAS")):
            if suits(vertices * scale * turn, scale):
                return f"times {scale:g} it lies inside: the file seems to be in {unit}{frame}"
    return ""


def other_units(
    anatomy: str, volumes_ml: Sequence[float], are_surfaces: Sequence[bool]
) -> dict[int, str]:
    """Find meshes whose volume differs from that of the others by the cube of a unit.

    Args:
        anatomy: Its name.
        volumes_ml: Its volume in each subject.
        are_surfaces: Whether each was measured of a mesh.

    Returns:
        By the place of each such mesh, why it cannot be used.
    """
    logs = np.log(np.clip(np.asarray(volumes_ml, float), 1e-12, None))
    faults = {}
    for place in np.flatnonzero(are_surfaces).tolist():
        others = np.delete(logs, place)
        if len(others) < _FEWEST:
            continue
        median = float(np.median(others))
        unit = _unit_between(float(logs[place]), median)
        if unit:
            faults[place] = (
                f"surface encloses {volumes_ml[place]:.3g} ml, the median of the other subjects' "
                f"{anatomy} is {np.exp(median):.3g} ml: the file seems to be in {unit}; export it "
                "in LPS millimeters"
            )
    return faults


def _unit_between(own: float, others: float) -> str:
    """Name the unit that makes a log volume like that of others; empty if it is, or none does."""
    apart = {unit: abs(own + 3 * np.log(mm) - others) for unit, mm in UNITS.items()}
    unit = min(apart, key=lambda name: apart[name])
    return unit if apart[unit] < _ALIKE else ""
