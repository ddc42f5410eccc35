"""How a scan is stored moves nothing: index axes in any order and direction, any format."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.scans import cropped, permuted, resampled, stored_otherwise
from massm.models.families import build_model
from massm.tensors.manifest import read_manifest
from massm.tensors.preprocessing import images_of, scan_of
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, model_config

KINDS = 11
EVERYWHERE_MM = 1e-3  # a tenth of what may be; NIfTI keeps places in single precision


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A scan of whole HU, and a function from a scan to a toy network's particles."""
    cohort = Cohort(train=3, validation=1)
    folder = cohort.write(tmp_path_factory.mktemp("toy"))
    template = load_template(folder / "template.safetensors")
    preprocessing = read_manifest(folder / "manifest.json").preprocessing
    config = model_config(refine={"steps": 1}, box_updates=1)
    model = build_model(config, template, preprocessing)

    def particles(volume):
        scan = scan_of("scan", volume, preprocessing)
        images = images_of([scan], preprocessing, multiple=model.stride)
        return model.predict(images).local.numpy()

    volume = cohort.volumes["t0"]
    return volume.with_array(np.rint(volume.array).astype(np.int16)), particles


def test_storage_moves_no_particle(toy, tmp_path):
    volume, particles = toy
    expected = particles(volume)
    kinds = dict(stored_otherwise(volume, tmp_path))
    assert len(kinds) == KINDS
    for name, variant in kinds.items():
        np.testing.assert_allclose(particles(variant), expected, atol=EVERYWHERE_MM, err_msg=name)


def test_an_oblique_scan_is_read_from_every_format(toy, tmp_path):
    volume, particles = toy
    angle = np.radians(10)
    turn = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    oblique = replace(volume, direction=np.array(turn))
    expected = particles(oblique)
    for name, variant in stored_otherwise(oblique, tmp_path):
        np.testing.assert_allclose(particles(variant), expected, atol=EVERYWHERE_MM, err_msg=name)


def test_a_permuted_scan_shows_the_same_values_at_the_same_places(toy):
    volume, _ = toy
    other = permuted(volume, (1, 2, 0), (1, 0, 1))
    points = volume.index_to_point(np.array([[3.0, 4, 5], [20, 1, 17]]))
    for point in points:
        x, y, z = np.rint(volume.point_to_index(point)).astype(int)
        i, j, k = np.rint(other.point_to_index(point)).astype(int)
        assert other.array[k, j, i] == volume.array[z, y, x]


def test_a_crop_and_a_finer_grid_keep_the_place(toy):
    volume, _ = toy
    low, high = volume.index_to_point(np.array([[4.0, 5, 6], [20, 21, 22]]))
    part = cropped(volume, low, high)
    assert part.size == (17, 17, 17)
    np.testing.assert_array_equal(part.array, volume.array[6:23, 5:22, 4:21])
    np.testing.assert_allclose(part.origin, low)
    same = resampled(volume, volume.spacing)
    np.testing.assert_array_equal(same.array, volume.array)
