"""How weight, regularization and step go during a level."""

import math
from typing import NamedTuple

from massm.config.correspond import EntropyConfig

WEIGHED_AT = 256
ANNEALED = 0.8
COLDEST = 0.03
WARM = 0.5
"""Share of the annealing that particles do without whose start corresponds."""

CARRIED = 0.8
"""Their share of the correspondence weight: what is left for them is to become even (measured)."""

CARRYING = 0.5
"""Share of the iterations that do for particles that carry others: these go on from there."""


class Part(NamedTuple):
    """The part that a level has among others.

    Attributes:
        corresponding: Its start corresponds well: fewer particles carried it along.
        final: Its particles are a result; those that only carry others need no parting.
    """

    corresponding: bool = False
    final: bool = True


ALONE = Part()


def scarcity(count: int) -> float:
    """Say by which factor particles are fewer than 256, two at most.

    Few particles rest on a coarse lattice that corresponding ones have to leave: they need more
    weight, and more iterations, to find each other. With it the regularization ends lower, so that
    the pull on what varies is the same (exponents measured on synthetic populations at 128).
    """
    return min(2.0, max(1.0, WEIGHED_AT / count))


def length_of(config: EntropyConfig, count: int, *, carrying: bool) -> int:
    """Give the iterations of a level on a template's start: fewer where it carries others."""
    share = CARRYING if carrying else (5 * scarcity(count) - 1) / 4
    return round(config.iterations * share)


def weight_of(config: EntropyConfig, count: int, *, corresponding: bool) -> float:
    """Give the correspondence weight w of a number of particles; less if their start corresponds.

    By 256 / M it keeps w / h^2, and with it the balance of even and compact, the same for all M.
    """
    share = math.pow(scarcity(count), 13 / 3) * (CARRIED if corresponding else 1.0)
    return config.correspondence_weight * WEIGHED_AT / count * share


def end_of(config: EntropyConfig, count: int) -> float:
    """Give the regularization that a level ends with, as a fraction of the variance.

    Scarce particles go farther: with their greater weight what is noise is held stiffly, and what
    varies is left alone (measured).
    """
    return config.regularization_end / scarcity(count) ** 3


def annealed(config: EntropyConfig, progress: float, count: int, *, corresponding: bool) -> float:
    """Give the regularization at a fraction of a level, as a fraction of the variance.

    Particles whose start corresponds begin in the middle of its way: nothing of that is lost.
    """
    ratio = end_of(config, count) / config.regularization_start
    begun = WARM if corresponding else 0.0
    way = begun + (1 - begun) * min(1.0, progress / ANNEALED)
    return float(config.regularization_start * ratio**way)


def cooling(progress: float) -> float:
    """Give the factor on the step at a fraction of a level: less and less once annealed."""
    return float(COLDEST ** max(0.0, (progress - ANNEALED) / (1 - ANNEALED)))
