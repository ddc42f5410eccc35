"""How a layer that scores voxels starts: every anatomy is rare."""

import math

import torch
from torch import Tensor

_PRIOR = 0.01  # how much rarer than the background each anatomy is taken to be before training


def expect_background(bias: Tensor) -> None:
    """Let every anatomy start rare, so that the first steps are not spent on the background.

    Lin et al., "Focal Loss for Dense Object Detection", 2017, section 4.1, for classes whose
    probabilities sum to 1.

    Args:
        bias: Of the layer whose outputs are class scores, the background first; is changed.
    """
    with torch.no_grad():
        bias.fill_(math.log(_PRIOR))  # against a background of 1
        bias[0] = 0.0
