"""The stages of the audit: measured in batches, ranked together, drawn."""

import numpy as np
import pandas as pd
import pytest

from massm.audit.files import read_measures
from massm.config.audit import AuditPageConfig, RankingConfig
from massm.geometry.isosurface import isosurface
from massm.io import meshes
from massm.io.cohort import AnatomyRecord, write_cohort
from massm.io.images import write_image
from massm.io.tables import read_table, write_table
from massm.stages import audit_masks, audit_measures, audit_page
from tests.audit.scans import Scans


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Ten subjects of three masks and a mesh; the top of s2 is moved, that of s4 is damaged."""
    folder = tmp_path_factory.mktemp("audit")
    scans = Scans(10)
    scans.replace("s2", "top", np.roll(scans.masks["s2"]["top"].array, 7, axis=2))
    rows = []
    for subject, masks in scans.masks.items():
        image = folder / subject / "ct.nii.gz"
        write_image(scans.images[subject], image)
        for name, mask in masks.items():
            path = folder / subject / f"{name}.nii.gz"
            if name == "bottom":
                path = path.with_name("bottom.vtp")
                meshes.write(isosurface(mask.with_array(mask.array.astype(float)), 0.5), path)
            else:
                write_image(mask, path)
            kind = "surface" if name == "bottom" else "mask"
            record = AnatomyRecord(
                subject, name, "train", "used", image=image, mask=path, source=kind
            )
            rows.append(record)
    (folder / "s4" / "top.nii.gz").write_bytes(b"damaged")
    write_cohort(rows, folder / "cohort.tsv")
    for number in range(2):
        audit_measures.run(
            cohort=folder / "cohort.tsv",
            subjects=list(scans.masks)[5 * number :][:5],
            measures=folder / f"measures/{number:04d}.npz",
        )
    return folder


@pytest.fixture(scope="module")
def ranked(results):
    rows = [
        ("massm", "particles", "s3", "left", "train", "surface_mean", 99.0),
        *(
            ("massm", "particles", f"s{n}", "left", "out of fold", "surface_mean", 1.0 + n / 9)
            for n in range(10)
        ),
    ]
    columns = ["model", "head", "subject", "anatomy", "split", "measure", "value"]
    write_table(pd.DataFrame(rows, columns=columns), results / "local.csv")
    for n in range(10):
        for folder in ("fold", "whole"):  # the first counts, which is right
            surface = meshes.read(results / f"s{n if folder == 'fold' else 9 - n}/bottom.vtp")
            meshes.write(surface, results / folder / f"s{n}" / "left.vtp")
    audit_masks.run(
        RankingConfig(fewest=8),
        measures=sorted((results / "measures").iterdir()),
        predicted=[results / "local.csv"],
        surfaces=[results / "none", results / "fold", results / "whole"],
        table=results / "masks.csv",
    )
    return read_table(results / "masks.csv")


def test_a_damaged_mask_costs_no_other(results):
    found = read_measures(results / "measures/0000.npz")
    faults = [(one.subject, one.anatomy) for one in found if one.measures is None]
    assert faults == [("s4", "top")]
    assert len(found) == 20


def test_a_mesh_is_measured_as_a_mask_is(results):
    found = {one.anatomy: one.measures for one in read_measures(results / "measures/0000.npz")[:4]}
    mask = Scans(10).masks["s0"]["bottom"]
    volume_ml = mask.array.sum() * mask.voxel_ml
    assert found["bottom"].volume_ml == pytest.approx(volume_ml, rel=0.15)


def test_the_mask_that_was_moved_is_first_and_the_damaged_one_last(ranked):
    assert tuple(ranked.loc[0, ["subject", "anatomy"]]) == ("s2", "top")
    assert tuple(ranked.iloc[-1][["subject", "anatomy"]]) == ("s4", "top")
    assert ranked.iloc[-1].reason.startswith("not compared: ")


def test_predictions_of_training_subjects_are_not_used(ranked):
    known = ranked[ranked.prediction.notna()]
    assert set(known.anatomy) == {"left"}
    assert known.prediction.max() < 3
    assert set(ranked[ranked.ends.notna()].anatomy) == {"left"}
    assert known.ends.max() < 6  # the other folder's would be other subjects' surfaces


def test_the_page_shows_the_first_and_lists_what_to_look_at(results, ranked):
    surface = results / "surfaces/s2/top.vtp"
    meshes.write(meshes.read(results / "s2/bottom.vtp"), surface)
    audit_page.run(
        AuditPageConfig(look_at=0.1, shown=2),
        masks=results / "masks.csv",
        cohort=results / "cohort.tsv",
        surfaces=[results / "surfaces"],
        window_low=-100.0,
        window_high=300.0,
        page=results / "report.html",
    )
    text = (results / "report.html").read_text(encoding="utf-8")
    assert text.count("<figure>") == 2
    assert text.count("data:image/webp") == 2
    assert "look at the first 4" in text
    assert "Not compared" in text
