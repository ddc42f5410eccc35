"""Multilayer perceptrons, and a last layer with its own weights for each anatomy."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def mlp(inputs: int, hidden: Sequence[int], *, dropout: float = 0.0) -> nn.Sequential:
    """Build linear layers, each followed by layer normalization, GELU and dropout.

    Args:
        inputs: Length of the input vector.
        hidden: Length of each layer; the last one is the output's length.
        dropout: Chance that a value is dropped in training.
    """
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers)


class ClassWiseLinear(nn.Module):
    """Apply to the vector of anatomy k the k-th of K linear layers."""

    def __init__(self, classes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(classes, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(classes, outputs))

    def forward(self, vectors: Float[Tensor, "B K I"]) -> Float[Tensor, "B K O"]:
        """Map each anatomy's vector."""
        return torch.einsum("bki,koi->bko", vectors, self.weight) + self.bias


class SharedLinear(nn.Module):
    """Apply one linear layer to the vectors of all anatomies; same interface as the other."""

    def __init__(self, classes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        del classes  # one layer whatever their number
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, vectors: Float[Tensor, "B K I"]) -> Float[Tensor, "B K O"]:
        """Map each anatomy's vector."""
        mapped: Tensor = self.linear(vectors)
        return mapped


def last_layer(classes: int, inputs: int, outputs: int, *, class_wise: bool) -> nn.Module:
    """Build the last layer of a head, with near-zero weights so that training starts at rest."""
    layer = (ClassWiseLinear if class_wise else SharedLinear)(classes, inputs, outputs)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(0.01)
    return layer
