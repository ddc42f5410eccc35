"""One way from a CT to what a network is given, whether or not the tensors were stored between."""

import json

import numpy as np
import pytest
import torch

from massm.geometry.volume import Volume
from massm.io import tensors
from massm.tensors.dataset import load_scan
from massm.tensors.preprocessing import Intensity, Preprocessing, image_arrays, images_of, scan_of
from tests.toy_cohort import TENSORS

SOFT = Intensity(-500.0, 400.0, 20.0, 0.1, 0.7, 40.0, 100.0)
TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])


def preprocessing(**changes):
    return Preprocessing.of(TENSORS.model_copy(update=changes), SOFT)


def turned(size, seed):
    """A scan in the middle of air, turned about z."""
    array = np.full([n + 8 for n in size], -1000.0, np.float32)
    body = tuple(slice(3, 3 + n) for n in size)
    array[body] = np.random.default_rng(seed).normal(30, 60, size)
    return Volume(array, np.array([1.5, 2.0, 2.5]), np.array([-90.0, 7.0, 300.0 + seed]), TURN)


def assert_same_images(one, other):
    """Bit for bit."""
    assert (one.subjects, one.sizes) == (other.subjects, other.sizes)
    assert one.warp is other.warp is None
    assert (one.fine is None) == (other.fine is None)
    for first, second in ((one.image, other.image), (one.fine, other.fine)):
        if first is not None:
            assert first.spacing_mm == second.spacing_mm
            assert torch.equal(first.values, second.values)
            assert torch.equal(first.origin, second.origin)


@pytest.mark.parametrize("fine", [None, 2.0])
@pytest.mark.parametrize("air", [None, -400.0])
def test_a_scan_and_its_stored_tensors_are_given_alike(tmp_path, fine, air):
    used = preprocessing(fine_spacing_mm=fine, crop_air_hu=air, crop_margin_mm=4.0)
    volumes = {"a": turned((9, 20, 16), 1), "b": turned((14, 12, 18), 2)}
    for subject, volume in volumes.items():
        tensors.save(image_arrays(volume, used), tmp_path / f"{subject}.safetensors")
    given = images_of([scan_of(name, volumes[name], used) for name in volumes], used, 8)
    stored = images_of([load_scan(tmp_path / f"{n}.safetensors", n) for n in volumes], used, 8)
    assert_same_images(given, stored)
    assert given.image.values.std() > 0.1
    assert (given.fine is None) == (fine is None)


def test_cropping_is_part_of_it():
    whole, cut = (
        scan_of("a", turned((9, 20, 16), 1), preprocessing(crop_air_hu=air)).image
        for air in (None, -400.0)
    )
    assert cut.numel() < whole.numel()


def test_it_is_itself_after_a_file():
    used = preprocessing(fine_spacing_mm=None, crop_air_hu=-300.0)
    text = json.dumps(used.model_dump(mode="json"))
    assert Preprocessing.model_validate(json.loads(text)) == used


def test_it_cannot_change():
    with pytest.raises(ValueError, match="frozen"):
        preprocessing().spacing_mm = 1.0
