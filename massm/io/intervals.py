"""Radii that hold true surfaces with a stated coverage: ``intervals/{model}/intervals.npz``.

The model folder has the same file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes, refuse_other_types

SCHEMA = 1
_SHAPES = {
    **dict.fromkeys(("schema", "level", "calibration"), ""),
    **dict.fromkeys(("anatomies", "subjects", "missed", "pooled", "share", "whole", "reason"), "K"),
    "spread_mm": "K M",
}
_KINDS = {  # others are numbers with a fraction
    **dict.fromkeys(("calibration", "anatomies", "reason"), "U"),
    **dict.fromkeys(("schema", "subjects", "missed"), "i"),
    "pooled": "b",
}
_ADVICE = "make it anew (snakemake intervals), or take the whole model folder from where it came"


@dataclass(frozen=True)
class AnatomyIntervals:
    """What is promised of one anatomy.

    Attributes:
        spread_mm: Expected distance of each particle from the true surface, mm; nan where nothing
            is promised.
        share: What it is multiplied by, so that a share ``level`` of the anatomy's particles lies
            within; infinite: not promised.
        whole: The same, so that all of its particles do with a chance of ``level``.
        subjects: Calibration subjects that have the anatomy.
        missed: In how many of them it was missed, which counts as outside of any radius.
        pooled: Whether factors are those of all anatomies together, for want of subjects.
        reason: Why something is not promised; empty if all is.
    """

    spread_mm: Float[np.ndarray, " M"]
    share: float
    whole: float
    subjects: int
    missed: int
    pooled: bool
    reason: str

    @property
    def share_mm(self) -> Float[np.ndarray, " M"] | None:
        """Radius of each particle for the share of them, mm; None: not promised."""
        return self.share * self.spread_mm if math.isfinite(self.share) else None

    @property
    def whole_mm(self) -> Float[np.ndarray, " M"] | None:
        """Radius of each particle for all of them, mm; None: not promised."""
        return self.whole * self.spread_mm if math.isfinite(self.whole) else None


@dataclass(frozen=True)
class Intervals:
    """What is promised of a model's particles.

    Attributes:
        level: Coverage, 0 to 1.
        calibration: In words, whose errors decide.
        anatomies: Of each anatomy.
    """

    level: float
    calibration: str
    anatomies: Mapping[str, AnatomyIntervals]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is promised of any anatomy."""
        return all(one.share_mm is None and one.whole_mm is None for one in self.anatomies.values())

    @property
    def reason(self) -> str:
        """Why something is not promised of one of the anatomies; empty if all is."""
        return "; ".join(sorted({one.reason for one in self.anatomies.values() if one.reason}))


def write_intervals(intervals: Intervals, path: Path) -> None:
    """Write them, whole or not at all."""
    rows = intervals.anatomies.values()
    arrays = {
        "schema": np.array(SCHEMA),
        "level": np.array(intervals.level),
        "calibration": np.array(intervals.calibration, dtype=np.str_),
        "anatomies": np.array(list(intervals.anatomies), dtype=np.str_),
        "subjects": np.array([one.subjects for one in rows], dtype=np.int64),
        "missed": np.array([one.missed for one in rows], dtype=np.int64),
        "pooled": np.array([one.pooled for one in rows], dtype=bool),
        "share": np.array([one.share for one in rows], dtype=float),
        "whole": np.array([one.whole for one in rows], dtype=float),
        "reason": np.array([one.reason for one in rows], dtype=np.str_),
        "spread_mm": np.stack([one.spread_mm for one in rows]),
    }
    save_arrays(arrays, path)


def read_intervals(path: Path) -> Intervals:
    """Read what :func:`write_intervals` wrote.

    Raises:
        DataError: If the file is damaged, something else, or of another version.
    """
    arrays = load_arrays(path)
    refuse_other_shapes(arrays, _SHAPES, path, _ADVICE)
    refuse_other_types(arrays, _KINDS, SCHEMA, path, _ADVICE)
    finite = np.isfinite(arrays["share"]) | np.isfinite(arrays["whole"])
    spread = arrays["spread_mm"]
    if not (np.isfinite(spread[finite]) & (spread[finite] > 0)).all():
        raise DataError(f"{path}: spread_mm holds what is no length; {_ADVICE}")
    return Intervals(
        level=float(arrays["level"]),
        calibration=str(arrays["calibration"]),
        anatomies={
            str(name): AnatomyIntervals(
                spread_mm=spread[row],
                share=float(arrays["share"][row]),
                whole=float(arrays["whole"][row]),
                subjects=int(arrays["subjects"][row]),
                missed=int(arrays["missed"][row]),
                pooled=bool(arrays["pooled"][row]),
                reason=str(arrays["reason"][row]),
            )
            for row, name in enumerate(arrays["anatomies"])
        },
    )
