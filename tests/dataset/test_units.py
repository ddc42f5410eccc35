"""A mesh whose volume differs from the others' by the cube of a unit is in that unit."""

import pandas as pd
import pytest

from massm.dataset.units import exclude_other_units


def cohort(volumes, mask="{}.stl", anatomy="spleen"):
    return pd.DataFrame(
        [
            {
                "subject": f"s{n}",
                "anatomy": anatomy,
                "status": "used",
                "reason": "",
                "mask": mask.format(n),
                "volume_ml": volume,
            }
            for n, volume in enumerate(volumes)
        ]
    )


@pytest.mark.parametrize(
    ("volume", "unit"),
    [(0.25, "centimeters"), (0.1, "centimeters"), (2.5e-7, "meters"), (0.015, "inches")],
)
def test_one_file_in_another_unit_is_excluded_by_name(volume, unit):
    found = exclude_other_units(cohort([180, 250, 310, volume]))
    assert found.status.tolist() == ["used", "used", "used", "excluded"]
    assert f"seems to be in {unit}" in found.reason[3]
    assert "the other subjects' spleen is 250 ml" in found.reason[3]


def test_organs_as_different_as_people_are_stay():
    assert (exclude_other_units(cohort([30, 250, 400, 900, 8])).status == "used").all()


def test_masks_are_not_judged_but_compared_with():
    table = cohort([180, 250, 0.25], mask="{}.nii.gz")
    assert (exclude_other_units(table).status == "used").all()
    table.loc[2, "mask"] = "2.PLY"
    assert exclude_other_units(table).status.tolist() == ["used", "used", "excluded"]


def test_two_files_that_differ_are_not_enough_to_tell_which_is_wrong():
    assert (exclude_other_units(cohort([250, 0.25])).status == "used").all()


def test_anatomies_are_compared_each_with_itself():
    table = pd.concat(
        [cohort([250, 260, 240]), cohort([0.25, 0.26, 0.24], anatomy="cochlea")], ignore_index=True
    )
    assert (exclude_other_units(table).status == "used").all()
