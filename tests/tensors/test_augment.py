"""Augmentation keeps image, boxes and particles together."""

from dataclasses import replace

import pytest
import torch

from massm.tensors.augment import augment
from massm.tensors.dataset import SubjectDataset, generator_for
from massm.tensors.grid import Grid
from massm.tensors.labels import Labels
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
    """Preprocessing, template, first training subject."""
    manifest = read_manifest(folder / "manifest.json")
    dataset = SubjectDataset(folder, manifest, manifest.of_split("train"))
    template = load_template(folder / "template.safetensors")
    return manifest.preprocessing, template, dataset[0]


def augmented(parts, epoch, **changes):
    preprocessing, template, sample = parts
    values = train_config().augment.model_dump() | {"noise_hu": 0.0} | changes
    config = train_config(augment=values).augment
    generator = generator_for(1, epoch, sample.subject)
    intensity, spacing_mm = preprocessing.intensity, preprocessing.spacing_mm
    fine_mm = preprocessing.fine_spacing_mm
    return augment(sample, config, template, intensity, spacing_mm, generator, fine_mm)


@pytest.mark.parametrize("epoch", range(4))
def test_image_and_particles_stay_registered(parts, epoch):
    """A smooth image of positions is warped like the CT; at the particles it must show theirs."""
    preprocessing, _, sample = parts
    changed = augmented(parts, epoch)
    scan, spacing_mm = sample.scan, preprocessing.spacing_mm
    grid = Grid(scan.image.float()[None, None], scan.origin[None], spacing_mm)
    positions = grid.with_values(grid.points().movedim(-1, 1))
    # The augmented position image at voxel x shows where x came from.
    warped = positions.with_values(
        positions.sample(changed.scan.warp.source(grid.points().reshape(1, -1, 3))).reshape(
            positions.values.shape
        )
    )
    for k in range(2):
        seen = warped.sample(changed.truth.local[k][None]).mT[0]
        assert (seen - sample.truth.local[k]).norm(dim=-1).mean() < 0.1 * preprocessing.spacing_mm
        assert (changed.truth.local[k] - sample.truth.local[k]).norm(dim=-1).mean() > 0.5


def test_the_moved_organ_is_where_its_particles_are(parts):
    """The bright organ's voxels of the augmented image lie inside the moved box."""
    preprocessing, _, _ = parts
    changed = augmented(parts, 1, hu_scale=0.0, hu_shift=0.0, gamma=0.0)
    grid = Grid(changed.scan.image[None, None], changed.scan.origin[None], preprocessing.spacing_mm)
    bright = grid.points()[0][changed.scan.image > 150]
    middle = (bright.amin(dim=0) + bright.amax(dim=0)) / 2
    assert (middle - changed.truth.center[0]).abs().max() < preprocessing.spacing_mm


@pytest.mark.parametrize("epoch", range(6))
def test_a_cut_field_of_view_shows_the_same_and_all_anatomies(parts, epoch):
    preprocessing, _, _ = parts
    still = {"noise_hu": 0.0, "crop_margin_mm": 4.0}
    whole = augmented(parts, epoch, crop_probability=0.0, **still)
    cut = augmented(parts, epoch, crop_probability=1.0, **still)
    assert cut.scan.image.numel() < whole.scan.image.numel()
    assert cut.scan.fine.numel() < whole.scan.fine.numel()
    torch.testing.assert_close(cut.truth.local, whole.truth.local)
    low = cut.scan.origin
    high = low + (torch.tensor(cut.scan.image.shape[::-1]) - 1) * preprocessing.spacing_mm
    there = cut.truth.presence.eq(1)
    particles = cut.truth.local[there].reshape(-1, 3)
    inside = ((particles >= low) & (particles <= high)).all(dim=-1)
    first, last = (
        whole.scan.origin,
        whole.scan.origin
        + (torch.tensor(whole.scan.image.shape[::-1]) - 1) * preprocessing.spacing_mm,
    )
    shown = ((particles >= first) & (particles <= last)).all(dim=-1)
    assert (inside | ~shown).all()  # what augmentation moved out before stays out
    ours, theirs = (collate([one], preprocessing, 4).images for one in (cut, whole))
    points = particles[inside & shown][None]
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(ours.image.sample(points), theirs.image.sample(points), **close)
    torch.testing.assert_close(ours.sample_fine(points), theirs.sample_fine(points), **close)


