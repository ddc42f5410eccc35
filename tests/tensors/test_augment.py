"""Augmentation keeps image, boxes and particles together."""

import pytest
import torch

from massm.tensors.augment import augment
from massm.tensors.dataset import SubjectDataset, generator_for
from massm.tensors.grid import Grid
from massm.tensors.manifest import read_manifest
from massm.tensors.sample import collate
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, train_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Exported toy cohort."""
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture
def parts(folder):
    """Manifest, template, first training subject."""
    manifest = read_manifest(folder / "manifest.json")
    dataset = SubjectDataset(folder, manifest, manifest.of_split("train"))
    return manifest, load_template(folder / "template.safetensors"), dataset[0]


def augmented(parts, epoch, **changes):
    manifest, template, sample = parts
    values = train_config().augment.model_dump() | {"noise_hu": 0.0} | changes
    config = train_config(augment=values).augment
    generator = generator_for(1, epoch, sample.subject)
    return augment(sample, config, template, manifest.intensity, manifest.spacing_mm, generator)


@pytest.mark.parametrize("epoch", range(4))
def test_image_and_particles_stay_registered(parts, epoch):
    """A smooth image of positions is warped like the CT; at the particles it must show theirs."""
    manifest, _, sample = parts
    changed = augmented(parts, epoch)
    grid = Grid(sample.image.float()[None, None], sample.origin[None], manifest.spacing_mm)
    positions = grid.with_values(grid.points().movedim(-1, 1))
    # The augmented position image at voxel x shows where x came from.
    warped = positions.with_values(
        positions.sample(changed.warp.source(grid.points().reshape(1, -1, 3))).reshape(
            positions.values.shape
        )
    )
    for k in range(2):
        seen = warped.sample(changed.local[k][None]).mT[0]
        assert (seen - sample.local[k]).norm(dim=-1).mean() < 0.1 * manifest.spacing_mm
        assert (changed.local[k] - sample.local[k]).norm(dim=-1).mean() > 0.5


def test_the_moved_organ_is_where_its_particles_are(parts):
    """The bright organ's voxels of the augmented image lie inside the moved box."""
    manifest, _, _ = parts
    changed = augmented(parts, 1, hu_scale=0.0, hu_shift=0.0, gamma=0.0)
    grid = Grid(changed.image[None, None], changed.origin[None], manifest.spacing_mm)
    bright = grid.points()[0][changed.image > 150]
    middle = (bright.amin(dim=0) + bright.amax(dim=0)) / 2
    assert (middle - changed.center[0]).abs().max() < manifest.spacing_mm


def test_fine_image_is_read_through_the_warp(parts):
    """Coarse and fine image of an augmented batch show the same organ at the same place."""
    manifest, _, _ = parts
    changed = augmented(parts, 2)
    batch = collate(
        [changed],
        intensity=manifest.intensity,
        spacing_mm=manifest.spacing_mm,
        fine_spacing_mm=manifest.fine_spacing_mm,
        padding_hu=manifest.padding_hu,
        multiple=4,
    )
    points = batch.center
    fine = batch.sample_fine(points)
    coarse = batch.image.sample(points)[:, 0]
    torch.testing.assert_close(fine, coarse, atol=0.5, rtol=0)
    assert fine[0, 0] > fine[0, 1] + 1


def test_the_box_is_that_of_the_moved_particles(parts):
    changed = augmented(parts, 3)
    low, high = changed.local.amin(dim=1), changed.local.amax(dim=1)
    torch.testing.assert_close(changed.center, (low + high) / 2)
    torch.testing.assert_close(changed.radius, (high - low) / 2)


def test_without_deformation_world_shape_only_scales(parts):
    _, _, sample = parts
    changed = augmented(parts, 5, shape_std=0.0)
    old = sample.world - sample.world.mean(dim=1, keepdim=True)
    new = changed.world - changed.world.mean(dim=1, keepdim=True)
    scale = new.norm() / old.norm()
    assert 0.9 <= scale <= 1.12
    torch.testing.assert_close(new, scale * old, atol=0.05, rtol=0)


def test_same_seed_epoch_and_subject_give_the_same_sample(parts):
    first, again, other = (augmented(parts, epoch, noise_hu=9.0) for epoch in (7, 7, 8))
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.local, again.local)
    assert not torch.equal(first.image, other.image)


def test_probability_zero_changes_nothing(parts):
    _, _, sample = parts
    changed = augmented(parts, 1, probability=0.0)
    assert torch.equal(changed.image, sample.image)
    points = sample.local[0][None]
    torch.testing.assert_close(changed.warp.source(points), points)
