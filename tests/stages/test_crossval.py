"""The stages of a cross-validation: folds, a fold's tables, and all folds as one."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from massm.config.crossval import CrossvalConfig
from massm.config.loading import load_config, read_yaml
from massm.evaluate.rows import COLUMNS
from massm.io.cohort import (
    AnatomyRecord,
    GroomRecord,
    SubjectRecord,
    read_cohort,
    read_groomed,
    read_subject_table,
    write_cohort,
    write_groomed,
    write_subject_table,
)
from massm.io.crossval import read_folds, read_out_of_fold
from massm.io.errors import DataError
from massm.io.tables import read_table, write_table
from massm.stages import (
    crossval_config,
    crossval_folds,
    crossval_summary,
    crossval_table,
    fold_cohort,
    fold_groomed,
    fold_index,
)

ROOT = Path(__file__).parents[2]
SPLITS = ["train"] * 4 + ["validation"] * 2 + ["test"]


@pytest.fixture
def whole(tmp_path):
    """Tables of a whole run of seven subjects and one anatomy, of which s1 has no surface."""
    results = tmp_path / "whole"
    subjects = [SubjectRecord(f"s{n}", split, "used", "") for n, split in enumerate(SPLITS)]
    write_subject_table(subjects, results / "dataset/subjects.tsv")
    anatomies = [AnatomyRecord(one.subject, "liver", one.split, "used") for one in subjects]
    write_cohort(anatomies, results / "dataset/cohort.tsv")
    groomed = [
        GroomRecord(one.subject, "liver", one.split, "failed", "empty")
        if one.subject == "s1"
        else GroomRecord(
            *(one.subject, "liver", one.split, "groomed", ""),
            surface=Path(f"groom/surfaces/{one.subject}/liver.vtp"),
        )
        for one in subjects
    ]
    write_groomed(groomed[:4], results / "groom/index/0000.tsv")
    write_groomed(groomed[4:], results / "groom/index/0001.tsv")
    crossval_folds.run(
        CrossvalConfig(folds=2, folds_made=None, seed=0, models=None),
        subjects=results / "dataset/subjects.tsv",
        cohort=results / "dataset/cohort.tsv",
        folds=results / "crossval/folds.tsv",
    )
    return results


def test_a_fold_takes_cohort_and_surfaces_of_the_whole_run(whole):
    fold, table = whole / "crossval/fold_2", whole / "crossval/folds.tsv"
    fold_cohort.run(
        number=2,
        folds=table,
        whole_subjects=whole / "dataset/subjects.tsv",
        whole_cohort=whole / "dataset/cohort.tsv",
        subjects=fold / "dataset/subjects.tsv",
        cohort=fold / "dataset/cohort.tsv",
    )
    left = {one.subject for one in read_folds(table) if one.fold == 2}
    rows = read_subject_table(fold / "dataset/subjects.tsv")
    assert {one.subject for one in rows} == {f"s{n}" for n in range(6)}
    assert {one.subject for one in rows if one.split == "test"} == left
    cohort = read_cohort(fold / "dataset/cohort.tsv")
    assert {one.subject for one in cohort if one.split == "test"} == left

    index = fold / "groom/index/0000.tsv"
    fold_groomed.run(
        number=2,
        subjects=["s0", "s1", "s4"],
        folds=table,
        groomed=sorted((whole / "groom/index").glob("*.tsv")),
        of=whole,
        results=fold,
        index=index,
    )
    first, second, third = read_groomed([index])
    assert [one.subject for one in (first, second, third)] == ["s0", "s1", "s4"]
    assert second.surface is None
    assert third.surface_in(fold).resolve() == whole / "groom/surfaces/s4/liver.vtp"
    assert (first.split == "test") == ("s0" in left)


def test_the_configuration_of_a_fold_can_be_read_again(tmp_path):
    config = load_config(read_yaml(ROOT / "config.yaml"))
    names = [*config.models, "taken_out"]
    crossval_config.run(config, number=3, names=names, output=tmp_path / "fold_3/config.json")
    values = json.loads((tmp_path / "fold_3/config.json").read_text(encoding="utf-8"))
    assert values["models"]["unet"] is None  # Snakemake lays these values over config.yaml
    assert values["models"]["taken_out"] is None
    assert load_config(values).fold.number == 3


@pytest.fixture
def folds(whole):
    """What two folds predicted and measured: in the second one subject was missed."""
    for number in (1, 2):
        fold = whole / f"crossval/fold_{number}"
        names = sorted(
            one.subject for one in read_folds(whole / "crossval/folds.tsv") if one.fold == number
        )
        (fold / "predict/massm").mkdir(parents=True)
        for name in names:
            (fold / f"predict/massm/{name}.npz").write_bytes(name.encode())
        found = names[1:] if number == 2 else names
        rows = [
            ("massm", "local", name, "liver", "test", measure, float(number))
            for name in found
            for measure in ("surface_mean", "particle_rmse")
        ]
        rows += [
            ("massm", "detection", name, "liver", "test", "missed", float(name not in found))
            for name in names
        ]
        write_table(pd.DataFrame(rows, columns=COLUMNS), fold / "evaluate/massm/local.csv")
        missed = [
            ("massm", "local", name, "liver", "test", "surface_mean", 50.0)
            for name in set(names) - set(found)
        ]
        missed.append(("unet", "local", names[0], "liver", "test", "surface_mean", 60.0))
        write_table(pd.DataFrame(missed, columns=COLUMNS), fold / "evaluate/missed.csv")
        fold_index.run(
            number=number,
            models=["massm"],
            predicted=[fold / "predict/massm"],
            measured=[fold / "evaluate/massm/local.csv", fold / "evaluate/missed.csv"],
            of=whole,
            index=fold / "out_of_fold.tsv",
        )
    return whole


def summarize(results):
    folder = results / "crossval"
    parts = [folder / f"fold_{number}" for number in (1, 2)]
    for name in ("massm/local", "missed"):
        tables = [part / "evaluate" / f"{name}.csv" for part in parts]
        crossval_table.run(folds=tables, table=folder / f"{name}.csv")
    config = load_config(read_yaml(ROOT / "config.yaml"))
    crossval_summary.run(
        config.evaluate,
        measured=[folder / "massm/local.csv"],
        missed=folder / "missed.csv",
        folds=[part / "out_of_fold.tsv" for part in parts],
        models=["massm"],
        bounds=[],
        summary=folder / "summary.csv",
        tests=folder / "tests.csv",
        predictions=folder / "predictions.tsv",
    )
    return folder


def test_all_folds_become_one_table_and_one_summary(folds):
    folder = summarize(folds)
    rows = read_table(folder / "summary.csv").set_index(["scope", "measure", "counting"])
    found = rows.loc["anatomy", "surface_mean", "found"]
    assert (found["split"], found["n"], found["missed"]) == ("out of fold", 5, 1)
    assert found["mean"] == pytest.approx(np.mean([1, 1, 1, 2, 2]))
    counted = rows.loc["anatomy", "surface_mean", "with_missed"]
    assert counted["mean"] == pytest.approx(np.mean([1, 1, 1, 2, 2, 50]))
    assert set(rows["model"]) == {"massm"}  # unet was made to be read, and nobody asked for it
    assert read_table(folder / "tests.csv").empty
    records = read_out_of_fold(folder / "predictions.tsv")
    assert sorted(one.subject for one in records) == [f"s{n}" for n in range(6)]
    for one in records:
        assert (folds / one.prediction).read_bytes() == one.subject.encode()
        assert f"fold_{one.fold}" in str(one.prediction)


def test_the_index_is_another_when_a_measure_is(folds):
    """Else Snakemake would take the joined tables for made, as the predictions are the same."""
    fold = folds / "crossval/fold_1"
    before = read_out_of_fold(fold / "out_of_fold.tsv")
    measured = [fold / "evaluate/massm/local.csv", fold / "evaluate/missed.csv"]
    write_table(read_table(measured[0]).assign(value=7.0), measured[0])
    predicted, index = [fold / "predict/massm"], fold / "out_of_fold.tsv"
    fold_index.run(
        number=1, models=["massm"], predicted=predicted, measured=measured, of=folds, index=index
    )
    after = read_out_of_fold(index)
    assert [one.sha256 for one in after] == [one.sha256 for one in before]
    assert {one.measured for one in after}.isdisjoint(one.measured for one in before)


def test_without_any_measure_it_says_so(folds):
    for number in (1, 2):
        empty = pd.DataFrame(columns=COLUMNS)
        write_table(empty, folds / f"crossval/fold_{number}/evaluate/massm/local.csv")
    with pytest.raises(DataError, match="nothing was measured"):
        summarize(folds)
