"""The decoder: modes of the training shapes, counted or by their share."""

import numpy as np
import pytest
import torch

from massm.models.deepssm.decoder import PcaDecoder
from tests.toy_cohort import ANATOMIES


def shapes_of(scores, modes):
    """Shapes of a mean and modes that are known."""
    mean = torch.arange(12.0).reshape(4, 3)
    return mean + torch.einsum("nj,jmc->nmc", scores, modes)


@pytest.fixture
def known():
    """Ten shapes along two directions, one three times as wide as the other."""
    generator = torch.Generator().manual_seed(0)
    modes = torch.linalg.qr(torch.randn(12, 2, generator=generator)).Q.T.reshape(2, 4, 3)
    scores = torch.randn(10, 2, generator=generator) * torch.tensor([9.0, 3.0])
    return shapes_of(scores, modes)[:, None]


@pytest.mark.parametrize(("modes", "count"), [(0.7, 1), (0.999, 2), (1, 1), (2, 2), (5, 2)])
def test_modes_are_counted_or_hold_a_share(known, modes, count):
    decoder = PcaDecoder(torch.zeros(1, 4, 3), torch.zeros(1, 6, 4, 3))
    decoder.fit(known, torch.ones(10, 1, dtype=torch.bool), modes)
    assert int(decoder.std.gt(0).sum()) == count
    torch.testing.assert_close(decoder.unit, known.var(dim=0, unbiased=True).mean()[None])
    np.testing.assert_allclose(
        decoder.mean.detach()[0], known.mean(dim=(0, 1)).flatten(), atol=1e-4
    )


def test_scores_of_one_standard_deviation_give_back_the_variance(known):
    decoder = PcaDecoder(torch.zeros(1, 4, 3), torch.zeros(1, 6, 4, 3))
    decoder.fit(known, torch.ones(10, 1, dtype=torch.bool), 2)
    scores = torch.eye(6)[:, None]
    moved = decoder(scores, free=False) - decoder(torch.zeros(1, 1, 6), free=False)
    squares = moved.square().sum(dim=(1, 2, 3))
    assert float(squares[:2].sum()) == pytest.approx(float(12 * decoder.unit), rel=1e-4)
    assert not squares[2:].any()  # where there are no modes


def test_a_template_starts_the_decoder_with_its_modes(data):
    deviations = data.template.modes_world
    decoder = PcaDecoder(data.template.mean_world, deviations)
    scores = torch.eye(deviations.shape[1])[:, None].expand(-1, len(ANATOMIES), -1)
    moved = decoder(scores, free=True) - data.template.mean_world
    torch.testing.assert_close(moved.transpose(0, 1), deviations, atol=1e-4, rtol=1e-4)
