"""Measures of many masks as a file: ``audit/measures/{batch}.npz``."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from massm.audit.measures import MaskMeasures
from massm.io.damage import named
from massm.io.particles import load_arrays, save_arrays

_ADVICE = "remove it, and it is made again"


@dataclass(frozen=True)
class MeasuredMask:
    """A mask and what was measured of it.

    Attributes:
        subject: Its subject.
        anatomy: Its anatomy.
        measures: None if it could not be read.
        fault: Why not; empty if it could.
    """

    subject: str
    anatomy: str
    measures: MaskMeasures | None
    fault: str = ""


def write_measures(measured: Sequence[MeasuredMask], path: Path) -> None:
    """Write the measures of a batch, and of what could not be measured the fault."""
    arrays = {
        name: np.array([getattr(one, name) for one in measured], np.str_)
        for name in ("subject", "anatomy", "fault")
    }
    there = [one.measures for one in measured if one.measures is not None]
    if there:
        for field in fields(MaskMeasures):
            arrays[f"of_{field.name}"] = np.array([getattr(one, field.name) for one in there])
        arrays["of_around"] = arrays["of_around"].astype(np.float32)
    save_arrays(arrays, path)


def read_measures(path: Path) -> list[MeasuredMask]:
    """Read what :func:`write_measures` wrote.

    Raises:
        DataError: If the file is damaged.
    """
    arrays = load_arrays(path)
    with named(path, "no measures of masks", _ADVICE):
        faults = arrays["fault"].tolist()
        keys = zip(arrays["subject"].tolist(), arrays["anatomy"].tolist(), faults, strict=True)
        rows = iter(range(len(faults)))
        return [
            MeasuredMask(subject, anatomy, None if fault else _row(arrays, next(rows)), fault)
            for subject, anatomy, fault in keys
        ]


def _row(arrays: dict[str, np.ndarray], row: int) -> MaskMeasures:
    values = {field.name: arrays[f"of_{field.name}"][row] for field in fields(MaskMeasures)}
    for name in ("volume_ml", "shared"):
        values[name] = float(values[name])
    values["shared_with"] = str(values["shared_with"])
    values["around"] = values["around"].astype(float)
    return MaskMeasures(**values)
