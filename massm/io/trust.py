"""What is usual of a model's predictions: ``trust/{model}/trust.npz``.

The model folder has the same file. Quantile tables stand for the subjects, and no name is in it;
the ends of a table are the values of one subject each.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes, refuse_other_types

SCHEMA = 1
_SHAPES = {
    **dict.fromkeys(("schema", "subjects", "false_alarms", "calibration", "red"), ""),
    **dict.fromkeys(("anatomies", "found", "amber"), "K"),
    "evidence": "E",
    "quantiles": "K E Q",
    "scan_evidence": "S",
    "scan_quantiles": "S Q",
    "scan_amber": "",
    "scan_red": "",
    "place_mean": "K K 3",
    "place_covariance": "K K 3 3",
}
_KINDS = {  # others are numbers with a fraction
    **dict.fromkeys(("calibration", "anatomies", "evidence", "scan_evidence"), "U"),
    **dict.fromkeys(("schema", "subjects", "found"), "i"),
}
_ADVICE = "make it anew (snakemake trust), or take the whole model folder from where it came"


@dataclass(frozen=True)
class TrustTables:
    """Values of each evidence over subjects that a model did not learn from.

    Quantiles are at equally spaced probabilities from 0 to 1; nan where too few subjects have a
    value.

    Attributes:
        subjects: How many there were.
        false_alarms: Share of usual scans of which something may be called red, 0 to 1.
        calibration: In words, who the subjects are.
        anatomies: Those of the model.
        found: In how many subjects each was found.
        evidence: Names of what is known of an anatomy.
        quantiles: Of each anatomy and evidence.
        amber: Strangeness of each anatomy from which on it is amber; infinite: never.
        scan_evidence: Names of what is known of the whole scan.
        scan_quantiles: Of each.
        scan_amber: Strangeness of the scan from which on it is amber; infinite: never.
        scan_red: And from which on it is red.
        red: Strangeness from which on an anatomy is red; infinite: never, for want of subjects.
        place_mean: From the center of the second anatomy to that of the first, mean over the
            training subjects, LPS mm; nan where too few have both.
        place_covariance: Of the same, mm^2.
    """

    subjects: int
    false_alarms: float
    calibration: str
    anatomies: tuple[str, ...]
    found: Int[np.ndarray, " K"]
    evidence: tuple[str, ...]
    quantiles: Float[np.ndarray, "K E Q"]
    amber: Float[np.ndarray, " K"]
    scan_evidence: tuple[str, ...]
    scan_quantiles: Float[np.ndarray, "S Q"]
    scan_amber: float
    scan_red: float
    red: float
    place_mean: Float[np.ndarray, "K K 3"]
    place_covariance: Float[np.ndarray, "K K 3 3"]

    @property
    def is_empty(self) -> bool:
        """Whether there were too few subjects to say anything, of a scan or of an anatomy."""
        return not (np.isfinite(self.red) or np.isfinite(self.scan_red))


def write_trust(tables: TrustTables, path: Path) -> None:
    """Write the tables, whole or not at all."""
    arrays = {"schema": np.array(SCHEMA)}
    for name in _SHAPES:
        if name != "schema":
            value = getattr(tables, name)
            arrays[name] = np.array(value, dtype=np.str_ if _KINDS.get(name) == "U" else None)
    save_arrays(arrays, path)


def read_trust(path: Path) -> TrustTables:
    """Read what :func:`write_trust` wrote.

    Raises:
        DataError: If the file is damaged, something else, or of another version.
    """
    arrays = load_arrays(path)
    refuse_other_shapes(arrays, _SHAPES, path, _ADVICE)
    refuse_other_types(arrays, _KINDS, SCHEMA, path, _ADVICE)
    anatomies, evidence, scan_evidence = (
        tuple(str(word) for word in arrays[name])
        for name in ("anatomies", "evidence", "scan_evidence")
    )
    return TrustTables(
        subjects=int(arrays["subjects"]),
        false_alarms=float(arrays["false_alarms"]),
        calibration=str(arrays["calibration"]),
        anatomies=anatomies,
        found=arrays["found"],
        evidence=evidence,
        quantiles=arrays["quantiles"],
        amber=arrays["amber"],
        scan_evidence=scan_evidence,
        scan_quantiles=arrays["scan_quantiles"],
        scan_amber=float(arrays["scan_amber"]),
        scan_red=float(arrays["scan_red"]),
        red=float(arrays["red"]),
        place_mean=arrays["place_mean"],
        place_covariance=arrays["place_covariance"],
    )
