"""The models: networks with their objectives, behind one protocol.

A new model is a package below this one and a line in ``MODELS``.
"""

from collections.abc import Callable

from torch import nn

from massm.models.massm.network import Massm

MODELS: dict[str, Callable[..., nn.Module]] = {"massm": Massm}
