"""Where patches lie, and what they show."""

from dataclasses import replace

import pytest
import torch

from massm.models.unet.patches import draw_centers, draw_patches
from massm.tensors.augment import augment
from massm.tensors.dataset import SubjectDataset, generator_for
from massm.tensors.manifest import read_manifest
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, train_config, unet_config

SIZE = (12, 12, 12)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = Cohort(train=4, validation=1).write(tmp_path_factory.mktemp("tensors"))
    manifest = read_manifest(folder / "manifest.json")
    return SubjectDataset(folder, manifest, manifest.subjects, labels=folder / "labels")


def alone(data, sample):
    """The images and labels of one subject."""
    batch = data.collate([sample], 1)
    return batch.images, batch.truth.labels[0]


def warped(data, index):
    preprocessing = data.manifest.preprocessing
    quiet = train_config().augment.model_copy(update={"hu_shift": 0, "hu_scale": 0, "gamma": 0})
    template = load_template(data.folder / "template.safetensors")
    parts = (quiet, template, preprocessing.intensity, preprocessing.spacing_mm)
    return augment(data[index], *parts, generator_for(0, 1, "x"))


def centers(images, labels, count=200, **changes):
    config = unet_config(patches=count, **{"patch": (8, 8, 8), "filters": (4, 4, 4)} | changes)
    return draw_centers(images, labels, config, 3.0, torch.Generator().manual_seed(0))


def test_patches_around_anatomies_take_them_in_turn(data):
    images, labels = alone(data, data[0])
    drawn = centers(images, labels, foreground=1.0)
    numbers = labels.at(drawn)
    assert (numbers > 0).float().mean() > 0.85  # the others lie a part of a voxel outside
    assert abs(int((numbers == 1).sum()) - int((numbers == 2).sum())) < 40


def test_a_small_anatomy_is_seen_as_often_as_a_large_one(data):
    images, labels = alone(data, data[0])
    few = labels.values.clone()
    few[few == 2] = 0
    (place,) = (labels.values == 2).nonzero()[:1]
    few[tuple(place)] = 2
    drawn = centers(images, replace(labels, values=few), foreground=1.0)
    away = (drawn - (labels.origin + place.flip(0) * 3.0)).norm(dim=1)
    assert int((away < 3).sum()) == 100


def test_without_foreground_they_lie_anywhere(data):
    images, labels = alone(data, data[0])
    drawn = centers(images, labels, foreground=0.0)
    share = float((labels.values > 0).float().mean())
    assert float((labels.at(drawn) > 0).float().mean()) < 4 * share + 0.02
    assert (drawn.amax(dim=0) - drawn.amin(dim=0) > 30).all()


def test_no_patch_reaches_out_of_an_image_that_is_larger(data):
    images, labels = alone(data, data[0])
    drawn = centers(images, labels)
    low = images.image.origin[0]
    high = low + (images.image.size - 1) * images.image.spacing_mm
    half = 7 * 3.0 / 2
    assert (drawn - half >= low - 1e-3).all()
    assert (drawn + half <= high + 1e-3).all()
    wide = centers(images, labels, patch=(64, 64, 64))
    torch.testing.assert_close(wide, ((low + high) / 2).expand_as(wide))


def test_a_patch_shows_the_fine_image_and_its_labels_at_its_place(data):
    images, labels = alone(data, data[0])
    voxel = torch.tensor([10, 9, 8])  # of the middle between the two middle voxels of a patch
    center = images.fine.to_point(voxel[None, None] + 0.5)[0, 0]
    patches = draw_patches(images, labels, SIZE, 3.0, center[None])
    x, y, z = (int(n) for n in voxel)
    box = (slice(z - 5, z + 7), slice(y - 5, y + 7), slice(x - 5, x + 7))
    torch.testing.assert_close(
        patches.image[0, 0], images.fine.values[0, 0][box], atol=1e-3, rtol=0
    )
    assert torch.equal(patches.labels[0], labels.values[box].long())
    assert patches.known.tolist() == [[True, True]]


def test_an_augmented_patch_shows_an_anatomy_where_its_label_is(data):
    sample = warped(data, 0)
    images, labels = alone(data, sample)
    assert (sample.scan.warp.matrix - torch.eye(3)).abs().max() > 0.02
    for row, sign in ((0, 1), (1, -1)):
        center = sample.truth.center[row]
        patches = draw_patches(images, labels, SIZE, 3.0, center[None])
        inside = patches.labels[0] == row + 1
        assert int(inside.sum()) > 100
        values = sign * patches.image[0, 0]
        assert values[inside].mean() > 1 > 0.4 > values[patches.labels[0] == 0].mean()


def test_left_and_right_are_not_exchanged(data):
    """The bright anatomy lies at smaller x in every subject, and so it does in every patch."""
    for index in range(4):
        images, labels = alone(data, warped(data, index))
        middle = images.image.to_point((images.image.size[None, None] - 1) / 2)[0, 0]
        numbers = draw_patches(images, labels, (24, 24, 32), 3.0, middle[None]).labels[0]
        x = [(numbers == k).nonzero()[:, 2].float().mean() for k in (1, 2)]
        assert not (numbers == 2).any() or x[0] < x[1]


def test_a_generator_decides_all_that_is_drawn(data):
    images, labels = alone(data, data[1])
    assert torch.equal(centers(images, labels), centers(images, labels))
