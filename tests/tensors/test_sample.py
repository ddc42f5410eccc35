"""Batches are padded to a multiple, not to one giant box; unknown stays unknown."""

import json

import numpy as np
import pytest
import torch

from massm.config.tensors import ContrastConfig
from massm.io import tensors
from massm.io.errors import DataError
from massm.tensors.dataset import SubjectDataset, load_sample
from massm.tensors.export import ABSENT, PRESENT, UNKNOWN, intensity_of, shape_arrays
from massm.tensors.manifest import read_manifest, write_manifest
from massm.tensors.template import load_template
from tests.toy_cohort import ANATOMIES, Cohort


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


@pytest.fixture(scope="module")
def folder(cohort, tmp_path_factory):
    return cohort.write(tmp_path_factory.mktemp("tensors"))


def dataset(folder):
    manifest = read_manifest(folder / "manifest.json")
    return SubjectDataset(folder, manifest, manifest.subjects)


def test_a_batch_is_padded_to_a_multiple_of_the_stride(folder):
    data = dataset(folder)
    batch = data.collate([data[0], data[1]], 8)
    found = [s.scan.image.shape for s in (data[0], data[1])]
    for axis in range(3):
        largest = max(shape[axis] for shape in found)
        assert batch.images.image.values.shape[axis + 2] == -(-largest // 8) * 8
    torch.testing.assert_close(batch.images.image.origin[0], data[0].scan.origin)


def test_padding_is_behind_and_has_the_padding_value(folder):
    data = dataset(folder)
    batch = data.collate([data[0]], 16)
    preprocessing = data.manifest.preprocessing
    padding = preprocessing.intensity.normalize(torch.tensor([preprocessing.padding_hu]))
    assert batch.images.image.values[0, 0, -1, -1, -1] == padding
    kept = tuple(slice(0, n) for n in data[0].scan.image.shape)
    expected = preprocessing.intensity.normalize(data[0].scan.image)
    torch.testing.assert_close(batch.images.image.values[0, 0][kept], expected)


def test_labels_are_read_where_they_are_asked_for(folder):
    data = dataset(folder)
    labelled = SubjectDataset(data.folder, data.manifest, data.entries, labels=folder / "labels")
    batch = labelled.collate([labelled[0], labelled[1]], 32).to("cpu")
    for row, labels in enumerate(batch.truth.labels):
        assert labels.values.shape == labelled[row].scan.fine.shape
        assert labels.known.tolist() == [True, True]
        center = batch.truth.center[row]
        assert labels.at(center).tolist() == [1, 2]
    assert data.collate([data[0]], 8).truth.labels == ()
    with pytest.raises(ValueError, match="has labels or none"):
        data.collate([data[0], labelled[1]], 8)


def test_missing_or_odd_labels_are_named(folder, tmp_path):
    data = dataset(folder)
    labelled = SubjectDataset(data.folder, data.manifest, data.entries, labels=tmp_path)
    with pytest.raises(DataError, match=r"t0\.safetensors"):
        labelled[0]
    arrays = tensors.load(folder / "labels/t0.safetensors")
    tensors.save(arrays | {"labels": np.zeros((2, 2), np.uint8)}, tmp_path / "t0.safetensors")
    with pytest.raises(DataError, match=r"t0\.safetensors: labels is .*expected.*stage again"):
        labelled[0]


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("fine", np.zeros((2, 2), np.int16), "fine is .*expected"),
    ],
)
def test_arrays_of_other_shapes_are_refused(folder, tmp_path, name, array, expected):
    arrays = tensors.load(folder / "t0.safetensors")
    tensors.save(arrays | {name: array}, tmp_path / "t0.safetensors")
    with pytest.raises(DataError, match=rf"t0\.safetensors: {expected}"):
        load_sample(tmp_path / "t0.safetensors", "t0")


def test_presence_is_there_absent_or_unknown(cohort):
    status = {"bright": "used", "dark": "absent"}
    arrays = shape_arrays("t0", cohort.particles, status, ANATOMIES)
    assert arrays["presence"].tolist() == [PRESENT, ABSENT]
    assert np.isnan(arrays["local"][1]).all()
    excluded = shape_arrays("t0", cohort.particles, {"bright": "excluded"}, ANATOMIES)
    assert excluded["presence"].tolist() == [UNKNOWN, UNKNOWN]
    without = shape_arrays("nobody", cohort.particles, {"bright": "used"}, ANATOMIES)
    assert without["presence"].tolist() == [UNKNOWN, UNKNOWN]


