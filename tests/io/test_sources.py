"""Each kind of source is read as what it is, and as nothing else."""

import numpy as np
import pytest

from massm.geometry.volume import Volume
from massm.io.errors import DataError
from massm.io.images import read_segmentation, write_image
from massm.io.sources import (
    DistanceFile,
    LabelMapFile,
    MaskFile,
    SurfaceFile,
    kind_of,
    read_voxels,
    source_of,
)

ORIGIN = np.array([5.0, -8.0, 30.0])


@pytest.fixture
def ball():
    """A distance to a ball of 5 mm, positive inside, on voxels of 1 mm."""
    places = np.indices((15, 15, 15)) - 7.0
    away = 5 - np.sqrt(np.square(places).sum(0))
    return Volume(away.astype(np.float32), np.ones(3), ORIGIN)


@pytest.fixture
def files(tmp_path, ball):
    """The ball as mask, as label 3 of a map, as distance."""
    inside = ball.array > 0
    arrays = {"mask": inside, "map": np.where(inside, 3, 7).astype(np.uint8)}
    for name, array in (arrays | {"distance": ball.array}).items():
        write_image(ball.with_array(array), tmp_path / f"{name}.nrrd")
    return {name: tmp_path / f"{name}.nrrd" for name in ("mask", "map", "distance")}


def test_all_three_have_the_same_inside(files, ball):
    voxels = LabelMapFile(files["map"], 3)
    for source in (MaskFile(files["mask"]), voxels, DistanceFile(files["distance"])):
        found = read_voxels(source).inside
        assert found.array.dtype == bool
        np.testing.assert_array_equal(found.array, ball.array > 0)
        np.testing.assert_allclose(found.origin, ORIGIN)


def test_a_distance_keeps_its_millimeters(files, ball):
    found = read_voxels(DistanceFile(files["distance"])).volume
    np.testing.assert_allclose(found.array, ball.array, atol=1e-6)


def test_the_kind_is_told_by_the_values(files):
    labels = {"mask": None, "map": 3, "distance": None}
    kinds = {
        name: kind_of(read_segmentation(path, labels[name]), labels[name])
        for name, path in files.items()
    }
    assert kinds == {"mask": "mask", "map": "label_map", "distance": "distance"}


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (MaskFile, "distance", "holds a signed distance, but a mask when the cohort was surveyed"),
        (DistanceFile, "mask", "holds a mask, but a signed distance when the cohort was surveyed"),
    ],
)
def test_a_file_that_became_another_is_refused(files, kind, name, words):
    with pytest.raises(DataError, match=words):
        read_voxels(kind(files[name]))


def test_a_source_is_made_of_its_kind(tmp_path):
    assert source_of("mask", tmp_path, None) == MaskFile(tmp_path)
    assert source_of("distance", tmp_path, None) == DistanceFile(tmp_path)
    assert source_of("surface", tmp_path, None) == SurfaceFile(tmp_path)
    assert source_of("label_map", tmp_path, 4) == LabelMapFile(tmp_path, 4)
    with pytest.raises(ValueError, match="needs the label"):
        source_of("label_map", tmp_path, None)
