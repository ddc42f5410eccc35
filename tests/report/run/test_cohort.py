import pandas as pd

from massm.report.run.cohort import exclusions, groom_rows, quality_rows, split_counts
from tests.evaluate.synthetic import ABSENT, ANATOMIES, EXCLUDED


def test_subjects_and_structures_are_counted_by_split(run):
    counts = dict(split_counts(run.subjects, run.cohort, ANATOMIES))
    assert counts == {
        "Subjects": (4, 1, 6, 11),
        "Spleen": (4, 1, 6, 11),
        "Kidney left": (4, 1, 4, 9),
    }


def test_everything_left_out_has_a_reason(run):
    groomed = run.groomed.copy()
    groomed.loc[0, ["status", "reason"]] = ["failed", "open surface"]
    subjects = run.subjects.copy()
    subjects.loc[1, ["status", "reason"]] = ["excluded", "image truncated"]
    held = set(zip(groomed["subject"], groomed["anatomy"], strict=True))
    aligned, lost = ("s3", "spleen"), ("s2", "spleen")
    rows = exclusions(
        subjects,
        run.cohort,
        groomed,
        particles=held - {lost},
        unaligned={aligned: "turned by 90 degrees"},
    )
    found = {(row.subject, row.what): row.reason for row in rows}
    assert found[groomed.loc[0, "subject"], "grooming failed"] == "open surface"
    assert found["s1", "subject excluded"] == "image truncated"
    assert found[ABSENT[0], "anatomy absent"] == "the mask is empty"
    assert found[EXCLUDED[0], "anatomy excluded"] == "cut by the field of view"
    assert found["s3", "alignment failed"] == "turned by 90 degrees"
    assert found["s2", "no particles"]


def test_grooming_is_told_as_median_and_range():
    table = pd.DataFrame(
        {
            "anatomy": ["liver"] * 4,
            "status": ["groomed"] * 3 + ["failed"],
            "volume_ml": [90.0, 110, 202, None],
            "mask_volume_ml": [100.0, 100, 200, 50],
            "surface_error_mm": [0.1, 0.2, 0.6, None],
        }
    )
    (row,) = groom_rows(table, ["liver"])
    assert (row.groomed, row.failed) == (3, 1)
    assert row.volume_change == "+1.0 (-10.0 to +10.0)"
    assert row.surface_error == "0.20 (0.10 to 0.60)"


def test_quality_has_a_row_for_each_measure_of_any_anatomy():
    quality = {"a": {"anatomy": "a", "distance_mean": 0.0213, "swapped": 0}, "b": {"extra": 12.0}}
    groomed = pd.DataFrame(
        {
            "anatomy": ["a", "a", "b", "b"],
            "status": ["groomed", "groomed", "groomed", "failed"],
            "surface_error_mm": [0.4, 0.5, 0.3, float("nan")],
            "surface_error_p95_mm": [1.2, 1.4, 1.0, float("nan")],
        }
    )
    labels, rows = quality_rows(quality, groomed, ["a", "b"])
    assert labels == ["A", "B"]
    assert dict(rows) == {
        "distance mean": ["0.0213", ""],
        "swapped": ["0", ""],
        "extra": ["", "12"],
        "groomed surface to mask mean mm": ["0.45", "0.3"],
        "groomed surface to mask p95 mm": ["1.3", "1"],
    }
