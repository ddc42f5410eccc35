"""Planted faults are first, and named."""

import numpy as np
import pytest

from massm.audit.files import MeasuredMask, read_measures, write_measures
from massm.audit.measures import DIRECTIONS
from massm.audit.prediction import predicted_mask
from massm.audit.ranking import COLUMNS, rank
from massm.geometry.isosurface import isosurface
from tests.audit.scans import Scans, ball


@pytest.fixture(scope="module")
def planted():
    """Faults: s3 left and right exchanged, s7 top moved, s11 bottom cut, s15 top twice as wide."""
    scans = Scans()
    left, right = (scans.masks["s3"][name].array for name in ("left", "right"))
    scans.replace("s3", "left", right)
    scans.replace("s3", "right", left)
    scans.replace("s7", "top", np.roll(scans.masks["s7"]["top"].array, 7, axis=2))
    cut = scans.masks["s11"]["bottom"].array.copy()
    cut[7:] = False
    scans.replace("s11", "bottom", cut)
    return rank(scans.measured(), {})


def test_planted_faults_are_first(planted):
    first = set(zip(planted.subject[:4], planted.anatomy[:4], strict=True))
    assert first == {("s3", "left"), ("s3", "right"), ("s7", "top"), ("s11", "bottom")}
    assert list(planted["rank"]) == list(range(1, 81))
    assert list(planted.columns) == list(COLUMNS)


def reason(table, subject, anatomy):
    return table[(table.subject == subject) & (table.anatomy == anatomy)].reason.item()


def test_reasons_name_what_was_done(planted):
    assert "left and right exchanged with right" in reason(planted, "s3", "left")
    assert "mm to the left of" in reason(planted, "s7", "top")
    assert "top" in reason(planted, "s11", "bottom")


def test_masks_are_ranked_without_images_and_with_anatomies_missing():
    scans = Scans()
    scans.replace("s5", "left", ball(np.array([50.0, 30, 30]), 13.0))
    for subject in ("s1", "s2"):
        del scans.masks[subject]["left"]
    table = rank(scans.measured(imaged=False), {})
    assert tuple(table.loc[0, ["subject", "anatomy"]]) == ("s5", "left")
    assert table.sight.isna().all()
    assert len(table) == 78


def test_an_anatomy_of_few_subjects_is_said_to_be_too_rare():
    scans = Scans(10)
    for number in range(5):
        del scans.masks[f"s{number}"]["top"]
    table = rank(scans.measured(imaged=False), {})
    rare = table[table.anatomy == "top"]
    assert rare["rank"].isna().all()
    assert set(rare.reason) == {"not compared: 5 subjects have top, too few to say what is usual"}


def test_a_cohort_of_two_is_not_ranked_at_all():
    table = rank(Scans(2).measured(), {})
    assert table["rank"].isna().all()
    assert len(table) == 8


def test_a_mask_far_from_its_prediction_is_more_suspicious():
    scans = Scans(12)
    near = {
        (subject, "top"): predicted_mask(1.0 + 0.01 * n, None)
        for n, subject in enumerate(scans.masks)
    }
    far = {("s4", "top"): predicted_mask(9.0, None)}
    table = rank(scans.measured(imaged=False), near | far)
    assert "lies 9.0 mm from its prediction, usual are 1.1" in reason(table, "s4", "top")
    assert table.ends.isna().all()


def test_a_mask_that_ends_short_of_its_prediction_is_named():
    scans = Scans()
    said = {
        (subject, name): predicted_mask(1.0, isosurface(mask.with_array(mask.array * 1.0), 0.5))
        for subject, masks in scans.masks.items()
        for name, mask in masks.items()
        if name != "left"
    }
    whole = rank(scans.measured(imaged=False), said)
    cut = scans.masks["s6"]["bottom"].array.copy()
    cut[:, :, int(np.quantile(np.nonzero(cut)[2], 0.67)) :] = False
    scans.replace("s6", "bottom", cut)
    table = rank(scans.measured(imaged=False), said)
    assert tuple(table.loc[0, ["subject", "anatomy"]]) == ("s6", "bottom")
    row = table.iloc[0]
    assert row.ends > 4
    assert table[table.anatomy == "left"].ends.isna().all()
    assert whole[(whole.subject == "s6") & (whole.anatomy == "bottom")].ends.item() < 1.5


def test_a_prediction_that_ends_earlier_is_named():
    scans = Scans()
    said = {
        (subject, "top"): predicted_mask(1.0, isosurface(mask.with_array(mask.array * 1.0), 0.5))
        for subject, masks in scans.masks.items()
        for mask in [masks["top"]]
    }
    said["s6", "top"] = said["s6", "top"]._replace(
        ends=said["s6", "top"].ends - 8 * np.maximum(DIRECTIONS[:, 2], 0)
    )
    table = rank(scans.measured(imaged=False), said)
    assert tuple(table.loc[0, ["subject", "anatomy"]]) == ("s6", "top")
    assert "mm farther than its prediction at the top" in reason(table, "s6", "top")


def test_what_cannot_be_read_keeps_its_reason_through_the_file(tmp_path):
    measured = [*Scans(2).measured(), MeasuredMask("s9", "top", None, "damaged")]
    write_measures(measured, tmp_path / "0000.npz")
    found = read_measures(tmp_path / "0000.npz")
    assert [(one.subject, one.anatomy) for one in found] == [
        (one.subject, one.anatomy) for one in measured
    ]
    np.testing.assert_allclose(found[3].measures.support, measured[3].measures.support)
    assert rank(found, {}).reason.iloc[-1] == "not compared: damaged"
