"""How weight, regularization and step go during a level."""

import math
from typing import NamedTuple

from massm.config.correspond import EntropyConfig
from massm.pdm.embedded.tuning import TUNING


class LevelRole(NamedTuple):
    """What a level is among others.

    Attributes:
        corresponding: Its first particles correspond well: fewer ones transferred them.
        final: Its particles are a result; those that only transfer others need not be separated.
    """

    corresponding: bool = False
    final: bool = True


SINGLE = LevelRole()


def scarcity(count: int) -> float:
    """Say by which factor particles are fewer than the reference count, two at most.

    Few particles rest on a coarse lattice that corresponding ones have to leave: they need more
    weight, and more iterations, to find each other. With it the regularization ends lower, so that
    the force on what varies is the same.
    """
    return min(TUNING.most_scarcity, max(1.0, TUNING.reference_count / count))


def length_of(config: EntropyConfig, count: int, *, transferring: bool) -> int:
    """Give the iterations of a level from a template: fewer where it transfers others."""
    growth = TUNING.scarcity_iterations
    scarce = (growth * scarcity(count) - 1) / (growth - 1)
    share = TUNING.transferring_iterations if transferring else scarce
    return round(config.iterations * share)


def weight_of(config: EntropyConfig, count: int, *, corresponding: bool) -> float:
    """Give the correspondence weight w of a number of particles; less if they correspond already.

    In inverse proportion to their number M it keeps w / h^2, and with it the balance of even and
    compact, the same for all M.
    """
    share = math.pow(scarcity(count), TUNING.scarcity_weight)
    share = share * (TUNING.transferred_weight if corresponding else 1.0)
    return config.correspondence_weight * TUNING.reference_count / count * share


def end_of(config: EntropyConfig, count: int) -> float:
    """Give the regularization that a level ends with, as a fraction of the variance."""
    return config.regularization_end / scarcity(count) ** TUNING.scarcity_regularization


def regularization_at(
    config: EntropyConfig, progress: float, count: int, *, corresponding: bool
) -> float:
    """Give the regularization at a fraction of a level, as a fraction of the variance.

    Particles that correspond already begin in the middle of its way: nothing of that is lost.
    """
    ratio = end_of(config, count) / config.regularization_start
    begun = TUNING.transferred_progress if corresponding else 0.0
    way = begun + (1 - begun) * min(1.0, progress / TUNING.annealed)
    return float(config.regularization_start * ratio**way)


def step_decay(progress: float) -> float:
    """Give the factor on the step at a fraction of a level: one until the regularization stays."""
    way = (progress - TUNING.annealed) / (1 - TUNING.annealed)
    return float(TUNING.least_step ** max(0.0, way))