def test_center_is_the_middle_of_the_particles_box(cohort):
    arrays = shape_arrays("t1", cohort.particles, cohort.status["t1"], ANATOMIES)
    local = cohort.particles["bright"].local[1]
    assert np.allclose(arrays["center"][0], (local.min(axis=0) + local.max(axis=0)) / 2)


def test_template_is_centered_and_its_normals_point_outward(folder):
    template = load_template(folder / "template.safetensors")
    for shapes in (template.local, template.mean_local):
        middle = (shapes.amin(dim=1) + shapes.amax(dim=1)) / 2
        torch.testing.assert_close(middle, torch.zeros(2, 3), atol=1e-4, rtol=0)
    assert ((template.normals * template.local).sum(dim=-1) > 0).all()


def test_modes_of_the_template_span_the_training_shapes(cohort, folder):
    template = load_template(folder / "template.safetensors")
    train = cohort.particles["bright"].of_split("train").local
    middle = (train.min(axis=1) + train.max(axis=1)) / 2
    deviation = train - middle[:, None] - template.center_local[0].numpy()
    basis = template.modes_local[0].flatten(1).numpy().T
    # radii of an ellipsoid are three degrees of freedom; the other modes are zeros, and of such
    # a basis torch's least squares (gelsy) gives a right answer only by chance: numpy's (gelsd)
    target = deviation.reshape(len(train), -1).T
    fitted = np.linalg.lstsq(basis, target, rcond=None)[0]
    assert np.abs(target - basis @ fitted).max() < 1e-3


def test_intensity_statistics_add_up_by_hand():
    counts = np.zeros(65536)
    counts[32768 + 10] = 3
    counts[32768 + 20] = 1
    found = intensity_of(counts, (0.0, 100.0), None)
    assert (found.low, found.high) == (10, 20)
    assert found.mean == found.mean_hu == 12.5
    assert found.std == pytest.approx(np.sqrt((3 * 2.5**2 + 7.5**2) / 4))


def test_the_contrast_curve_spreads_soft_tissue_and_keeps_the_order():
    counts = np.zeros(65536)
    counts[32768 - 1000 : 32768 + 1000] = 1
    linear = intensity_of(counts, (0.0, 100.0), None)
    curved = intensity_of(counts, (0.0, 100.0), ContrastConfig(center_hu=40.0, width_hu=100.0))
    tissue = torch.tensor([20.0, 60.0])
    assert curved.normalize(tissue).diff() > 2 * linear.normalize(tissue).diff()
    everything = curved.normalize(torch.arange(-1000.0, 1000.0))
    assert (everything.diff() > 0).all()
    assert everything.mean().abs() < 1e-3
    assert abs(everything.std() - 1) < 1e-2


def test_no_voxel_above_padding_is_refused():
    with pytest.raises(ValueError, match="no training voxel"):
        intensity_of(np.zeros(65536), (0.5, 99.5), None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"anatomies": [], "spacing_mm": 3.0}, r"manifest\.json: version none, expected 2"),
        ({"version": 1}, "version 1, expected 2"),
        ({"version": 2, "anatomies": []}, "not a manifest .*'particles'"),
        ({"version": 2, "anatomies": [], "particles": 3, "preprocessing": {}}, "spacing_mm"),
    ],
)
def test_a_manifest_of_another_version_or_damaged_is_refused(tmp_path, document, reason):
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=f"{reason}.*run the tensors stage again"):
        read_manifest(tmp_path / "manifest.json")


def test_a_manifest_is_itself_after_a_file(folder, tmp_path):
    manifest = read_manifest(folder / "manifest.json")
    write_manifest(manifest, tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == manifest


def test_of_some_anatomies_all_is_as_if_there_were_no_others(folder):
    manifest, template = (
        read_manifest(folder / "manifest.json"),
        load_template(folder / "template.safetensors"),
    )
    rows = manifest.rows_of(["dark"])
    assert rows == (1,)
    assert manifest.take(rows).anatomies == ("dark",)
    torch.testing.assert_close(template.take(rows).modes_local[0], template.modes_local[1])
    one = SubjectDataset(folder, manifest.take(rows), manifest.subjects, rows=rows)
    both = dataset(folder)
    torch.testing.assert_close(one[0].truth.local[0], both[0].truth.local[1])
    torch.testing.assert_close(one.truth(0).local, one[0].truth.local)
    assert manifest.take(manifest.rows_of(None)) is manifest


def test_an_anatomy_that_the_tensors_lack_is_named(folder):
    with pytest.raises(DataError, match=r"liver is not among the anatomies .*\(bright, dark\)"):
        read_manifest(folder / "manifest.json").rows_of(["liver"])
