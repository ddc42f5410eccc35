"""The encoder: which sizes of images it takes, and what its dense layers cost."""

import pytest
import torch

from massm.config.models.deepssm import EncoderConfig
from massm.models.deepssm.encoder import Encoder

BESIDE = torch.empty(1, 0)


def encoder_config(**changes):
    values = {
        "widths": (12, 24, 48, 96, 192),
        "kernel": 5,
        "padded": False,
        "norm": "batch",
        "pool": 0,
        "hidden": (384, 96),
        "dropout": 0.0,
    }
    return EncoderConfig.model_validate(values | changes)


@pytest.mark.parametrize(("size", "edge"), [(60, 1), (64, 1), (80, 3), (96, 5)])
def test_the_original_leaves_so_many_cells(size, edge):
    with torch.device("meta"):
        encoder = Encoder(encoder_config(), size=size)
    assert encoder.dense[0].in_features == edge**3 * 192


@pytest.mark.parametrize("change", [{}, {"kernel": 3}, {"padded": True}])
def test_the_least_size_leaves_one_cell(change):
    config = encoder_config(widths=(2, 2, 2, 2, 2), hidden=(4,), norm="instance", **change)
    encoder = Encoder(config, size=config.least).eval()
    image = torch.randn(1, 1, *[config.least] * 3)
    assert encoder(image, BESIDE).shape == (1, 4)
    if not config.padded:
        with pytest.raises(ValueError, match="no cell is left"):
            Encoder(config, size=config.least - 1)


@pytest.mark.parametrize("size", [13, 16, 33])
@pytest.mark.parametrize("pool", [0, 2])
def test_dense_layers_fit_padded_convolutions(size, pool):
    config = encoder_config(widths=(2, 2, 2, 2, 2), hidden=(4,), padded=True, pool=pool)
    encoder = Encoder(config, size=size).eval()
    assert encoder(torch.randn(2, 1, size, size, size), torch.empty(2, 0)).shape == (2, 4)


def test_images_of_any_size_need_pooling():
    with pytest.raises(ValueError, match="whole ones need pooling"):
        Encoder(encoder_config(padded=True), size=None)
    with torch.device("meta"):
        encoder = Encoder(encoder_config(padded=True, pool=4), size=None, beside=3)
    assert sum(p.numel() for p in encoder.parameters()) < 10e6
