"""The table of coverage: what radii promise, and what they hold of subjects that chose none."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from massm.evaluate.calibration import calibrate
from massm.evaluate.conformal import Coverage, Factors, measure_coverage
from massm.evaluate.scopes import ALL, ANATOMY
from massm.evaluate.statistics import Resampling
from massm.io.intervals import AnatomyIntervals, Intervals
from massm.io.residuals import Residuals

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Of the reliability curve, beside the one that is asked for."""
SHARE, WHOLE = "share", "whole"  # statements


class CoverageRow(NamedTuple):
    """One promise and how it was kept; the fields are the table's columns.

    Attributes:
        model: Name of the model.
        split: Of the subjects that were measured.
        scope: ``anatomy``, or ``all`` of them.
        anatomy: Name of the anatomy; empty for all.
        measure: ``share`` of an anatomy's particles within their radius, or ``whole`` anatomies.
        level: What is promised, 0 to 1.
        stated: Whether it is the level that was asked for.
        covered: What was found, 0 to 1; nan where nothing is promised.
        ci_low: Lower end of its interval.
        ci_high: Upper end.
        interval: How that was made.
        radius_mm: Mean radius of the particles; of all anatomies the mean over those measured.
        n: Anatomies of subjects.
        subjects: Number of subjects.
        calibrated: Calibration subjects that have the anatomy.
        calibration: In words, who they are.
        pooled: Whether factors are those of all anatomies together.
        note: Why nothing is promised, or what is to be known; empty if nothing is.
    """

    model: str
    split: str
    scope: str
    anatomy: str
    measure: str
    level: float
    stated: bool
    covered: float
    ci_low: float
    ci_high: float
    interval: str
    radius_mm: float
    n: int
    subjects: int
    calibrated: int
    calibration: str
    pooled: bool
    note: str


class _Structures(NamedTuple):
    """Anatomies of subjects that were measured.

    Attributes:
        scores: Distances over expected ones, of each.
        intervals: What is promised of each.
        subjects: Whose each is.
    """

    scores: list[np.ndarray]
    intervals: list[AnatomyIntervals]
    subjects: np.ndarray


def coverage_table(
    model: str,
    split: str,
    calibration: Residuals,
    measured: Residuals,
    stated: Intervals,
    how: Resampling,
) -> pd.DataFrame:
    """Measure the promises of one model, at its own level and at those of the curve.

    Levels of the curve that promise nothing have no row.

    Args:
        model: Its name.
        split: Of the subjects that are measured.
        calibration: Errors of the subjects that factors are chosen from.
        measured: Errors of others.
        stated: What was promised, made of ``calibration``.
        how: How intervals are made.
    """
    rows: list[CoverageRow] = []
    for level in sorted({stated.level, *LEVELS}):
        is_stated = level == stated.level
        promised = stated if is_stated else calibrate(calibration, level, stated.calibration)
        own = _rows(model, split, promised, measured, how)
        rows += [row._replace(stated=is_stated) for row in own if is_stated or row.n]
    return pd.DataFrame(rows, columns=list(CoverageRow._fields))


def _rows(
    model: str, split: str, intervals: Intervals, measured: Residuals, how: Resampling
) -> Iterator[CoverageRow]:
    single = {name: _structures(intervals, measured, [name]) for name in measured.anatomies}
    for name, found in single.items():
        own = intervals.anatomies[name]
        yield from (
            row._replace(calibrated=own.subjects, pooled=own.pooled, note=own.reason)
            for row in _of(model, split, ANATOMY, name, intervals, found, how)
        )
    if len(single) > 1:
        every = _structures(intervals, measured, measured.anatomies)
        yield from _of(model, split, ALL, "", intervals, every, how)


def _structures(intervals: Intervals, measured: Residuals, anatomies: Sequence[str]) -> _Structures:
    scores, promised, subjects = [], [], []
    for name in anatomies:
        column, own = measured.anatomies.index(name), intervals.anatomies[name]
        for row in np.flatnonzero(measured.known[:, column]):
            scores.append(measured.distance_mm[row, column] / own.spread_mm)
            promised.append(own)
            subjects.append(measured.subjects[row])
    return _Structures(scores, promised, np.array(subjects, dtype=np.str_))


def _of(
    model: str,
    split: str,
    scope: str,
    anatomy: str,
    intervals: Intervals,
    found: _Structures,
    how: Resampling,
) -> Iterator[CoverageRow]:
    factors = [Factors(one.whole, one.share, one.subjects) for one in found.intervals]
    coverage: Coverage = measure_coverage(found.scores, factors, found.subjects, how)
    radii = {
        SHARE: [one.share_mm for one in found.intervals],
        WHOLE: [one.whole_mm for one in found.intervals],
    }
    for measure, covered in ((SHARE, coverage.share), (WHOLE, coverage.whole)):
        means = [float(radius.mean()) for radius in radii[measure] if radius is not None]
        yield CoverageRow(
            *(model, split, scope, anatomy, measure, intervals.level, False),
            *(covered.rate, covered.interval.low, covered.interval.high, covered.interval.method),
            radius_mm=float(np.mean(means)) if means else float("nan"),
            n=covered.structures,
            subjects=covered.subjects,
            calibrated=0,
            calibration=intervals.calibration,
            pooled=False,
            note="",
        )
