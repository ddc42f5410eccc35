"""The grooming stages as the workflow runs them: one bad organ is a row, never the end."""

import numpy as np
import pandas as pd
import pytest

from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.groom.batch import GroomTask, groom_one
from massm.io import images, meshes
from massm.io.cohort import AnatomyRecord, write_cohort
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.io.sources import DistanceFile, read_voxels
from massm.io.tables import read_table
from massm.stages import groom, groom_align
from tests.groom.shapes import FLIP, draw, ellipsoid, oblique


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def cohort(tmp_path, results):
    """Two masks, one label map, a mesh, an open mesh, a truncated file, an excluded organ."""
    rows = []

    def add(subject, split, path, *, label=None, status="used", source="mask"):
        rows.append(
            AnatomyRecord(
                *(subject, "spleen", split, status), mask=path, label=label, source=source
            )
        )

    for place, (name, split) in enumerate([("s1", "train"), ("s2", "train"), ("s3", "test")]):
        mask = draw(
            ellipsoid(14 + place, 10, 9),
            spacing=(3, 3, 3),
            radius_mm=21,
            center=(-40, 10, 300 + place),
            direction=FLIP,
        )
        array = mask.array.astype(np.int16) * (5 if name == "s3" else 1)
        images.write_image(mask.with_array(array), tmp_path / f"{name}.nii.gz")
        kind = {"label": 5, "source": "label_map"} if name == "s3" else {}
        add(name, split, tmp_path / f"{name}.nii.gz", **kind)

    field = draw(lambda p: 12 - np.linalg.norm(p, axis=1), spacing=(2, 2, 2), radius_mm=16)
    ball = isosurface(field, 0.0)
    meshes.write(ball, tmp_path / "s4.vtp")
    add("s4", "validation", tmp_path / "s4.vtp", source="surface")
    meshes.write(Mesh(ball.vertices, ball.faces[: len(ball.faces) // 2]), tmp_path / "s5.vtp")
    add("s5", "train", tmp_path / "s5.vtp", source="surface")
    (tmp_path / "s6.nii.gz").write_bytes((tmp_path / "s1.nii.gz").read_bytes()[:-40])
    add("s6", "train", tmp_path / "s6.nii.gz")
    add("s7", "train", tmp_path / "nowhere.nii.gz", status="excluded", source=None)

    path = results / "dataset" / "cohort.tsv"
    write_cohort(rows, path)
    return path


def test_groom_and_align_a_cohort(cohort, results, surface_config, alignment_config):
    index = results / "groom" / "index" / "0000.tsv"
    subjects = [f"s{i}" for i in range(1, 8)]
    groom.run(surface_config, cohort=cohort, subjects=subjects, results=results, index=index)

    table = read_table(index).set_index("subject")
    assert list(table.index) == ["s1", "s2", "s3", "s4", "s5", "s6"]  # s7 was never used
    assert list(table.status) == ["groomed"] * 4 + ["failed"] * 2
    assert "open" in table.reason["s5"]
    assert "truncated" in table.reason["s6"]
    for name in ("s1", "s2", "s3", "s4"):
        surface = meshes.read(results / table.surface[name])
        assert surface.is_closed
        assert table.volume_ml[name] == pytest.approx(surface.volume_ml, rel=1e-3)
        assert table.volume_ml[name] == pytest.approx(table.mask_volume_ml[name], rel=1e-3)

    alignment = results / "groom" / "alignment" / "spleen.json"
    groom_align.run(
        alignment_config, anatomy="spleen", index=[index], results=results, alignment=alignment
    )
    document = read_json(alignment)
    assert document["reference"] in ("s1", "s2")
    assert set(document["transforms"]) == {"s1", "s2", "s3", "s4"}
    assert document["reflected"] is False
    matrix = np.array(document["transforms"]["s3"]).reshape(4, 4)
    center = matrix @ [-40, 10, 302, 1]
    np.testing.assert_allclose(center[:3], 0, atol=1.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_signed_distance_keeps_its_zero_level(results, surface_config, sign):
    place = {"spacing": (0.9, 1.2, 2.0), "radius_mm": 20, "center": (-40, 10, 300)}
    grid = draw(lambda p: p[:, 0] > 0, direction=oblique(), **place)
    points = grid.index_to_point(np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T)
    away = np.linalg.norm(points - place["center"], axis=1) - 14
    source = results / "ball_DT.nrrd"
    images.write_image(grid.with_array(sign * away.reshape(grid.array.shape)), source)

    task = GroomTask("s1", "spleen", DistanceFile(source), results / "s1.vtp")
    outcome = groom_one(surface_config, task)

    surface = meshes.read(results / "s1.vtp")
    away = np.linalg.norm(surface.vertices - place["center"], axis=1) - 14
    assert outcome.reason == ""
    assert np.abs(away).max() < 0.09
    assert surface.is_closed
    assert surface.volume == pytest.approx(4 / 3 * np.pi * 14**3, rel=0.02)
    inside = read_voxels(DistanceFile(source)).inside
    assert inside.array.sum() * inside.voxel_ml == pytest.approx(surface.volume_ml, rel=0.03)


def test_no_training_surface_is_one_clear_sentence(
    cohort, results, surface_config, alignment_config
):
    index = results / "groom" / "index" / "0000.tsv"
    groom.run(surface_config, cohort=cohort, subjects=["s3", "s5"], results=results, index=index)

    with pytest.raises(DataError, match=r"spleen: no training subject .*1 failed"):
        groom_align.run(
            alignment_config,
            anatomy="spleen",
            index=[index],
            results=results,
            alignment=results / "spleen.json",
        )


def test_workers_change_nothing_but_the_time(cohort, results, surface_config, monkeypatch):
    monkeypatch.setattr("massm.machine.processes.FEW", 1)
    one, two = results / "one.tsv", results / "two.tsv"
    subjects = ["s4", "s5"]  # meshes: a new process reads images only after seconds of itk's start
    groom.run(surface_config, cohort=cohort, subjects=subjects, results=results, index=one)
    first = meshes.read(results / "groom/surfaces/s4/spleen.vtp")
    groom.run(
        surface_config, cohort=cohort, subjects=subjects, results=results, index=two, threads=2
    )

    pd.testing.assert_frame_equal(read_table(one), read_table(two))
    second = meshes.read(results / "groom/surfaces/s4/spleen.vtp")
    np.testing.assert_array_equal(first.vertices, second.vertices)
