"""The stage that exports label maps: of whom, on which grid, and what it says is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from massm.io import images, tensors
from massm.io.cohort import AnatomyRecord, read_cohort, write_cohort
from massm.io.errors import DataError
from massm.io.tables import read_table
from massm.stages import tensors_labels
from massm.tensors.dataset import load_labels
from tests.toy_cohort import ANATOMIES, TENSORS, Cohort


@pytest.fixture(scope="module")
def cohort():
    return Cohort(train=4, validation=2)


@pytest.fixture
def results(cohort, tmp_path):
    """Tensors of the cohort, and a table of its masks."""
    cohort.write(tmp_path / "subjects")
    rows = []
    for subject, split in zip(cohort.subjects, cohort.splits, strict=True):
        for name, status in cohort.status[subject].items():
            path = tmp_path / "masks" / subject / f"{name}.nii.gz"
            images.write_image(cohort.mask(subject, name), path)
            rows.append(AnatomyRecord(subject, name, split, status, mask=path, source="mask"))
    write_cohort(rows, tmp_path / "cohort.tsv")
    return tmp_path


def run(results, subjects, anatomies=ANATOMIES):
    tensors_labels.run(
        TENSORS,
        anatomies=list(anatomies),
        subjects=list(subjects),
        cohort=results / "cohort.tsv",
        tensors_folder=results / "subjects",
        output=results / "labels",
        done=results / "label_batches/0000.tsv",
    )


def test_labels_lie_on_the_finest_grid_where_the_masks_are(results, cohort):
    run(results, cohort.subjects)
    for subject in ("t0", "t5"):
        labels = load_labels(results / f"labels/{subject}.safetensors", 3.0)
        held = tensors.load(results / f"subjects/{subject}.safetensors")
        assert labels.values.shape == held["fine"].shape
        np.testing.assert_allclose(labels.origin, held["fine_origin"], atol=1e-3)
        for row, name in enumerate(ANATOMIES):
            mask = cohort.mask(subject, name)
            points = mask.index_to_point(np.argwhere(mask.array)[:, ::-1].astype(float))
            found = labels.at(torch.from_numpy(points).float())
            assert (found == row + 1).float().mean() > 0.97
            voxels = int((labels.values == row + 1).sum())
            assert voxels == pytest.approx(int(mask.array.sum()), rel=0.05)


def test_an_absent_anatomy_is_known_to_be_nowhere_and_an_excluded_one_is_not_known(results, cohort):
    rows = read_cohort(results / "cohort.tsv")
    cut = [
        replace(row, status="excluded", reason="cut")
        if (row.subject, row.anatomy) == ("t1", "bright")
        else row
        for row in rows
    ]
    write_cohort(cut, results / "cohort.tsv")
    run(results, cohort.subjects)
    absent, excluded = (
        load_labels(results / f"labels/{name}.safetensors", 3.0) for name in ("t3", "t1")
    )
    assert absent.known.tolist() == [True, True]
    assert set(absent.values.unique().tolist()) == {0, 1}
    assert excluded.known.tolist() == [False, True]
    assert set(excluded.values.unique().tolist()) == {0, 2}


def test_a_network_grid_without_a_finer_one_is_labelled_itself(results, cohort):
    held = tensors.load(results / "subjects/t0.safetensors")
    coarse = {name: held[name] for name in held if not name.startswith("fine")}
    tensors.save(coarse, results / "subjects/t0.safetensors")
    plain = TENSORS.model_copy(update={"fine_spacing_mm": None})
    tensors_labels.run(
        plain,
        anatomies=list(ANATOMIES),
        subjects=["t0"],
        cohort=results / "cohort.tsv",
        tensors_folder=results / "subjects",
        output=results / "labels",
        done=results / "label_batches/0000.tsv",
    )
    labels = load_labels(results / "labels/t0.safetensors", 4.0)
    assert labels.values.shape == held["image"].shape
    voxels = float((labels.values == 1).sum()) * 64
    assert voxels == pytest.approx(float(cohort.mask("t0", "bright").array.sum()) * 27, rel=0.1)


def test_the_table_of_a_batch_holds_the_hash_of_each_file(results):
    run(results, ["t0", "t4"])
    first = read_table(results / "label_batches/0000.tsv")
    run(results, ["t0", "t4"])
    assert list(first.subject) == ["t0", "t4"]
    assert read_table(results / "label_batches/0000.tsv").equals(first)
    assert not (results / "labels/t1.safetensors").exists()


def test_labels_of_a_test_subject_are_not_exported(results):
    rows = [replace(row, split="test") if row.subject == "t4" else row for row in _rows(results)]
    write_cohort(rows, results / "cohort.tsv")
    with pytest.raises(DataError, match="t4 is of the split test: labels are exported of train"):
        run(results, ["t0", "t4"])
    assert not (results / "labels/t4.safetensors").exists()


def _rows(results):
    return read_cohort(results / "cohort.tsv")


def test_more_anatomies_than_a_byte_counts_are_refused(results):
    with pytest.raises(DataError, match="found 256 anatomies, expected 255"):
        run(results, ["t0"], [f"a{i}" for i in range(256)])
