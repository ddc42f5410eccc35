"""World heads: local particles to the population's aligned frame, learned or by alignment."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from massm.config.models.massm import WorldConfig
from massm.geometry.alignment import fit_similarity
from massm.models.blocks.mlp import mlp
from massm.tensors.sample import Template


class ShapeDecoder(nn.Module):
    """Decoder of a variational autoencoder of world particles, conditioned on the anatomy.

    Sohn et al., "Learning Structured Output Representation using Deep Conditional Generative
    Models", 2015, with the anatomy's one-hot code as condition. It decodes deviations from the
    mean shape, scaled by their root mean square, so that a zero latent vector is near the mean.
    """

    def __init__(self, config: WorldConfig, template: Template) -> None:
        super().__init__()
        anatomies, particles, _ = template.world.shape
        self.network = nn.Sequential(
            mlp(config.latent + anatomies, config.decoder_hidden),
            nn.Linear(config.decoder_hidden[-1], 3 * particles),
        )
        variance = template.modes_world.square().sum(dim=1).mean(dim=(1, 2))
        self.register_buffer("mean", template.mean_world.clone())
        self.register_buffer("scale", variance.sqrt().clamp(min=1e-3)[:, None, None].clone())
        self.register_buffer("one_hot", torch.eye(anatomies), persistent=False)

    def forward(
        self, latent: Float[Tensor, "*batch Z"], anatomy: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch M 3"]:
        """Return world particles of the given anatomies, mm."""
        one_hot = self.get_buffer("one_hot")[anatomy]
        deviation = self.network(torch.cat([latent, one_hot], dim=-1)).float()
        moved: Tensor = self.get_buffer("scale")[anatomy] * deviation.unflatten(-1, (-1, 3))
        return self.get_buffer("mean")[anatomy] + moved


class CvaeHead(nn.Module):
    """MASSM's world head: local and template world particles -> latent vector -> frozen decoder.

    Both enter relative to their own centroid and in units of the anatomy's size; where the anatomy
    lies in the scanner says nothing about its world shape.
    """

    def __init__(self, config: WorldConfig, template: Template) -> None:
        super().__init__()
        _, particles, _ = template.world.shape
        self.encoder = nn.Sequential(
            mlp(6 * particles, config.hidden), nn.Linear(config.hidden[-1], config.latent)
        )
        self.decoder = ShapeDecoder(config, template)
        self.decoder.requires_grad_(False)
        centered = template.world - template.world.mean(dim=1, keepdim=True)
        self.register_buffer("template", centered)
        self.register_buffer("size", template.radius.mean(dim=-1)[:, None, None].clone())

    def forward(self, local: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K M 3"]:
        """Return world particles of all anatomies, mm."""
        every = torch.arange(local.shape[1], device=local.device)
        return self.of_anatomy(local, every.expand(local.shape[:2]))

    def of_anatomy(
        self, local: Float[Tensor, "*batch M 3"], anatomy: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch M 3"]:
        """Return world particles of the given anatomies, mm."""
        size = self.get_buffer("size")[anatomy]
        shape = (local - local.mean(dim=-2, keepdim=True)) / size
        start = self.get_buffer("template")[anatomy] / size
        latent = self.encoder(torch.cat([shape.flatten(-2), start.flatten(-2)], dim=-1))
        world: Tensor = self.decoder(latent, anatomy)
        return world


class ProcrustesHead(nn.Module):
    """Rigid alignment of the local particles to the template's world particles; no parameters.

    An anatomy whose world frame is mirrored (``groom.reflect``) is mirrored before: whether that is
    so shows in the template, whose local and world particles are the same shape.
    """

    def __init__(self, template: Template) -> None:
        super().__init__()
        self.register_buffer("template", template.world.clone())
        self.register_buffer("mirror", mirror_of(template))

    def forward(self, local: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K M 3"]:
        """Return world particles, mm."""
        # Singular value decompositions do without half precision.
        shape = local.float()
        shape = (shape - shape.mean(dim=2, keepdim=True)) * self.get_buffer("mirror")
        target = self.get_buffer("template").expand_as(shape)
        fit = fit_similarity(shape, target, allow_scale=False)
        return fit.apply(shape)


def mirror_of(template: Template) -> Float[Tensor, "K 1 3"]:
    """Return per anatomy (1, 1, 1), or (-1, 1, 1) where local to world is a reflection."""
    return mirror_between(template.local, template.world)


def mirror_between(
    one: Float[Tensor, "N M 3"], other: Float[Tensor, "N M 3"]
) -> Float[Tensor, "N 1 3"]:
    """Return per pair of shapes (1, 1, 1), or (-1, 1, 1) where a reflection joins the two."""
    one = one - one.mean(dim=1, keepdim=True)
    other = other - other.mean(dim=1, keepdim=True)
    handedness = torch.linalg.det((other.mT @ one).double())
    mirror = torch.ones(len(one), 1, 3)
    mirror[:, 0, 0] = torch.where(handedness < 0, -1.0, 1.0)
    return mirror
