"""Names of anatomies for people, and a color for each: the same in every output of a scan."""

import re
from collections.abc import Sequence

# Okabe and Ito (2008), told apart with every kind of color vision, then three tints of them.
_PALETTE = (
    *("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#F0E442", "#0072B2"),
    *("#B8E0C8", "#F4B393", "#B9A7E8"),
)


def anatomy_colors(anatomies: Sequence[str]) -> dict[str, str]:
    """Give each anatomy a color as ``#RRGGBB``; after ten they start again."""
    return {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(anatomies)}


def unit_rgb(color: str) -> tuple[float, float, float]:
    """Write ``#RRGGBB`` as three numbers from 0 to 1 (sRGB)."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def anatomy_label(name: str) -> str:
    """Write an anatomy's name for people: ``LeftParotid`` becomes ``Left parotid``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return spaced[:1].upper() + spaced[1:].lower()
