"""Subjects in a mirror: images, labels and names of the sides stay together."""

from dataclasses import replace

import pytest
import torch

from massm.io import tensors
from massm.io.errors import DataError
from massm.tensors.dataset import SubjectDataset, load_labels
from massm.tensors.grid import Grid
from massm.tensors.manifest import read_manifest
from massm.tensors.mirroring import mirrored_file, mirrored_labels, mirrored_scan, partners
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, train_config

TURN = torch.tensor([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A toy cohort in which the two anatomies are each other's mirror image."""
    folder = Cohort().write(tmp_path_factory.mktemp("tensors"))
    for entry in read_manifest(folder / "manifest.json").subjects:
        held = tensors.load(folder / entry.file)
        known = {name: held[name][::-1] for name in ("presence", "center", "radius")}
        known |= {name: held[name][::-1] for name in ("local", "world")}
        known["center"] = known["center"] * TURN.numpy()
        known["local"] = known["local"] * TURN.numpy().astype("float32")
        known["partner"] = torch.tensor([1, 0]).numpy()
        tensors.save(known, mirrored_file(folder, entry.subject))
    return folder


@pytest.fixture(scope="module")
def manifest(folder):
    return read_manifest(folder / "manifest.json")


def dataset(folder, manifest, probability, epoch=0):
    augmentation = train_config().augment.model_copy(
        update={"probability": 0.0, "crop_probability": 0.0, "mirror_probability": probability}
    )
    return SubjectDataset(
        folder,
        manifest,
        manifest.of_split("train"),
        augmentation=augmentation,
        template=load_template(folder / "template.safetensors"),
        labels=folder / "labels",
        epoch=epoch,
    )


def test_partners_are_the_other_sides_and_oneself_on_the_midline():
    names = ["left", "middle", "right"]
    assert partners(names, {"left": "right"}) == [2, 1, 0]
    assert partners(names, {"right": "left"}) == [2, 1, 0]
    assert partners(names, {}) == [0, 1, 2]


def test_a_mirrored_scan_shows_at_minus_x_what_was_at_x(folder, manifest):
    scan = replace(dataset(folder, manifest, 0.0)[0].scan, warp=None)
    used = manifest.preprocessing
    seen = mirrored_scan(scan, used.spacing_mm, used.fine_spacing_mm)
    for name, origin, spacing in (
        ("image", "origin", used.spacing_mm),
        ("fine", "fine_origin", used.fine_spacing_mm),
    ):
        before, after = (
            Grid(getattr(one, name).float()[None, None], getattr(one, origin)[None], spacing)
            for one in (scan, seen)
        )
        points = before.points().flatten(1, 3)
        torch.testing.assert_close(
            after.sample(points * TURN), before.sample(points), atol=0.01, rtol=1e-4
        )
    again = mirrored_scan(seen, used.spacing_mm, used.fine_spacing_mm)
    assert torch.equal(again.image, scan.image)
    torch.testing.assert_close(again.origin, scan.origin)


def test_mirrored_labels_name_the_other_side(folder, manifest):
    spacing = manifest.preprocessing.finest_spacing_mm
    labels = load_labels(folder / "labels" / "t0.safetensors", spacing)
    labels = replace(labels, known=torch.tensor([True, False]))
    seen = mirrored_labels(labels, [1, 0])
    points = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * 30
    points = points + labels.origin + torch.tensor(labels.values.shape[::-1]) * spacing / 2
    expected = torch.tensor([0, 2, 1])[labels.at(points)]
    assert set(expected.tolist()) == {0, 1, 2}
    # Rounding to voxels may differ on a border between two.
    assert (seen.at(points * TURN) == expected).float().mean() > 0.99
    assert seen.known.tolist() == [False, True]


def test_image_labels_and_particles_of_a_mirrored_subject_lie_together(folder, manifest):
    plain, seen = (dataset(folder, manifest, often)[0] for often in (0.0, 1.0))
    torch.testing.assert_close(seen.truth.center[0], plain.truth.center[1] * TURN)
    used = manifest.preprocessing
    fine = Grid(seen.scan.fine.float()[None, None], seen.scan.fine_origin[None], 3.0)
    values = fine.sample(seen.truth.center[None])[0, 0]
    assert used.fine_spacing_mm == 3.0
    assert values[1] > values[0] + 50  # what was bright is called dark in the mirror
    assert seen.truth.labels[0].at(seen.truth.center).tolist() == [1, 2]


def test_as_many_are_mirrored_as_asked_for_and_the_same_ones_each_time(folder, manifest):
    plain = [one.truth.center.nan_to_num() for one in dataset(folder, manifest, 0.0)]
    turned = []
    for epoch in range(20):
        data = dataset(folder, manifest, 0.5, epoch)
        seen, again = ([one.truth.center.nan_to_num() for one in data] for _ in range(2))
        assert all(map(torch.equal, seen, again))
        turned += [not torch.equal(*pair) for pair in zip(seen, plain, strict=True)]
    assert 0.35 < sum(turned) / len(turned) < 0.65


def test_nothing_is_mirrored_outside_of_training(folder, manifest):
    data = SubjectDataset(folder, manifest, manifest.of_split("train"))
    plain = dataset(folder, manifest, 0.0)
    assert torch.equal(data[0].truth.center, plain[0].truth.center)


def test_a_missing_file_is_named_with_what_to_do(folder, manifest, tmp_path):
    data = dataset(folder, manifest, 1.0)
    data.folder = tmp_path
    for entry in manifest.subjects:
        (tmp_path / entry.file).symlink_to(folder / entry.file)
    (tmp_path / "labels").symlink_to(folder / "labels")
    with pytest.raises(DataError, match="mirrored/t0"):
        data[0]
