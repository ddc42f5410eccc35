"""Which evidence there is: what each number is, and which of its ends is unusual."""

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class EvidenceKind:
    """One number that tells something.

    Attributes:
        says: What it is, in words.
        sides: At which ends it is unusual.
        floor: Differences smaller than this mean nothing, in its unit.
        unit: Behind the number; may be empty.
    """

    says: str
    sides: Literal["low", "high", "both"]
    floor: float
    unit: str = ""


OF_ANATOMY = {
    "score": EvidenceKind("the model's score", "low", 0.05),
    "hu": EvidenceKind("mean inside of its surface", "both", 10.0, "HU"),
    "hu_spread": EvidenceKind("spread inside of its surface", "both", 10.0, "HU"),
    "contrast": EvidenceKind("contrast across its surface", "both", 10.0, "HU"),
    "agreement": EvidenceKind("agreement of its surface with what is seen there", "low", 0.03),
    "box": EvidenceKind("distance between the box found for it and its own", "high", 2.0, "mm"),
    "place": EvidenceKind("distance from where the other anatomies say it is", "high", 0.3, "SD"),
    "sides": EvidenceKind("way from its left or right twin, as a share of the usual", "low", 0.1),
    "mahalanobis": EvidenceKind("distance from the mean shape", "high", 0.5, "SD"),
    "volume": EvidenceKind("volume", "both", 0.0, "ml"),
}
"""Evidence of an anatomy that was found, in the order of the tables; logarithms of volumes."""

OF_SCAN = {
    "air": EvidenceKind("what the darkest 0.5 % of the scan lie below", "both", 30.0, "HU"),
    "peak": EvidenceKind("the most frequent value in the body", "both", 30.0, "HU"),
    "fat": EvidenceKind("share of the body with the HU of fat", "both", 0.1),
    "soft": EvidenceKind("share of the body with the HU of soft tissue", "both", 0.1),
    "bone": EvidenceKind("share of the body with the HU of bone", "both", 0.05),
    "grain": EvidenceKind("difference of neighboring voxels", "both", 3.0, "HU"),
    "found": EvidenceKind("share of the anatomies that were found", "low", 0.25),
}
"""Evidence of a whole scan."""

_LOGARITHMIC = "volume"
_LEAST_FACTOR = 1.1  # volumes that differ less are alike


def floor_of(name: str) -> float:
    """Return the difference below which values of an evidence are alike, as tables hold them."""
    if name == _LOGARITHMIC:
        return float(np.log(_LEAST_FACTOR))
    return (OF_ANATOMY | OF_SCAN)[name].floor


def in_unit(name: str, value: float) -> float:
    """Write a value of the tables in the evidence's unit."""
    return float(np.exp(value)) if name == _LOGARITHMIC else value


def shown(name: str, value: float) -> str:
    """Write a value as people read it."""
    evidence = (OF_ANATOMY | OF_SCAN)[name]
    number = in_unit(name, value)
    text = f"{number:.0f}" if evidence.unit == "HU" else f"{number:.2g}"
    if abs(number) >= 100:  # no exponents
        text = f"{number:.0f}"
    return f"{text} {evidence.unit}".rstrip()
