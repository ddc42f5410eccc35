"""The objective of the U-Net, and what it says where not every anatomy is known."""

import math

import pytest
import torch

from massm.models.blocks.segmentation_loss import dice_loss, log_probability

KNOWN = torch.ones(1, 2, dtype=torch.bool)


@pytest.fixture
def labels():
    """Half of the patch is none's, a quarter each is the first and the second anatomy's."""
    values = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    values[0, 2], values[0, 3] = 1, 2
    return values


def sure(labels, classes=3):
    """The probabilities of who knows."""
    hot = torch.nn.functional.one_hot(labels, classes).movedim(-1, 1)
    return hot.float()


def test_of_all_known_it_is_the_softmax(rng):
    logits = torch.from_numpy(rng.normal(size=(1, 3, 2, 2, 2)))
    told = log_probability(logits, KNOWN)
    torch.testing.assert_close(told.exp(), logits.softmax(dim=1))


def test_what_is_not_known_adds_to_the_background():
    logits = torch.tensor([0.5, 0.2, 0.3]).log().reshape(1, 3, 1, 1, 1)
    told = log_probability(logits, torch.tensor([[True, False]])).exp().flatten()
    torch.testing.assert_close(told[:2], torch.tensor([0.8, 0.2]))
    none = log_probability(logits, torch.tensor([[False, False]])).exp().flatten()
    assert float(none[0]) == pytest.approx(1.0)


def test_an_anatomy_that_is_not_known_is_not_pushed_out_of_voxels_without_a_label():
    logits = torch.tensor([0.0, 0.0, 2.0]).reshape(1, 3, 1, 1, 1).requires_grad_()
    told = log_probability(logits, torch.tensor([[True, False]]))
    loss = torch.nn.functional.nll_loss(told, torch.zeros(1, 1, 1, 1, dtype=torch.long))
    (gradient,) = torch.autograd.grad(loss, logits)
    background, known, unknown = gradient.flatten().tolist()
    assert background < 0 < known
    assert unknown < 0  # it may be here


def test_dice_is_zero_where_all_is_right_and_one_where_all_is_wrong(labels):
    assert float(dice_loss(sure(labels), labels, KNOWN)) == pytest.approx(0, abs=1e-5)
    other = torch.tensor([0, 2, 1])[labels]
    assert float(dice_loss(sure(other), labels, KNOWN)) == pytest.approx(1, abs=1e-5)


def test_dice_of_half_a_probability_everywhere(labels):
    even = torch.full((1, 3, 4, 4, 4), 1 / 3)
    # 2 * (16 / 3) / (64 / 3 + 16) of each anatomy
    assert float(dice_loss(even, labels, KNOWN)) == pytest.approx(1 - 2 / 7, abs=1e-5)


def test_dice_sums_over_all_patches_and_leaves_out_where_an_anatomy_is_not_known(labels):
    without = torch.zeros_like(labels)
    both = torch.cat([labels, without])
    found = sure(torch.cat([labels, labels]))  # the second patch: found where nothing is
    known = torch.tensor([[True, True], [True, False]])
    first = 1 - 2 * 16 / (32 + 16)
    assert float(dice_loss(found, both, known)) == pytest.approx(first / 2, abs=1e-5)


def test_dice_of_patches_without_an_anatomy_is_nothing_with_a_gradient(labels):
    found = sure(labels).requires_grad_()
    loss = dice_loss(found, torch.zeros_like(labels), KNOWN)
    assert float(loss.detach()) == 0
    assert not torch.autograd.grad(loss, found)[0].any()
    assert math.isfinite(float(loss.detach()))
