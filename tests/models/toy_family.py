"""A family as an outsider would add it: section, network and objective; labels by one threshold."""

from typing import ClassVar, Literal

import torch
from pydantic import Field, PositiveFloat
from torch import nn

from massm.config.models.family import FamilyFacts, NetworkConfig
from massm.models.interface import LossTerms, Model, Prediction
from massm.tensors.grid import Grid


class ThresholdConfig(NetworkConfig):
    """An anatomy is where the image is bright, or dark: how bright is learned."""

    family: Literal["threshold"] = Field(description="Entry of the table.")
    weight: PositiveFloat = Field(description="Weight of its loss.")

    @property
    def facts(self):
        return FamilyFacts(reads="scan", gives=frozenset({"labels"}), parts="each anatomy")


class Threshold(Model):
    """A logistic regression of the voxels' values, one for each anatomy."""

    terms: tuple[str, ...] = ("voxels",)
    errors: ClassVar = ("center_mm",)
    selects: ClassVar = "center_mm"

    def __init__(self, config, anatomies):
        super().__init__()
        self.config = config
        self.stride = 1
        self.layer = nn.Conv3d(1, anatomies, 1)
        nn.init.zeros_(self.layer.weight)
        nn.init.constant_(self.layer.bias, -3.0)

    def _logits(self, images):
        return self.layer(images.image.values)

    def forward(self, images):
        grid = images.image
        probability = self._logits(images).sigmoid()
        each = zip(probability.split(1), grid.origin.split(1), strict=True)
        return Prediction(labels=tuple(Grid(p, o, grid.spacing_mm) for p, o in each))

    def loss(self, batch, step):
        grid, truth = batch.images.image, batch.truth
        there = truth.presence.eq(1)
        points = grid.points()[:, None]
        center, radius = (x[:, :, None, None, None] for x in (truth.center, truth.radius))
        inside = (((points - center) / radius).square().sum(-1) < 1).float()
        cost = nn.functional.binary_cross_entropy_with_logits(
            self._logits(batch.images), inside, reduction="none"
        )
        known = cost.mean(dim=(2, 3, 4))[there]
        return LossTerms(
            {"voxels": known.sum() / there.sum().clamp(min=1)}, {"voxels": self.config.weight}
        )

    def errors_of(self, prediction, truth):
        found = []
        for grid in prediction.labels:
            mass = grid.values[..., None]
            points = grid.points()[:, None]
            found.append((mass * points).sum(dim=(2, 3, 4)) / mass.sum(dim=(2, 3, 4)))
        return {"center_mm": (torch.cat(found) - truth.center).norm(dim=-1)}


def build(config, template, preprocessing):
    return Threshold(config, len(template.local))
