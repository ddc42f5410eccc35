"""Weights without the shape of a single subject: mean shapes in the place of the medoids.

A trained network holds three shapes of each anatomy's medoid: ``local.template``, which the local
head moves; ``worlds.cvae.template``, part of the encoder's input; ``worlds.procrustes.template``,
which shapes are aligned to. All else is made of many subjects (means, modes, learned weights) or is
no shape (neighbors, signs).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from massm.geometry.alignment import fit_similarity

_LOCAL, _CVAE, _PROCRUSTES = "local.template", "worlds.cvae.template", "worlds.procrustes.template"
_SIZE, _ENCODER = "worlds.cvae.size", "worlds.cvae.encoder.0.0.weight"
_BASIS, _BIAS = "local.basis", "local.bias"  # of a head that predicts scores of modes
_CLASS_WISE_BIAS = "local.last.bias"  # of one that predicts particles, with own last layers
PERSONAL = (_LOCAL, _CVAE, _PROCRUSTES)
"""Names of the medoids' shapes."""


@dataclass(frozen=True)
class MeanShapes:
    """What takes the place of the medoids of K anatomies.

    Attributes:
        centered: Mean of the local particles around the centers of their boxes, pose and all, mm.
        pose_free: Mean shape in any pose, mm.
        world: Mean of the world particles, mm.
        reach: Mean of twice the largest half extent of the boxes, mm.
    """

    centered: Float[Tensor, "K M 3"]
    pose_free: Float[Tensor, "K M 3"]
    world: Float[Tensor, "K M 3"]
    reach: Float[Tensor, " K"]


def impersonal_weights(
    state: Mapping[str, Tensor], means: MeanShapes, *, learned_basis: bool
) -> dict[str, Tensor]:
    """Put mean shapes in the place of the medoids, so that predictions stay as near as can be.

    The cvae head predicts the same to rounding. The local head predicts the same for a box of the
    mean size; elsewhere it differs by the distance of medoid and mean times the deviation from
    that size, before refinement. The procrustes head aligns to the mean, as correspondence does.

    Args:
        state: Weights of a trained network.
        means: Of its anatomies.
        learned_basis: Whether the local head's modes were learned further.

    Raises:
        ValueError: If the local head has nothing of its own for each anatomy to take up the
            difference.
    """
    changed = dict(state)
    changed |= _local_head(state, means, learned_basis=learned_basis)
    changed |= _cvae_head(state, means.world)
    changed[_PROCRUSTES] = means.world.to(state[_PROCRUSTES])
    return changed


def _local_head(
    state: Mapping[str, Tensor], means: MeanShapes, *, learned_basis: bool
) -> dict[str, Tensor]:
    """Let ``template + reach tanh(code)`` start from the mean shape, posed and sized as the medoid.

    Where the bias was not learned, what it leads to is known: the mean of the centered particles.
    That is taken itself; to compute it from the medoid would leave a trace of that.
    """
    old = state[_LOCAL].double()
    mean = means.pose_free.double()
    new = fit_similarity(mean, old).apply(mean)
    reach = means.reach.double()[:, None, None]
    name = _BIAS if _BASIS in state else _CLASS_WISE_BIAS
    if name not in state:
        raise ValueError(
            "the local head has one last layer for all anatomies and no modes: the medoids cannot "
            "be taken out of it (bundle.template: mean); set bundle.template to medoid"
        )
    bias = state[name].double().unflatten(1, (-1, 3))
    learned = learned_basis or _BASIS not in state
    there = old + reach * bias.tanh() if learned else means.centered.double()
    code = torch.atanh(((there - new) / reach).clamp(-0.999, 0.999))
    return {_LOCAL: new.to(state[_LOCAL]), name: code.flatten(1).to(state[name])}


def _cvae_head(state: Mapping[str, Tensor], world: Float[Tensor, "K M 3"]) -> dict[str, Tensor]:
    """Change the weights that see the template so that the mean gives what the medoid gave.

    The template enters a linear layer as a constant of each anatomy, so K conditions on weights of
    many more inputs: the least change that meets them is taken.
    """
    weight, size = state[_ENCODER].double(), state[_SIZE].double()
    centered = world.double() - world.double().mean(dim=1, keepdim=True)
    old = (state[_CVAE].double() / size).flatten(1)
    new = (centered.to(state[_CVAE]).double() / size).flatten(1)
    inputs = old.shape[1]
    seen = weight[:, inputs:]
    changed = weight.clone()
    changed[:, inputs:] = seen + seen @ (old - new).mT @ torch.linalg.pinv(new.mT)
    return {_CVAE: centered.to(state[_CVAE]), _ENCODER: changed.to(state[_ENCODER])}
