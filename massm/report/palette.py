"""Colors, hatches and dashes of models and anatomies: one place, the same in every figure.

Okabe and Ito's colors (2008) are told apart with every kind of color vision; their yellow is
darkened to be seen on white. A model has its look by its name, whatever else is shown beside it. A
hatch tells models apart that share a color, and all of them in print without color.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from massm.report.naming import Method, Names

BLUE, SKY, GREEN, ORANGE = "#0072B2", "#56B4E9", "#009E73", "#E69F00"
VERMILION, PURPLE, YELLOW, GRAY = "#D55E00", "#CC79A7", "#C9B400", "#8A8F98"
BLACK = "#2B2B2B"


@dataclass(frozen=True)
class Look:
    """How a model is drawn.

    Attributes:
        color: Of its boxes and outlines.
        hatch: Of its boxes, in matplotlib's letters.
        dashes: Of its outlines, as SVG writes them; empty: none.
    """

    color: str
    hatch: str
    dashes: str = ""


@dataclass(frozen=True)
class Line:
    """How an anatomy is drawn: color, dashes and marker (matplotlib's letters)."""

    color: str
    dashes: str
    marker: str


# Blue is ours; gray, green and black stay with the bounds; each kind of rival has its color.
_MODEL_LOOKS = {
    "massm": Look(BLUE, ""),
    "massm_unrefined": Look(SKY, "..", "7 3"),
    "mean_shape": Look(GRAY, "||"),
    "pca_oracle": Look(GREEN, "---"),
    "truth": Look(BLACK, "xxxx"),
    "deepssm_local": Look(ORANGE, "//"),
    "deepssm_world_full": Look(ORANGE, "xx", "7 3"),
    "deepssm_world": Look(VERMILION, "\\\\"),
    "deepssm_world_detected": Look(VERMILION, "++", "7 3"),
    "unet": Look(PURPLE, "oo"),
    "unet_multi": Look(PURPLE, "**", "7 3"),
    "unet_fit": Look(YELLOW, "|/"),
}
_SECOND_OUTPUT = {"massm": Look(SKY, "//", "2 3")}  # of a model with two in one frame
_OTHER_COLORS = (ORANGE, PURPLE, VERMILION, SKY, YELLOW)
_OTHER_HATCHES = (("O", "2 3"), ("|\\", "8 3 2 3"), ("-/", "1 2"), ("-\\", "12 3"))
_ANATOMY_COLORS = (ORANGE, SKY, GREEN, PURPLE, VERMILION, YELLOW, BLUE)
_ANATOMY_DASHES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))


def method_looks(methods: Sequence[Method], names: Names) -> dict[Method, Look]:
    """Give each method its look: its model's own, or one (of 20) that no other here has."""
    spare = cycle(
        Look(color, hatch, dashes) for hatch, dashes in _OTHER_HATCHES for color in _OTHER_COLORS
    )
    looks: dict[Method, Look] = {}
    seen: set[str] = set()
    for method in names.ordered(methods):
        fixed = (_SECOND_OUTPUT if method[0] in seen else _MODEL_LOOKS).get(method[0])
        looks[method] = next(spare) if fixed is None or fixed in looks.values() else fixed
        seen.add(method[0])
    return looks


def anatomy_colors(anatomies: Sequence[str]) -> dict[str, str]:
    """Give each anatomy a color; after seven they start again."""
    return {name: _ANATOMY_COLORS[i % len(_ANATOMY_COLORS)] for i, name in enumerate(anatomies)}


def anatomy_lines(anatomies: Sequence[str]) -> dict[str, Line]:
    """Give each anatomy a line; where colors start again, dashes and markers differ."""
    colors = anatomy_colors(anatomies)
    cycles = [(i // len(_ANATOMY_COLORS)) % len(_ANATOMY_DASHES) for i in range(len(anatomies))]
    return {
        name: Line(colors[name], *_ANATOMY_DASHES[cycle])
        for name, cycle in zip(anatomies, cycles, strict=True)
    }
