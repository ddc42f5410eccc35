"""World particles drawn to the mean by the share of their deviations that is not error."""

import pytest
import torch

from massm.models.massm.shrinkage import ShrinkageHead
from massm.tensors.sample import Template

PARTICLES, SUBJECTS = 10, 400


@pytest.fixture
def template():
    """Two anatomies, each with two orthogonal modes of 2 and 1 mm (root mean square: less)."""
    arrays = Template.blank(2, PARTICLES, 3).tensors()
    modes = torch.zeros(2, 3, PARTICLES, 3)  # the third mode is a zero, as where subjects are few
    modes[:, 0, :, 0], modes[:, 1, :, 1] = 2.0, 1.0
    mean = torch.arange(2 * PARTICLES * 3).reshape(2, PARTICLES, 3) / 10
    return Template(**arrays | {"modes_world": modes, "mean_world": mean})


@pytest.fixture
def head(template):
    return ShrinkageHead(template)


def shapes(template, error, generator):
    """True shapes out of the modes, and found ones with errors of a given share."""
    size = (SUBJECTS, 2, 3)
    true, wrong = (torch.randn(size, generator=generator) for _ in range(2))
    modes, mean = template.modes_world, template.mean_world
    found, there = (
        mean + torch.einsum("bkj,kjmc->bkmc", scores, modes)
        for scores in (true + error * wrong, true)
    )
    return found, there


def test_untrained_it_projects_on_the_modes(head, template):
    world = template.mean_world + 3 * template.modes_world[:, 0] + template.modes_world[:, 1]
    torch.testing.assert_close(head(world[None])[0], world)
    aside = world.clone()
    aside[..., 2] += 5.0  # along no mode
    torch.testing.assert_close(head(aside[None])[0], world)


def test_the_factor_is_the_share_that_is_not_error(head, template):
    """Variances of truth and error 1 and 1 keep one half, 1 and 4 a fifth."""
    generator = torch.Generator().manual_seed(0)
    for error, expected in ((1.0, 0.5), (2.0, 0.2), (0.0, 1.0)):
        found, true = shapes(template, error, generator)
        head.learn([(found, true, torch.ones(SUBJECTS, 2, dtype=torch.bool))])
        assert head.factor.tolist() == pytest.approx([expected] * 2, abs=0.05)


def test_it_lessens_the_error_in_subjects_that_chose_no_factor(head, template):
    generator = torch.Generator().manual_seed(1)
    found, true = shapes(template, 1.0, generator)
    half = SUBJECTS // 2
    head.learn([(found[:half], true[:half], torch.ones(half, 2, dtype=torch.bool))])
    drawn, aligned, mean = (
        (shape[half:] - true[half:]).square().mean()
        for shape in (head(found), found, template.mean_world.expand_as(found))
    )
    assert drawn < 0.6 * aligned
    assert drawn < 0.6 * mean


def test_what_is_not_there_does_not_count(head, template):
    generator = torch.Generator().manual_seed(2)
    found, true = shapes(template, 1.0, generator)
    present = torch.ones(SUBJECTS, 2, dtype=torch.bool)
    head.learn([(found, true, present)])
    expected = head.factor[0].clone()
    present[:, 1] = False
    lost = torch.where(present[..., None, None], true, torch.nan)
    head.learn([(found, lost, present)])
    # Nobody has the second anatomy: it takes the factor of all that there is.
    torch.testing.assert_close(head.factor, expected.expand(2), atol=0.02, rtol=0)


def test_few_subjects_take_the_factor_of_all(head, template):
    generator = torch.Generator().manual_seed(3)
    found, true = shapes(template, 1.0, generator)
    found[:, 1] = true[:, 1]  # of the second anatomy there is one subject, by chance without error
    present = torch.ones(SUBJECTS, 2, dtype=torch.bool)
    present[1:, 1] = False
    head.learn([(found, true, present)])
    assert head.factor[1] == pytest.approx(0.5 + 0.5 / 6, abs=0.06)


def test_without_validation_subjects_nothing_is_drawn(head):
    head.learn([])
    assert head.factor.tolist() == [1.0, 1.0]
