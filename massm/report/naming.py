"""Names and colors of models and anatomies, the same in every figure and table."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from massm.evaluate.rows import DETECTION, LOCAL

Method = tuple[str, str]  # model, head
KNOWING = ("pca_oracle", "truth")  # they know the truth, so that they cannot be "best"

ALL_LABEL = "All anatomies"

_MODELS = {
    "massm": "MASSM",
    "mean_shape": "Mean shape",
    "pca_oracle": "PCA projection",
    "truth": "True particles",
    "deepssm_local": "DeepSSM local",
    "deepssm_world": "DeepSSM world",
    "deepssm_world_full": "DeepSSM world, full image",
    "unet": "U-Net",
}
_HEADS = {"cvae": "CVAE", "procrustes": "Procrustes"}
_ONE_HEAD = ("mean_shape", "pca_oracle", "truth")  # whose world head needs no name of its own

# Okabe and Ito (2008): told apart with every kind of color vision; their yellow is darkened to be
# seen on white. Gray, green and black stay with the bounds.
BLUE, SKY, GREEN, ORANGE = "#0072B2", "#56B4E9", "#009E73", "#E69F00"
VERMILION, PURPLE, YELLOW, GRAY = "#D55E00", "#CC79A7", "#C9B400", "#8A8F98"
BLACK = "#2B2B2B"
_MODEL_COLORS = {"massm": BLUE, "mean_shape": GRAY, "pca_oracle": GREEN, "truth": BLACK}
_OTHER_COLORS = (ORANGE, PURPLE, VERMILION, SKY)
_ANATOMY_COLORS = (ORANGE, SKY, GREEN, PURPLE, VERMILION, YELLOW, BLUE)
_RANK = {"massm": 0, "mean_shape": 1, "pca_oracle": 98, "truth": 99}


def anatomy_label(name: str) -> str:
    """Write an anatomy's name for people: ``LeftParotid`` becomes ``Left parotid``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")
    return spaced[:1].upper() + spaced[1:].lower()


def model_label(model: str) -> str:
    """Write a model's name for people."""
    return _MODELS.get(model, anatomy_label(model))


def method_label(method: Method) -> str:
    """Write a model and its head for people."""
    model, head = method
    if head in (LOCAL, DETECTION) or model in _ONE_HEAD:
        return model_label(model)
    return f"{model_label(model)} {_HEADS.get(head, head)}"


def sample_size(row: Mapping[Any, Any] | pd.Series) -> str:
    """Write how many organs a number is from, and of how many subjects where that is not the same.

    Args:
        row: Row of ``evaluate/summary.csv`` or ``tests.csv``.
    """
    organs, subjects = int(row["n"]), int(row["subjects"])
    return f"n = {organs}" if organs == subjects else f"n = {organs} of {subjects} subjects"


def ordered(methods: Sequence[Method]) -> list[Method]:
    """Put methods in the order of tables and figures: ours, lower bound, others, upper bounds."""
    return sorted(set(methods), key=lambda method: (_RANK.get(method[0], 50), *method))


def method_colors(methods: Sequence[Method]) -> dict[Method, str]:
    """Give each method a color; second heads of a model get a lighter relative."""
    colors: dict[Method, str] = {}
    spare = list(_OTHER_COLORS)
    seen: set[str] = set()
    for method in ordered(methods):
        fixed = _MODEL_COLORS.get(method[0])
        if fixed and method[0] not in seen:
            colors[method] = fixed
        else:
            colors[method] = SKY if fixed == BLUE else spare.pop(0) if spare else GRAY
        seen.add(method[0])
    return colors


def anatomy_colors(anatomies: Sequence[str]) -> dict[str, str]:
    """Give each anatomy a color; after seven they start again."""
    return {name: _ANATOMY_COLORS[i % len(_ANATOMY_COLORS)] for i, name in enumerate(anatomies)}