def test_some_fields_of_view_end_amid_the_anatomies_on_one_side(parts):
    preprocessing, _, _ = parts
    cuts = []
    for epoch in range(12):
        sample = augmented(parts, epoch, probability=1.0, crop_probability=1.0, cut_probability=1.0)
        there = sample.truth.presence.eq(1)
        center, radius = sample.truth.center[there], sample.truth.radius[there]
        first, last = (center - radius).amin(dim=0), (center + radius).amax(dim=0)
        low = sample.scan.origin
        size = torch.tensor(sample.scan.image.shape[::-1])
        high = low + (size - 1) * preprocessing.spacing_mm
        depth = torch.cat([low - first, last - high]) / (last - first).repeat(2)
        cuts.append((depth > 0).tolist())
        assert depth.max() < 0.75  # a voxel more than the deepest at most
    assert any(any(one) for one in cuts)
    assert len({tuple(one) for one in cuts}) > 3  # not always the same side


def test_a_subject_without_anatomies_keeps_its_field_of_view(parts):
    preprocessing, template, sample = parts
    nobody = replace(
        sample, truth=replace(sample.truth, presence=torch.zeros_like(sample.truth.presence))
    )
    cut = augmented((preprocessing, template, nobody), 1, crop_probability=1.0)
    assert cut.scan.image.shape == sample.scan.image.shape


def test_fine_image_is_read_through_the_warp(parts):
    """Coarse and fine image of an augmented batch show the same organ at the same place."""
    preprocessing, _, _ = parts
    batch = collate([augmented(parts, 2)], preprocessing, 4)
    points = batch.truth.center
    fine = batch.images.sample_fine(points)
    coarse = batch.images.image.sample(points)[:, 0]
    torch.testing.assert_close(fine, coarse, atol=0.5, rtol=0)
    assert fine[0, 0] > fine[0, 1] + 1


def test_the_box_is_that_of_the_moved_particles(parts):
    changed = augmented(parts, 3)
    low, high = changed.truth.local.amin(dim=1), changed.truth.local.amax(dim=1)
    torch.testing.assert_close(changed.truth.center, (low + high) / 2)
    torch.testing.assert_close(changed.truth.radius, (high - low) / 2)


def test_without_deformation_world_shape_only_scales(parts):
    _, _, sample = parts
    changed = augmented(parts, 5, shape_std=0.0)
    old = sample.truth.world - sample.truth.world.mean(dim=1, keepdim=True)
    new = changed.truth.world - changed.truth.world.mean(dim=1, keepdim=True)
    scale = new.norm() / old.norm()
    assert 0.9 <= scale <= 1.12
    torch.testing.assert_close(new, scale * old, atol=0.05, rtol=0)


def test_same_seed_epoch_and_subject_give_the_same_sample(parts):
    first, again, other = (augmented(parts, epoch, noise_hu=9.0) for epoch in (7, 7, 8))
    assert torch.equal(first.scan.image, again.scan.image)
    assert torch.equal(first.truth.local, again.truth.local)
    assert not torch.equal(first.scan.image, other.scan.image)


def test_probability_zero_changes_nothing(parts):
    _, _, sample = parts
    changed = augmented(parts, 1, probability=0.0)
    assert torch.equal(changed.scan.image, sample.scan.image)
    points = sample.truth.local[0][None]
    torch.testing.assert_close(changed.scan.warp.source(points), points)


def test_labels_are_found_through_the_warp_where_the_image_went(parts):
    _, _, sample = parts
    changed = augmented(parts, 1, hu_scale=0.0, hu_shift=0.0, gamma=0.0)
    scan, warp = changed.scan, changed.scan.warp
    bright = sample.scan.image > 150
    known = torch.ones(1, dtype=torch.bool)
    labels = Labels(bright.byte(), sample.scan.origin, 4.0, known)
    grid = Grid(scan.image[None, None], scan.origin[None], 4.0)
    source = warp.source(grid.points().reshape(1, -1, 3))[0]
    moved = (scan.image > 150).reshape(-1)
    assert (
        (moved & labels.at(source).eq(1)).sum()
        > 0.8 * moved.sum()
        > (moved & bright.reshape(-1)).sum()
    )
