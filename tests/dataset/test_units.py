"""A mesh whose volume differs from the others' by the cube of a unit is in that unit."""

import pytest

from massm.dataset.survey import tabulate
from massm.dataset.units import other_units
from tests.dataset.cohorts import dataset_config
from tests.dataset.test_survey import checked


def faults(volumes, are_surfaces=None):
    return other_units("spleen", list(map(float, volumes)), are_surfaces or [True] * len(volumes))


@pytest.mark.parametrize(
    ("volume", "unit"),
    [(0.25, "centimeters"), (0.1, "centimeters"), (2.5e-7, "meters"), (0.015, "inches")],
)
def test_one_file_in_another_unit_is_refused_by_name(volume, unit):
    found = faults([180, 250, 310, volume])
    assert list(found) == [3]
    assert f"seems to be in {unit}" in found[3]
    assert "the other subjects' spleen is 250 ml" in found[3]


def test_organs_as_different_as_people_are_stay():
    assert not faults([30, 250, 400, 900, 8])


def test_masks_are_not_judged_but_compared_with():
    assert not faults([180, 250, 0.25], [False] * 3)
    assert list(faults([180, 250, 0.25], [False, False, True])) == [2]


def test_two_files_that_differ_are_not_enough_to_tell_which_is_wrong():
    assert not faults([250, 0.25])


def test_the_survey_compares_each_anatomy_with_itself():
    volumes = {"spleen": [250, 260, 240, 0.25], "cochlea": [0.25, 0.26, 0.24, 0.25]}
    entries = [
        checked(f"s{n}", "train", volume_ml=float(ml), source="surface", anatomy=anatomy)
        for anatomy, values in volumes.items()
        for n, ml in enumerate(values)
    ]
    _, rows = tabulate(dataset_config("anywhere", outlier_z=None), entries)
    lost = {(row.anatomy, row.subject): row.reason for row in rows if row.status == "excluded"}
    assert list(lost) == [("spleen", "s3")]
    assert "seems to be in centimeters" in lost["spleen", "s3"]
