"""Reading what the other stages wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from massm.config.joint import JointConfig
from massm.io.damage import named
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.particles import load_arrays
from massm.io.tables import read_table
from massm.pdm.joint.model import JointModel
from massm.report.run.timing import stage_costs


@dataclass(frozen=True)
class JointResults:
    """What the joint model of several anatomies left behind in ``correspond_joint``.

    Attributes:
        pose: Whether it relates where the anatomies lie, or their shapes alone.
        model: ``model.npz``.
        scores: ``scores.csv``.
        quality: ``quality.json``.
    """

    pose: bool
    model: JointModel
    scores: pd.DataFrame
    quality: dict[str, Any]


@dataclass(frozen=True)
class RunTables:
    """The tables of a run.

    Attributes:
        results: The results folder.
        anatomies: In the order of the config.
        subjects: ``dataset/subjects.tsv``.
        cohort: ``dataset/cohort.tsv``.
        groomed: Rows of all batches of ``groom/index``.
        unaligned: Why a structure (subject, anatomy) could not be aligned.
        values: Measures of single structures, all models and frames.
        summary: ``evaluate/summary.csv``.
        tests: ``evaluate/tests.csv``.
        claims: ``evaluate/claims.csv``: held or not.
        attrition: ``evaluate/anatomies.csv``: what was excluded, missed, measured.
        quality: ``correspond/{anatomy}/quality.json`` by anatomy.
        curves: ``correspond/{anatomy}/curves.csv`` of all anatomies, with a column ``anatomy``.
        histories: ``curves.csv`` of each network, by ``{model}`` or ``{model}/{part}``.
        joint: Joint model of several anatomies; None where the config names none.
        costs: Time and memory of each stage; empty where nothing was measured.
        coverage: ``evaluate/coverage.csv``: what radii hold; None where no model has intervals.
    """

    results: Path
    anatomies: tuple[str, ...]
    subjects: pd.DataFrame
    cohort: pd.DataFrame
    groomed: pd.DataFrame
    unaligned: dict[tuple[str, str], str]
    values: pd.DataFrame
    summary: pd.DataFrame
    tests: pd.DataFrame
    claims: pd.DataFrame
    attrition: pd.DataFrame
    quality: dict[str, dict[str, Any]]
    curves: pd.DataFrame
    histories: dict[str, pd.DataFrame]
    joint: JointResults | None
    costs: pd.DataFrame
    coverage: pd.DataFrame | None


def read_run(
    results: Path,
    anatomies: tuple[str, ...],
    *,
    groomed: Sequence[Path],
    training: Sequence[Path],
    measured: Sequence[Path],
    joint: JointConfig,
    coverage: Path | None = None,
) -> RunTables:
    """Read the tables of a run.

    Args:
        results: The results folder.
        anatomies: In the order of the config.
        groomed: Tables of the groomed batches.
        training: ``train/{model}/curves.csv`` of every trained model.
        measured: Long tables of every model and frame.
        joint: Of the joint model; it is read if anatomies are named.
        coverage: Table of what radii hold; None where no model has intervals.

    Raises:
        DataError: If a stage that the report needs has not been run.
    """
    curves = {name: _needed(results / "correspond" / name / "curves.csv") for name in anatomies}
    return RunTables(
        results=results,
        anatomies=anatomies,
        subjects=_needed(results / "dataset" / "subjects.tsv"),
        cohort=_needed(results / "dataset" / "cohort.tsv"),
        groomed=read_together(groomed),
        unaligned={
            (subject, name): reason
            for name in anatomies
            for subject, reason in _alignment(results, name)["failed"].items()
        },
        values=read_together(measured),
        summary=_needed(results / "evaluate" / "summary.csv"),
        tests=_needed(results / "evaluate" / "tests.csv"),
        claims=_needed(results / "evaluate" / "claims.csv"),
        attrition=_needed(results / "evaluate" / "anatomies.csv"),
        quality={
            name: read_json(results / "correspond" / name / "quality.json") for name in anatomies
        },
        curves=pd.concat(
            [table.assign(anatomy=name) for name, table in curves.items()], ignore_index=True
        ),
        histories={
            path.parent.relative_to(results / "train").as_posix(): _needed(path)
            for path in training
        },
        joint=_joint(results / "correspond_joint", joint) if joint.anatomies else None,
        costs=stage_costs(results / "benchmarks"),
        coverage=None if coverage is None else _needed(coverage),
    )


def groomed_surfaces(run: RunTables) -> dict[tuple[str, str], Path]:
    """Find the groomed segmentations' surfaces by subject and anatomy."""
    done = run.groomed[run.groomed["status"] == "groomed"]
    return {
        (str(row.subject), str(row.anatomy)): run.results / str(row.surface)
        for row in done.itertuples()
    }


def _joint(folder: Path, config: JointConfig) -> JointResults:
    path = folder / "model.npz"
    arrays = load_arrays(path)
    with named(path, "not a joint model", "run correspond_joint again"):
        model = JointModel.from_arrays(arrays)
    return JointResults(
        config.pose,
        model,
        read_table(folder / "scores.csv"),
        read_json(folder / "quality.json"),
    )


def _alignment(results: Path, anatomy: str) -> dict[str, Any]:
    document: dict[str, Any] = read_json(results / "groom" / "alignment" / f"{anatomy}.json")
    return document


def _needed(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path} is missing: run the stage {path.parent.name} before the report")
    return read_table(path)


def read_together(paths: Sequence[Path]) -> pd.DataFrame:
    """Read tables of the same columns as one.

    Raises:
        DataError: If one is missing, or none has a row.
    """
    tables = [table for table in map(_needed, paths) if not table.empty]
    if not tables:
        raise DataError(f"none of these tables has a row: {', '.join(map(str, paths))}")
    return pd.concat(tables, ignore_index=True)
